/** A stack frame as integrations need it: mapped to the source where there is a map. */
export interface ResolvedFrame {
  function: string;
  /** As people call it: `src/checkout.ts`; where there is no map, the bundle's file. */
  file: string;
  /** 1-based; 0 when unknown. */
  line: number;
  column: number;
  /** Of the team's own code, as grouping sees it. */
  inApp: boolean;
  mapped: boolean;
  /** Lines of source: before, at, and after the frame; empty when the map carries no source. */
  pre: readonly string[];
  at: string;
  post: readonly string[];
}

/** An error as integrations need it, with what it came from. */
export interface ResolvedTrace {
  /** "" when the stack does not say. */
  type: string;
  message: string;
  frames: readonly ResolvedFrame[];
  /** Frames left out because there were too many. */
  omitted: number;
  cause: ResolvedTrace | null;
  /** Parts of an AggregateError. */
  errors: readonly ResolvedTrace[];
}
