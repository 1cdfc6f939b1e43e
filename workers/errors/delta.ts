/**
 * What the Collector tells about errors beside the events themselves: it travels
 * with the batch, lies in the write-ahead log, and reaches D1 through the
 * Ingester's flush (`issues/apply.ts`): counted once, however often a flush is
 * tried. Plain JSON.
 */

/** Told apart, never grouped together. */
export const ERROR_KINDS = [
  /** Uncaught: the invocation failed of it. */
  "exception",
  /** A promise that nobody caught (waitUntil, unhandled): the answer had left already. */
  "rejection",
  /** A console call with an Error. */
  "log",
  /** A console call at level error without one. */
  "message",
  /** An answer of 500 or above that no exception and no logged Error explains. */
  "http",
  /** The runtime ended the isolate: exceeded memory, CPU or wall time. One incident, N victims. */
  "death",
  /** Known noise of the platform or the network: shown apart, tells nobody. */
  "noise",
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** One occurrence that stands for many: where to find it, and what it said. */
export interface Exemplar {
  invocationId: string;
  seq: number;
  /** ms since the epoch. */
  time: number;
  type: string;
  /** Original text, cut. */
  message: string;
  /** Raw, as V8 printed it. Left out when this isolate sent one for the same fingerprint and version a minute ago. */
  stack?: string;
  route?: string;
  /** Of the invocation: what tells when it is the fetch that failed. */
  method?: string;
  status?: number;
  outcome?: string;
  /** What else the team's rules looked at (`level`, `entrypoint`, `attributes.<name>`), if the stack waits for its map. */
  used?: Record<string, string>;
}

/** Occurrences of one fingerprint in one version within one group commit. */
export interface IssueDelta {
  /** As the events carry it (`tailrace.fingerprint`). */
  fingerprint: string;
  /**
   * Key of the issue that it joins; the fingerprint itself where every frame is
   * known. For a stack that waits for its source map the fingerprint is of that
   * very stack (so that it can be led to the right issue later), and the group is
   * what its raw frames say.
   */
  group: string;
  /** Keys by older versions of the algorithm: an issue that they have is joined, so that a new version does not regroup the past. */
  aliases: string[];
  algorithm: number;
  kind: ErrorKind;
  /** `network`, `client_left` …; "" for everything but kind `noise`. */
  noise: string;
  /** `TypeError`; for http `5xx`, for deaths the outcome. */
  type: string;
  /** First line of the message, cut. */
  title: string;
  /** `addItem (src/cart.ts)`, or the route where there is no frame. */
  culprit: string;
  /** The version whose source map would tell more; "" when nothing is missing. */
  awaitsMap: string;

  script: string;
  versionId: string;
  versionTag: string;
  versionMessage: string;
  /** Weighted. */
  count: number;
  /** ms since the epoch. */
  firstSeen: number;
  lastSeen: number;
  /** `[minute in seconds since the epoch, weighted count, …]` */
  minutes: number[];
  exemplar: Exemplar;
  /** Distinct values as `hash32` (util/hash.ts) of each, bounded by MAX_DISTINCT_PER_DELTA. */
  distinct: { users: number[]; routes: number[]; colos: number[]; countries: number[] };
  /** Kind `death` only: `[colo, ms, …]` of each victim, bounded. */
  victims?: (string | number)[];
  /** Occurrences of items that came with an id of their own, so may come again: `invocation_id/seq` and weight, minute, in turn. */
  replayable?: (string | number)[];
}

/** A group commit holds some 5,000 events, so fewer failed invocations than twice this: hardly ever is a user left out. */
export const MAX_DISTINCT_PER_DELTA = 2_048;
