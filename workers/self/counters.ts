/**
 * The Counters: one Durable Object that adds up what all isolates count
 * (`count.ts`), and answers `/metrics` and the status page. A flush is one row
 * before it is answered; now and then the rows are folded into one per counter.
 * So a flush costs two rows written, and an eviction forgets nothing.
 */
import { DurableObject } from "cloudflare:workers";
import {
  type CountersRpc,
  type CountersSnapshot,
  type Flush,
  type Increment,
  LEVEL_MS,
  type Level,
} from "./contract.ts";
import { Totals } from "./totals.ts";

/** Flushes between two folds: what a start reads at most, a few KB each. */
const FOLD_AFTER = 200;
/** JSON of one flush: an isolate holds 2,000 series of some 100 characters; a row may have 2 MB. */
const MAX_FLUSH_CHARS = 1_500_000;
/** Live hubs with somebody in them: one per watched Worker. */
const MAX_LEVELS = 10_000;

export class Counters extends DurableObject<Env> implements CountersRpc {
  private readonly sql: SqlStorage;
  private readonly totals = new Totals(Date.now());
  private readonly since: number;
  private readonly levels = new Map<string, Level>();
  private unfolded = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.sql = ctx.storage.sql;
    this.sql.exec(`CREATE TABLE IF NOT EXISTS flushes (isolate TEXT, number INTEGER, increments TEXT NOT NULL,
      PRIMARY KEY (isolate, number)) WITHOUT ROWID`);
    this.sql.exec("CREATE TABLE IF NOT EXISTS totals (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
    this.since = this.readBack();
  }

  async add(flush: Flush): Promise<void> {
    const increments = JSON.stringify(flush.increments);
    // Answered all the same: sent again it would be no smaller.
    if (increments.length > MAX_FLUSH_CHARS)
      return console.warn(`a flush of ${increments.length} characters is left out`);
    if (!this.totals.add(flush, Date.now())) return;
    this.sql.exec("INSERT OR IGNORE INTO flushes VALUES (?, ?, ?)", flush.isolate, flush.number, increments);
    this.unfolded += 1;
    if (this.unfolded >= FOLD_AFTER) this.fold();
  }

  /** Not on disk: a hub reports again within minutes. */
  async viewers(who: string, value: number): Promise<void> {
    this.levels.delete(who);
    if (value > 0 && this.levels.size < MAX_LEVELS) this.levels.set(who, { who, value, at: Date.now() });
  }

  async snapshot(): Promise<CountersSnapshot> {
    const series = this.totals.names().flatMap((name) => this.totals.seriesOf(name));
    const now = Date.now();
    for (const { who, at } of [...this.levels.values()]) if (now - at > LEVEL_MS) this.levels.delete(who);
    return { series, levels: [...this.levels.values()], perMinute: this.totals.perMinute(now), since: this.since };
  }

  private fold(): void {
    const put = (name: string, value: unknown) =>
      this.sql.exec("INSERT OR REPLACE INTO totals VALUES (?, ?)", name, JSON.stringify(value));
    this.ctx.storage.transactionSync(() => {
      for (const name of this.totals.names()) put(name, this.totals.seriesOf(name));
      put(ISOLATES, this.totals.isolates);
      this.sql.exec("DELETE FROM flushes");
    });
    this.unfolded = 0;
  }

  private readBack(): number {
    let since = Date.now();
    for (const { name, value } of this.sql.exec<{ name: string; value: string }>("SELECT name, value FROM totals")) {
      const parsed: unknown = JSON.parse(value);
      if (name === SINCE) since = parsed as number;
      else if (name === ISOLATES) for (const [id, n] of parsed as [string, number][]) this.totals.remember(id, n);
      else for (const increment of parsed as Increment[]) this.totals.load(increment);
    }
    this.sql.exec("INSERT OR IGNORE INTO totals VALUES (?, ?)", SINCE, JSON.stringify(since));
    const rows = this.sql.exec<{ isolate: string; number: number; increments: string }>(
      "SELECT isolate, number, increments FROM flushes",
    );
    for (const { isolate, number, increments } of rows) {
      for (const increment of JSON.parse(increments) as Increment[]) this.totals.load(increment);
      this.totals.remember(isolate, number);
      this.unfolded += 1;
    }
    return since;
  }
}

/** Beside the counters' names, which begin with `tailrace_`. */
const SINCE = "since";
const ISOLATES = "isolates";
