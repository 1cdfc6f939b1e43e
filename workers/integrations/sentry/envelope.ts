/**
 * Items → the bytes of an envelope: a line of headers, then each item's line of
 * headers and its payload. One event in each, as Sentry takes them, or one
 * container of logs. `deliver.ts` posts them. Pure but for what is looked up.
 * https://develop.sentry.dev/sdk/foundations/envelopes/
 */
import type { TailraceEvent } from "../../event/event.ts";
import type { Io } from "../contract.ts";
import type { ResolvedTrace } from "../frames.ts";
import { eventOf, isError, type LookedUp, saidOf } from "./event.ts";
import { BUDGETS, type Budget, MAX_CONTAINER_BYTES, MAX_EVENT_BYTES, MAX_LOGS_PER_CONTAINER } from "./limits.ts";
import { SDK } from "./sdk.ts";
import type { Subject } from "./subject.ts";
import { toJson } from "./text.ts";
import { transactionPayload } from "./transaction.ts";

/** What rate limits are spoken of in. */
export type Category = "error" | "transaction" | "log_item";

export interface Envelope {
  category: Category;
  bytes: Uint8Array<ArrayBuffer>;
  /** The event's, which the answer repeats; "" for logs. */
  eventId: string;
  /** Which budget it was made with. */
  level: number;
}

const encoder = new TextEncoder();

/** Never rejects: what cannot be looked up is left out. */
export async function lookUp({ event }: Subject, io: Io): Promise<LookedUp> {
  const { baseUrl } = io;
  const wantsIssue = event.fingerprint !== undefined && baseUrl !== "";
  const [trace, issue] = await Promise.all([
    isError(event) ? traceOf(event, io) : undefined,
    wantsIssue ? io.issueOf(event.fingerprint as string).catch(() => null) : null,
  ]);
  return { trace, issue, baseUrl };
}

function traceOf(event: TailraceEvent, io: Io): Promise<ResolvedTrace> {
  const said = saidOf(event);
  return io.trace(event.script, event.version_id ?? "", event.stack ?? "", said).catch(() => ({
    type: said.type ?? "Error",
    message: said.message ?? event.message ?? "",
    frames: [],
    omitted: 0,
    cause: null,
    errors: [],
  }));
}

/** An event within the limits, told in as much detail as fits; `from`: the first budget to try. */
export function eventEnvelope(subject: Subject, known: LookedUp, now: number, from: number): Envelope {
  return fitted("error", subject, now, from, (budget) => eventOf(subject, known, budget));
}

export function transactionEnvelope(subject: Subject, baseUrl: string, now: number, from: number): Envelope {
  return fitted("transaction", subject, now, from, (budget) => transactionPayload(subject, baseUrl, budget));
}

function fitted(
  category: "error" | "transaction",
  subject: Subject,
  now: number,
  from: number,
  make: (budget: Budget) => { transaction?: string },
): Envelope {
  for (let level = from; ; level++) {
    const payload = make(BUDGETS[level] as Budget);
    const bytes = encoder.encode(toJson(payload));
    if (bytes.length > MAX_EVENT_BYTES && level < BUDGETS.length - 1) continue;
    const header = {
      event_id: subject.eventId,
      sent_at: isoTime(now),
      sdk: NAME,
      trace: samplingContext(subject, payload.transaction),
    };
    const type = category === "error" ? "event" : "transaction";
    const head = `${toJson(header)}\n{"type":"${type}","content_type":"application/json","length":${bytes.length}}\n`;
    return { category, bytes: join([encoder.encode(head), bytes, NEWLINE]), eventId: subject.eventId, level };
  }
}

/** What Sentry's own sampling goes by. https://develop.sentry.dev/sdk/foundations/trace-propagation/dynamic-sampling-context/ */
function samplingContext(subject: Subject, transaction: string | undefined): Record<string, string> {
  const { settings, release, event, traceId } = subject;
  return {
    trace_id: traceId,
    public_key: settings.dsn.publicKey,
    environment: settings.environment,
    ...(release === undefined ? {} : { release }),
    ...(transaction === undefined ? {} : { transaction }),
    ...(event.sample_weight >= 1 && Number.isFinite(event.sample_weight)
      ? { sampled: "true", sample_rate: String(1 / event.sample_weight) }
      : {}),
  };
}

/** Logs that go together: how many of them from `start` on fit one container. */
export function fitting(logs: readonly { json: string }[], start: number): number {
  let bytes = 0;
  let count = 0;
  while (start + count < logs.length && count < MAX_LOGS_PER_CONTAINER) {
    bytes += Buffer.byteLength((logs[start + count] as { json: string }).json) + 1;
    if (count > 0 && bytes > MAX_CONTAINER_BYTES) break;
    count++;
  }
  return count;
}

export function logEnvelope(logs: readonly { json: string }[], now: number): Envelope {
  const bytes = encoder.encode(`{"items":[${logs.map(({ json }) => json).join(",")}]}`);
  const item = {
    type: "log",
    item_count: logs.length,
    content_type: "application/vnd.sentry.items.log+json",
    length: bytes.length,
  };
  const head = encoder.encode(`${toJson({ sent_at: isoTime(now), sdk: NAME })}\n${toJson(item)}\n`);
  return { category: "log_item", bytes: join([head, bytes, NEWLINE]), eventId: "", level: 0 };
}

const NAME = { name: SDK.name, version: SDK.version };
const NEWLINE = encoder.encode("\n");
const isoTime = (ms: number) => new Date(ms).toISOString();

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
