/** Which error of a chain counts. */
import type { SourceTrace } from "../trace.ts";

/** The error that says what went wrong: the cause that wrappers wrap. */
export function rootOf(trace: SourceTrace): SourceTrace {
  return trace.cause === null ? trace : rootOf(trace.cause);
}
