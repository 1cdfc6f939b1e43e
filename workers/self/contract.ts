/** What the Counters object offers over RPC. Callers: `count.ts` of every isolate, `api/` for /metrics and the status page. */

/** One series, and what is added to it. */
export interface Increment {
  name: string;
  /** Values of its labels, in the order of names.ts. */
  labels: string[];
  amount: number;
}

export interface Flush {
  /** Of the isolate; with `number` it says whether this flush came before. */
  isolate: string;
  /** Ascending. */
  number: number;
  increments: Increment[];
}

/** A level that an object reports when it changes, and again now and then: nobody can list Durable Objects. */
export interface Level {
  /** Which object. */
  who: string;
  value: number;
  /** ms; forgotten after LEVEL_MS. */
  at: number;
}

/** Hubs report while they have sockets, every four minutes (live/limits.ts). */
export const LEVEL_MS = 10 * 60_000;

export interface CountersSnapshot {
  series: Increment[];
  /** Connections of live hubs. */
  levels: Level[];
  /** Per line of the status page (lines.ts): what came in a minute, of the last minutes; left out while less than one is known. */
  perMinute: Record<string, number>;
  /** ms: since when is counted. */
  since: number;
}

export interface CountersRpc {
  /** Resolves when it is on disk. A flush that comes again counts once. */
  add(flush: Flush): Promise<void>;
  /** Connections that a live hub has now. */
  viewers(who: string, value: number): Promise<void>;
  snapshot(): Promise<CountersSnapshot>;
}

/** There is one. */
export const COUNTERS_NAME = "counters";
