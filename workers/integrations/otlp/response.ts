/**
 * What a receiver's answer means (OTLP/HTTP: opentelemetry.io/docs/specs/otlp).
 *   2xx      taken; `partial_success` counts what was thrown away, without naming it
 *   429, 502, 503, 504  try again, and honour Retry-After
 *   other 5xx  the specification says that these are not to be tried again. They are,
 *            within bounds: receivers that are down answer 500 as well, and `delivery/`
 *            finds a single record that a receiver stumbles over by itself
 *   400 …    never will be taken like this
 * A key that is refused and an address where nobody takes it are for a person to
 * mend, so that their items wait. A web page with a 2xx is a proxy's or a log-in's:
 * it is not believed. Anything else is, for receivers answer in many ways.
 */
import type { Failure, OutgoingAnswer } from "../contract.ts";
import { again, delivered, failureOf, isWebPage, lying, refused, type Verdict } from "../sending/outcomes.ts";
import { short } from "../sending/said.ts";
import { readFields, readText } from "./protobuf/reader.ts";

type Answer = Extract<OutgoingAnswer, { ok: true }>;

const AGAIN: ReadonlySet<Failure["kind"]> = new Set(["rate_limited", "unavailable", "unauthorized", "misplaced"]);

export function verdictOf(answer: OutgoingAnswer, nowMs: number): Verdict {
  if (!answer.ok) return again(answer.failure);
  if (answer.status >= 200 && answer.status < 300) return readSuccess(answer);
  const failure = failureOf(answer, nowMs, statusMessage(answer));
  return AGAIN.has(failure.kind) ? again(failure) : refused(failure);
}

function readSuccess(answer: Answer): Verdict {
  if (isWebPage(answer)) return again(lying(answer, "an OTLP receiver says what it took"));
  const partial = isProtobuf(answer) ? readPartialProtobuf(answer.bytes) : readPartialJson(answer.text);
  if (partial === undefined || partial.rejected === 0) return delivered;
  return { fate: "delivered", rejected: { count: partial.rejected, message: short(partial.message) } };
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

function readPartialProtobuf(bytes: Uint8Array): Partial | undefined {
  const fields = readFields(bytes);
  const partial = fields?.findLast(({ number }) => number === 1);
  const inner = partial && readFields(partial.bytes);
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
  if (!isObject(partial)) return undefined;
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
