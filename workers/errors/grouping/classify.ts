/**
 * Which kind of error an event is, if it is one at all. `ingest/` asks for every
 * event that may be an occurrence: exceptions first, then console calls, then the
 * invocation itself, which counts only if nothing else explains it.
 */
import type { ErrorKind } from "../delta.ts";
import { deathOf, isDeath, noiseOf, noiseOfOutcome } from "./noise.ts";

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
export function classify(event: Candidate): Classified | null {
  if (event.source === "exception") return ofError(event, isRejection(event) ? "rejection" : "exception");
  return event.source === "log" ? ofLog(event) : ofInvocation(event);
}

/**
 * A trace item does not say what threw. But an exception of the handler leaves no
 * answer, and the outcome says so; one of `waitUntil`, or of a body that was being
 * streamed, comes when the answer has left. Handlers of WebSocket messages have
 * outcome `ok` even if they throw (test/fixtures/trace-items).
 */
function isRejection({ eventType, outcome, status }: Candidate): boolean {
  if (eventType === "websocket") return false;
  // The platform's own 500 may stand for the answer that the handler did not give.
  if (status !== undefined && status >= 500 && outcome !== "ok") return false;
  return status !== undefined || outcome === "ok";
}

function ofError(event: Candidate, kind: ErrorKind): Classified {
  const type = event.type || "Error";
  const death = deathOf(event.message ?? "");
  if (death !== null) return { kind: "death", noise: "", type: death };
  const noise = noiseOf(event);
  return noise === "" ? { kind, noise, type } : { kind: "noise", noise, type };
}

function ofLog(event: Candidate): Classified | null {
  // Who logs an Error for debugging expects it.
  if (event.hasError) return event.level === "debug" ? null : ofError(event, "log");
  if (event.level !== "error" || !event.message) return null;
  return { kind: "message", noise: "", type: "console.error" };
}

function ofInvocation({ outcome, status, explained }: Candidate): Classified | null {
  if (explained) return null;
  if (outcome !== undefined && isDeath(outcome)) return { kind: "death", noise: "", type: outcome };
  const noise = noiseOfOutcome(outcome);
  if (noise !== "") return { kind: "noise", noise, type: outcome as string };
  if (status !== undefined && status >= 500) return { kind: "http", noise: "", type: "5xx" };
  // It threw, but what it threw did not arrive.
  return outcome === "exception" ? { kind: "exception", noise: "", type: "exception" } : null;
}
