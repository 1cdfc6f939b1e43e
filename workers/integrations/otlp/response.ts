/**
 * What a receiver's answer means (OTLP/HTTP: opentelemetry.io/docs/specs/otlp).
 *   2xx      taken; `partial_success` counts what was thrown away, without naming it
 *   429, 502, 503, 504  try again, and honour Retry-After: these four and no others
 *   400 …    never will be taken like this
 * A key that is refused and an address where nobody takes it are for a person to
 * mend, so that their items wait. A 2xx with a web page, or with what is no answer
 * of this protocol, is not believed.
 */
import type { Failure, OutgoingAnswer } from "../contract.ts";
import { again, delivered, failureOf, refused, type Verdict } from "../sending/outcomes.ts";
import { looksLikeHtml, short } from "../sending/said.ts";
import { readFields, readText } from "./protobuf/reader.ts";

type Answer = Extract<OutgoingAnswer, { ok: true }>;

const RETRYABLE = new Set([429, 502, 503, 504]);

export function verdictOf(answer: OutgoingAnswer, nowMs: number): Verdict {
  if (!answer.ok) return again(answer.failure);
  if (answer.status >= 200 && answer.status < 300) return readSuccess(answer);
  const failure = failureOf(answer, nowMs, statusMessage(answer));
  if (RETRYABLE.has(answer.status)) return again(failure);
  if (failure.kind === "unauthorized" || failure.kind === "misplaced") return again(failure);
  return refused(failure);
}

function readSuccess(answer: Answer): Verdict {
  if (answer.bytes.length === 0) return delivered;
  if (answer.cut) return lying(answer, "more than such an answer can be");
  const partial = isProtobuf(answer) ? readPartialProtobuf(answer.bytes) : readPartialJson(answer.text);
  if (partial === undefined) return lying(answer, looksLikeHtml(answer.text) ? "a web page" : "something else");
  if (partial.rejected > 0) {
    return { fate: "delivered", rejected: { count: partial.rejected, message: short(partial.message) } };
  }
  return delivered;
}

function lying({ status }: Answer, what: string): Verdict {
  const message = `Status ${status}, but with ${what} where an OTLP receiver says what it took. Is this the address of one?`;
  const failure: Failure = { kind: "lying", message, status };
  return again(failure);
}

/** Some forget the header: JSON begins with a brace, which is no protobuf that this could be. */
function isProtobuf({ headers, bytes }: Answer): boolean {
  const type = headers.get("content-type") ?? "";
  if (/json/i.test(type)) return false;
  return bytes[0] !== 0x7b && !/^text\//i.test(type);
}

interface Partial {
  rejected: number;
  message: string;
}
const ALL: Partial = { rejected: 0, message: "" };

function readPartialProtobuf(bytes: Uint8Array): Partial | undefined {
  const fields = readFields(bytes);
  if (fields === undefined) return undefined;
  const partial = fields.findLast(({ number }) => number === 1);
  if (partial === undefined) return ALL;
  const inner = readFields(partial.bytes);
  if (inner === undefined) return undefined;
  const message = inner.findLast(({ number }) => number === 2)?.bytes;
  const text = message === undefined ? "" : readText(message);
  return text === undefined
    ? undefined
    : { rejected: countOf(inner.findLast(({ number }) => number === 1)?.value), message: text };
}

function readPartialJson(text: string): Partial | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const partial = value.partialSuccess ?? value.partial_success;
  if (!isObject(partial)) return ALL;
  const rejected =
    partial.rejectedLogRecords ?? partial.rejectedSpans ?? partial.rejected_log_records ?? partial.rejected_spans;
  const message = partial.errorMessage ?? partial.error_message;
  return { rejected: countOf(rejected), message: typeof message === "string" ? message : "" };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function countOf(value: unknown): number {
  const count = Number(value ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** Failures come as google.rpc.Status in the request's encoding: its field 2 is the message. */
function statusMessage(answer: Answer): string {
  if (!/protobuf/i.test(answer.headers.get("content-type") ?? "")) return answer.text;
  const field = readFields(answer.bytes)?.findLast(({ number }) => number === 2);
  return (field && readText(field.bytes)) ?? answer.text;
}
