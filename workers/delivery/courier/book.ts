/**
 * The Courier's own SQLite: its cursors, what is done beyond them, and its state.
 * What belongs together is written in one transaction, in the turn in which the
 * receiver's answer came: whoever comes after an eviction finds both or neither.
 * Tables are made when a destination is there; a name that nobody made leaves
 * nothing behind.
 */
import { DeadLetters } from "./dead-letters.ts";
import { type Lane, type LaneKind, type LaneState, laneKey } from "./lane.ts";
import { type CourierState, readState } from "./state.ts";

export type Storage = Pick<DurableObjectStorage, "sql" | "transactionSync">;

/** Whose cursors: the destination's own, or those of what its failover carries. */
export type ChannelName = "own" | "via";

const ID_CHARS = 32;

/** A destination was here before. */
export function hasBook(storage: Pick<DurableObjectStorage, "sql">): boolean {
  const rows = storage.sql.exec("SELECT 1 AS n FROM sqlite_master WHERE name = 'courier_state'").toArray();
  return rows.length > 0;
}

export class Book {
  readonly dead: DeadLetters;

  constructor(private readonly storage: Storage) {
    const { sql } = storage;
    sql.exec("CREATE TABLE IF NOT EXISTS courier_state (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL)");
    sql.exec(
      `CREATE TABLE IF NOT EXISTS courier_lanes (channel TEXT, lane TEXT, kind TEXT, shard TEXT, script TEXT, through INTEGER, skip INTEGER,
        ahead TEXT NOT NULL, PRIMARY KEY (channel, lane)) WITHOUT ROWID`,
    );
    this.dead = new DeadLetters(storage);
  }

  readState(now: number): CourierState {
    const row = this.storage.sql.exec<{ json: string }>("SELECT json FROM courier_state").toArray()[0];
    return readState(row?.json, now);
  }

  writeState(state: CourierState): void {
    this.storage.sql.exec("INSERT OR REPLACE INTO courier_state VALUES (1, ?)", JSON.stringify(state));
  }

  readLanes(channel: ChannelName): LaneState[] {
    const rows = this.storage.sql
      .exec<{ kind: LaneKind; shard: string; script: string; through: number; skip: number; ahead: string }>(
        "SELECT kind, shard, script, through, skip, ahead FROM courier_lanes WHERE channel = ?",
        channel,
      )
      .toArray();
    return rows.map(({ through, skip, ahead, ...lane }) => ({
      ...lane,
      position: { through, offset: skip },
      ahead: idsOf(ahead),
    }));
  }

  writeLane(channel: ChannelName, { kind, shard, script, position, ahead }: LaneState): void {
    this.storage.sql.exec(
      "INSERT OR REPLACE INTO courier_lanes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      ...[channel, laneKey(kind, shard), kind, shard, script, position.through, position.offset, [...ahead].join("")],
    );
  }

  dropLane(channel: ChannelName, key: string): void {
    this.storage.sql.exec("DELETE FROM courier_lanes WHERE channel = ? AND lane = ?", channel, key);
  }

  dropLanes(channel: ChannelName): void {
    this.storage.sql.exec("DELETE FROM courier_lanes WHERE channel = ?", channel);
  }

  /** Lanes that moved, and the state. */
  commit(state: CourierState, channel: ChannelName, lanes: Iterable<Lane>, also: () => void = () => undefined): void {
    const moved = [...lanes].filter(({ isDirty }) => isDirty);
    this.storage.transactionSync(() => {
      for (const lane of moved) this.writeLane(channel, lane.state());
      also();
      this.writeState(state);
    });
    for (const lane of moved) lane.isDirty = false;
  }

  transaction(work: () => void): void {
    this.storage.transactionSync(work);
  }
}

/** Ids have 32 hex digits, one after the other. */
function idsOf(text: string): Set<string> {
  const ids = new Set<string>();
  for (let i = 0; i < text.length; i += ID_CHARS) ids.add(text.slice(i, i + ID_CHARS));
  return ids;
}
