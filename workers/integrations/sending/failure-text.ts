/** An invocation that failed without an exception, in words. */
import type { TailraceEvent } from "../../event/event.ts";

export function failureText({ message, outcome, status }: TailraceEvent): string {
  const what = message || "Invocation";
  if (outcome !== undefined && outcome !== "ok" && outcome !== "unknown") return `${what} failed: ${outcome}`;
  return status === undefined ? `${what} failed` : `${what} answered ${status}`;
}
