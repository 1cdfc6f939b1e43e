/**
 * How far each Ingester's log has been passed on, and the text that viewers keep
 * of it (`LiveCursor`): `<id>.<through>`, the entry's place and the events that
 * were ever logged up to it. Two of these tell how many events lie between.
 */
import type { LiveCursor } from "../api/contract/live.ts";
import type { ShardPosition } from "./contract.ts";
import { MAX_POSITIONS } from "./limits.ts";

interface Known extends ShardPosition {
  /** Arrival of the entry, ms. 0: nothing has been passed on, the log began here when the hub came. */
  at: number;
  /** Of the change: later ones are higher. */
  change: number;
}

export const positionText = ({ id, through }: ShardPosition): string => `${id}.${through}`;

/** Undefined for what `positionText` did not write. */
export function readPosition(text: string): ShardPosition | undefined {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(text);
  return match === null ? undefined : { id: Number(match[1]), through: Number(match[2]) };
}

export class Positions {
  private readonly byShard = new Map<string, Known>();
  /** Number of the last change. */
  change = 0;

  get(shard: string): Readonly<Known> | undefined {
    return this.byShard.get(shard);
  }

  /** Id of the last entry that was pushed; what an Ingester said of its log may still be on its way. */
  passedOn(shard: string): number {
    const known = this.byShard.get(shard);
    return known === undefined || known.at === 0 ? 0 : known.id;
  }

  /** Where a log was when its Ingester was told of us. What is known better stays. */
  begin(shard: string, { id, through }: ShardPosition): void {
    if (!this.byShard.has(shard)) this.set(shard, { id, through, at: 0 });
  }

  pass(shard: string, { id, through, at }: ShardPosition & { at: number }): void {
    this.set(shard, { id, through, at });
  }

  /** Those that changed after a change, the latest first in line when they are too many. */
  since(change: number, most = MAX_POSITIONS): LiveCursor {
    const cursor: LiveCursor = {};
    const changed = [...this.byShard].filter(([, known]) => known.change > change);
    for (const [shard, known] of changed.slice(-most)) cursor[shard] = positionText(known);
    return cursor;
  }

  clear(): void {
    this.byShard.clear();
  }

  private set(shard: string, position: ShardPosition & { at: number }): void {
    // Again at the end: the map is in the order of changes.
    this.byShard.delete(shard);
    this.byShard.set(shard, { ...position, change: ++this.change });
    if (this.byShard.size > MAX_POSITIONS) this.byShard.delete(this.byShard.keys().next().value as string);
  }
}
