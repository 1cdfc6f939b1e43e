/**
 * What bounds that which is sent. Sentry takes events of 1 MB and log containers
 * of 100 logs and 1 MB each; self-hosted and compatible receivers may take less,
 * and say so with 413. Lengths are in characters unless said otherwise.
 */

/** Of one event's JSON, bytes: below 1 MB with room for headers. */
export const MAX_EVENT_BYTES = 900_000;
/** Of one container of logs, bytes. */
export const MAX_CONTAINER_BYTES = 900_000;
export const MAX_LOGS_PER_CONTAINER = 100;
/** Of one log, bytes: more is trimmed, so that a container never holds a single one. */
export const MAX_LOG_BYTES = 200_000;
/** Envelopes under way at the same time; Workers may wait for six answers at once. */
export const WIDTH = 6;
/** ms: of a batch nothing more is begun after this; `delivery/` waits for 40 s, and a request may take ten. */
export const TURN_MS = 25_000;
/** Smaller bodies are sent as they are: an event of a few KB takes longer to pack than to send. */
export const GZIP_FROM_BYTES = 16_384;
/** Sentry cuts tags here. */
export const MAX_TAG_KEY = 32;
export const MAX_TAG_VALUE = 200;
/** Tags of our own and of the destination's rules. */
export const MAX_TAGS = 50;
/** Releases, environments and names of transactions are cut by Sentry beyond these. */
export const MAX_RELEASE = 200;
export const MAX_ENVIRONMENT = 64;
export const MAX_TRANSACTION = 200;
/** Names of exceptions' types, functions, contexts' short fields. */
export const MAX_NAME = 256;
/** Nobody is told to wait for longer by a header that says nonsense. */
export const MAX_WAIT_MS = 3_600_000;
/** A 429 that does not say how long. */
export const DEFAULT_WAIT_MS = 60_000;

/** How much of an event is told. A level further is taken when the last one was too large. */
export interface Budget {
  /** In the tag that says what was left out; "" for nothing. */
  name: string;
  /** Message of an exception, body of a message. */
  message: number;
  exceptions: number;
  /** Of each exception: the innermost, and the outermost few. */
  frames: number;
  /** Lines of source: of all frames, of the team's own, of none. */
  context: "all" | "own" | "none";
  line: number;
  breadcrumbs: number;
  breadcrumb: number;
  /** Fields of each breadcrumb. */
  data: number;
  /** Attributes that have no place of their own, headers, spans. */
  attributes: number;
  attribute: number;
}

/** The last one is below 200 KB whatever the event holds; of ordinary ones below 10 KB. */
export const BUDGETS: readonly Budget[] = [
  {
    ...{ name: "", message: 8_192, exceptions: 20, frames: 100, context: "all", line: 256 },
    ...{ breadcrumbs: 100, breadcrumb: 2_048, data: 10, attributes: 100, attribute: 2_048 },
  },
  {
    ...{ name: "lines", message: 4_096, exceptions: 10, frames: 50, context: "own", line: 140 },
    ...{ breadcrumbs: 50, breadcrumb: 500, data: 3, attributes: 50, attribute: 500 },
  },
  {
    ...{ name: "context", message: 2_048, exceptions: 5, frames: 25, context: "none", line: 0 },
    ...{ breadcrumbs: 20, breadcrumb: 200, data: 0, attributes: 20, attribute: 200 },
  },
  {
    ...{ name: "most", message: 512, exceptions: 2, frames: 10, context: "none", line: 0 },
    ...{ breadcrumbs: 0, breadcrumb: 0, data: 0, attributes: 5, attribute: 80 },
  },
];
