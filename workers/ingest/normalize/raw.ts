/**
 * An item that cannot be read → one event of kind `raw`, with what can be told
 * of it as JSON: telemetry of a shape that nobody expected is kept, not dropped.
 * `normalize.ts` hands in.
 */
import type { TailraceEvent } from "../../event/event.ts";
import { clip, MAX_RAW_CHARS, UNKNOWN_SCRIPT } from "../limits.ts";
import type { Redactor } from "../redact/redact.ts";
import { newInvocationId } from "./invocation-id.ts";
import { isFields, scriptName, toMicroseconds } from "./item.ts";
import { jsonOf } from "./json.ts";

/** `given`: the script of items that do not say theirs. */
export function rawEvent(
  item: unknown,
  reason: string,
  nowMs: number,
  given: string | undefined,
  redactor: Redactor,
): TailraceEvent {
  const script = (isFields(item) ? scriptName(safely(() => item.scriptName)) : undefined) ?? given;
  return {
    time: toMicroseconds(nowMs),
    kind: "raw",
    script: script ?? UNKNOWN_SCRIPT,
    invocation_id: newInvocationId(nowMs),
    seq: 0,
    sample_weight: 1,
    level: "warn",
    message: `unreadable trace item: ${reason}`,
    attributes: { "tailrace.raw": rawText(item, redactor) },
  };
}

function rawText(item: unknown, redactor: Redactor): string {
  return safely(() => redactor.text(clip(jsonOf(item, redactor), MAX_RAW_CHARS))) ?? "[could not be written as JSON]";
}

/** Getters of a broken item may throw. */
function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
