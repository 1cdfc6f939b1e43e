/**
 * One shelf: levels and reservations in SQLite. A reservation is shipped or
 * given back by alarm, and the same alarm orders what runs low.
 */
import { DurableObject } from "cloudflare:workers";
import type { CartLine, ReserveResult, StockLevel } from "../../shared/contracts.ts";
import { log, recordFact } from "../../shared/log.ts";

const FULL = 120;
const LOW = 20;
/** Picking takes a while; short, so that a demo shows alarms soon. */
const SHIP_AFTER_MS = 8_000;
const COUNTED_EVERY_MS = 150_000;
const COUNTING_MS = 2_000;

class ShelfError extends Error {
  override name = "ShelfError";
}

export class Stock extends DurableObject<object> {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: object) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS level (sku TEXT PRIMARY KEY, available INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS reservation (
        order_id TEXT NOT NULL, sku TEXT NOT NULL, quantity INTEGER NOT NULL, ship_at INTEGER NOT NULL,
        PRIMARY KEY (order_id, sku)
      );`);
  }

  async levels(skus: string[]): Promise<StockLevel[]> {
    return skus.map((sku) => ({ sku, available: this.#available(sku), reserved: this.#reserved(sku) }));
  }

  async reserve(orderId: string, lines: CartLine[]): Promise<ReserveResult> {
    this.#refuseWhileCounting(Date.now());
    for (const line of lines) {
      const available = this.#available(line.sku);
      if (available < line.quantity) return { ok: false, sku: line.sku, available };
    }
    const shipAt = Date.now() + SHIP_AFTER_MS;
    for (const { sku, quantity } of lines) {
      this.#sql.exec("UPDATE level SET available = available - ? WHERE sku = ?", quantity, sku);
      this.#sql.exec("INSERT OR REPLACE INTO reservation VALUES (?, ?, ?, ?)", orderId, sku, quantity, shipAt);
    }
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(shipAt);
    log.info("reserved", { order_id: orderId, items: lines.reduce((sum, line) => sum + line.quantity, 0) });
    return { ok: true, reservation: orderId };
  }

  async release(orderId: string): Promise<void> {
    const rows = this.#sql.exec("SELECT sku, quantity FROM reservation WHERE order_id = ?", orderId).toArray();
    for (const row of rows) {
      this.#sql.exec("UPDATE level SET available = available + ? WHERE sku = ?", row.quantity, row.sku);
    }
    this.#sql.exec("DELETE FROM reservation WHERE order_id = ?", orderId);
    log.info("reservation released", { order_id: orderId, lines: rows.length });
  }

  override async alarm(): Promise<void> {
    const shipped = this.#sql
      .exec("DELETE FROM reservation WHERE ship_at <= ? RETURNING order_id", Date.now())
      .toArray();
    const low = this.#sql.exec("SELECT sku, available FROM level WHERE available < ?", LOW).toArray();
    for (const row of low) {
      this.#sql.exec("UPDATE level SET available = ? WHERE sku = ?", FULL, row.sku);
      log.warn("restocked", { sku: row.sku, was: row.available, now: FULL });
    }
    recordFact("stock.shipped", { lines: shipped.length, restocked: low.length });
    const next = this.#sql.exec("SELECT min(ship_at) AS at FROM reservation").one().at;
    if (next !== null) await this.ctx.storage.setAlarm(Number(next));
  }

  /** Every few minutes a shelf is counted, and nobody told the checkout that it may be. */
  #refuseWhileCounting(now: number): void {
    const left = COUNTING_MS - (now % COUNTED_EVERY_MS);
    if (left <= 0) return;
    throw new ShelfError(
      `${this.ctx.id.name ?? "shelf"} is being counted, ready at ${new Date(now + left).toISOString()}`,
    );
  }

  #available(sku: string): number {
    this.#sql.exec("INSERT OR IGNORE INTO level VALUES (?, ?)", sku, FULL);
    return Number(this.#sql.exec("SELECT available FROM level WHERE sku = ?", sku).one().available);
  }

  #reserved(sku: string): number {
    return Number(this.#sql.exec("SELECT coalesce(sum(quantity), 0) AS n FROM reservation WHERE sku = ?", sku).one().n);
  }
}
