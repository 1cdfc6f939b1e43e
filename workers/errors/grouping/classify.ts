/** Which kind of error an event is. */
import type { ErrorKind } from "../delta.ts";

/** An event that may be an occurrence, with what its invocation says. */
export interface Candidate {
  /** Kind of the event. */
  source: "exception" | "log" | "invocation";
  /** Error's name. */
  type?: string | undefined;
  /** Error's message, or the logged text. */
  message?: string | undefined;
  /** Logs: has an Error (name or stack). */
  hasError?: boolean | undefined;
  level?: string | undefined;
  eventType?: string | undefined;
  outcome?: string | undefined;
  status?: number | undefined;
  /** Invocations: an exception or a logged Error of the same invocation is an occurrence already. */
  explained?: boolean | undefined;
}

export interface Classified {
  kind: ErrorKind;
  /** `network`, `client_left` …; "" unless kind is `noise`. */
  noise: string;
  /** What the issue shows as type. */
  type: string;
}

/** Null: not an occurrence. */
export function classify(_event: Candidate): Classified | null {
  return null;
}
