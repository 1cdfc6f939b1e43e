/**
 * Which error of a chain counts. `keys.ts` asks.
 *
 * The root cause says what went wrong; wrappers say what it was in the way of, and
 * there are as many as callers. So the root's type and message count, with the
 * frames of the innermost error that has some of the team's own: what a driver or
 * the runtime throws has none. Measured on the labelled set
 * (docs/decisions/0017-what-a-fingerprint-is-of.md).
 */
import type { SourceFrame, SourceTrace } from "../trace.ts";

export interface Counted {
  /** Whose type and message count. */
  error: SourceTrace;
  /** Whose frames count: the same error, or the wrapper around it. */
  frames: readonly SourceFrame[];
}

/** Deeper chains are cycles, or made up. `stack/limits.ts` bounds what is parsed; others may hand in more. */
const MAX_DEPTH = 16;

export function countedOf(trace: SourceTrace): Counted {
  let error = trace;
  let frames: readonly SourceFrame[] = trace.frames;
  for (let depth = 0; error.cause !== null && depth < MAX_DEPTH; depth++) {
    const { cause } = error;
    // A cause without type and message is not known.
    if (!cause.type && !cause.message) break;
    error = cause;
    if (cause.frames.some((frame) => frame.inApp)) frames = cause.frames;
  }
  return { error, frames };
}
