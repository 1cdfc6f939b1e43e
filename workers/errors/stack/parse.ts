/** V8's stack text → frames. */
import type { ErrorTrace } from "../trace.ts";

/** What the caller knows of the error beside its text: the runtime gives stacks without a first line. */
export interface KnownError {
  type?: string | undefined;
  message?: string | undefined;
}

export function parseStack(_text: string | undefined, known: KnownError = {}): ErrorTrace {
  const { type = null, message = null } = known;
  return { type, message, frames: [], omitted: 0, cause: null, errors: [] };
}
