/**
 * One batch of items → at most two requests, `/v1/logs` and `/v1/traces`, each with
 * its own fate. `preset.ts` says where and how; `delivery/` decides when to try
 * again and halves what was refused.
 */
import type { EventItem, Failure, Io, Item, SendResult } from "../contract.ts";
import { sentences } from "../sending/advice.ts";
import { gzip } from "../sending/gzip.ts";
import { again, Outcomes, type Verdict } from "../sending/outcomes.ts";
import { stackTexts } from "../sending/stack-text.ts";
import { trimmed } from "../sending/trim.ts";
import { encodeLogsJson, encodeTracesJson } from "./json.ts";
import { logRecordOf } from "./logs.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "./protobuf/encode.ts";
import type { Signal } from "./records.ts";
import { groupByResource } from "./resource.ts";
import { verdictOf } from "./response.ts";
import { spanOf } from "./spans.ts";

/** Where a preset sends to, secrets opened. */
export interface Target {
  /** Without `/v1/…`. */
  endpoint: string;
  headers: Record<Signal, Record<string, string>>;
  encoding: "protobuf" | "json";
  compress: boolean;
  environment: string;
  /** Attribute for how many events a kept one stands for. */
  weight: string;
  /** Of a body before compression: receivers bound it there. */
  maxBodyBytes: number;
}

const PAYLOAD_TOO_LARGE = 413;

export async function send(target: Target, items: readonly Item[], io: Io): Promise<SendResult> {
  const outcomes = new Outcomes(items.length);
  const bySignal: Record<Signal, number[]> = { logs: [], traces: [] };
  items.forEach((item, index) => {
    if (item.feed === "notices") throw new Error(`BUG: OTLP takes no notices, was handed ${item.id}`);
    bySignal[item.feed === "traces" ? "traces" : "logs"].push(index);
  });
  const export_ = (signal: Signal) =>
    exportIndices(target, signal, items as readonly EventItem[], bySignal[signal], outcomes, io);
  await Promise.all([export_("logs"), export_("traces")]);
  return outcomes.result();
}

async function exportIndices(
  target: Target,
  signal: Signal,
  all: readonly EventItem[],
  indices: readonly number[],
  outcomes: Outcomes,
  io: Io,
): Promise<void> {
  if (indices.length === 0) return;
  const items = indices.map((index) => all[index] as EventItem);
  const body = await encode(target, signal, items, io);
  if (body.length > target.maxBodyBytes && indices.length > 1) {
    const middle = indices.length >> 1;
    // In turn: two bodies of this size at once would be more memory than one Courier may take.
    await exportIndices(target, signal, all, indices.slice(0, middle), outcomes, io);
    await exportIndices(target, signal, all, indices.slice(middle), outcomes, io);
    return;
  }
  outcomes.requested();
  const verdict = await post(target, signal, body, io);
  outcomes.set(
    indices,
    isTooLarge(verdict) && items.length === 1 ? await sendTrimmed(target, signal, items, outcomes, io) : verdict,
  );
}

const isTooLarge = (verdict: Verdict): boolean =>
  verdict.fate === "refused" && verdict.failure.status === PAYLOAD_TOO_LARGE;

/** A single record that is too large: what is left of it is better than a dead letter. */
async function sendTrimmed(target: Target, signal: Signal, items: readonly EventItem[], outcomes: Outcomes, io: Io) {
  outcomes.requested();
  return post(target, signal, await encode(target, signal, items.map(trimmed), io), io);
}

export async function encode(
  target: Pick<Target, "encoding" | "environment" | "weight">,
  signal: Signal,
  items: readonly EventItem[],
  io: Pick<Io, "trace">,
): Promise<Uint8Array<ArrayBuffer>> {
  const stacks = await stackTexts(items, io);
  const json = target.encoding === "json";
  if (signal === "logs") {
    const groups = groupByResource(items, target, (item) => logRecordOf(item, stacks, target));
    return json ? encodeLogsJson(groups) : encodeLogsProtobuf(groups);
  }
  const groups = groupByResource(items, target, (item) => spanOf(item, stacks, target));
  return json ? encodeTracesJson(groups) : encodeTracesProtobuf(groups);
}

export async function post(
  { endpoint, headers, encoding, compress }: Target,
  signal: Signal,
  body: Uint8Array<ArrayBuffer>,
  io: Io,
): Promise<Verdict> {
  const url = signalUrl(endpoint, signal);
  const answer = await io.request({
    url,
    headers: {
      ...headers[signal],
      "content-type": encoding === "json" ? "application/json" : "application/x-protobuf",
      ...(compress && { "content-encoding": "gzip" }),
    },
    body: compress ? gzip(body) : body,
  });
  const verdict = verdictOf(answer, io.now());
  if (verdict.fate === "delivered" || verdict.failure.kind !== "misplaced") return verdict;
  return again(placed(verdict.failure, signal, url));
}

const FEEDS_OF: Readonly<Record<Signal, string>> = { logs: "errors and logs", traces: "traces" };

/** Some receivers take one signal alone. Two paths fail for themselves, so it is said which. */
function placed(failure: Failure, signal: Signal, url: string): Failure {
  const advice = `That is ${new URL(url).pathname}: look at the address, or leave ${FEEDS_OF[signal]} out of what is sent.`;
  return { ...failure, message: sentences(failure.message, advice), advised: true };
}

/** What somebody pasted may end with a slash, or name a signal already. */
export function signalUrl(endpoint: string, signal: Signal): string {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/+$/, "").replace(/\/v1\/(logs|traces|metrics)$/, "")}/v1/${signal}`;
  url.hash = "";
  return url.href;
}
