/**
 * What an error looks like on its way through `errors/`: parsed from V8's text
 * (`stack/`), then with every frame led back to the team's own source
 * (`symbolicate/`). `grouping/` makes fingerprints of it, `api/` shows it.
 * Lines and columns are counted from 1, as V8 prints them.
 */

/** One line of a stack as it was printed. */
export interface Frame {
  /** `Cart.add`, `Object.fetch`, `new Cart`: without `async`, `new` and `[as …]`, which are fields of their own. */
  function: string | null;
  /** `[as add]` */
  alias: string | null;
  /** File, URL or bare name; null for `native`, `<anonymous>` and frames that name none. */
  file: string | null;
  line: number | null;
  column: number | null;
  isAsync: boolean;
  isConstructor: boolean;
  isEval: boolean;
  isNative: boolean;
  isWasm: boolean;
}

/** An error and what it came from. Bounded in depth, width and frames by `stack/limits.ts`. */
export interface ErrorTrace<F = Frame> {
  /** `TypeError`; null when the text does not say. */
  type: string | null;
  message: string | null;
  frames: F[];
  /** Frames left out because there were too many. */
  omitted: number;
  cause: ErrorTrace<F> | null;
  /** Of an AggregateError. */
  errors: ErrorTrace<F>[];
}

export interface SourceContext {
  /** Number of the first line of `lines`. */
  firstLine: number;
  /** Up to five lines on either side of the frame's, cut to a readable width. */
  lines: string[];
}

/** A frame with what a source map says of it. Where no map says anything the fields are the frame's own. */
export interface SourceFrame {
  raw: Frame;
  function: string | null;
  file: string | null;
  line: number | null;
  column: number | null;
  /** The team's own code: not `node_modules`, not on the map's `ignoreList`, not the runtime's. */
  inApp: boolean;
  /** A map of this very version led here. */
  mapped: boolean;
  context?: SourceContext;
}

export type SourceTrace = ErrorTrace<SourceFrame>;
