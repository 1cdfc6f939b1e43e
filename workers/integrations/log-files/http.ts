/** A batch → requests of so many lines to an HTTP sink, in order: what comes after a failure waits for it. */
import type { EventItem, Io, Item, SendResult, Values } from "../contract.ts";
import { gzip } from "../sending/gzip.ts";
import { readHeaders } from "../sending/headers.ts";
import { Outcomes, plainAnswer, type Verdict } from "../sending/outcomes.ts";
import { stackTexts } from "../sending/stack-text.ts";
import { type Format, formatOf } from "./format.ts";

export const DEFAULT_BATCH = 500;
export const MAX_BATCH = 1_000;

export async function sendLines(values: Values, items: readonly Item[], io: Io): Promise<SendResult> {
  const outcomes = new Outcomes(items.length);
  const events = items as readonly EventItem[];
  const stacks = await stackTexts(events, io);
  const format = formatOf(values);
  const size = batchSize(values);
  let stopped: Verdict | undefined;
  for (let from = 0; from < events.length; from += size) {
    const chosen = events.slice(from, from + size);
    const indices = chosen.map((_, i) => from + i);
    if (stopped === undefined) {
      outcomes.requested();
      const verdict = await post(values, format, format.write(chosen, stacks), `${chosen[0]?.id}-${chosen.length}`, io);
      outcomes.set(indices, verdict);
      if (verdict.fate === "again") stopped = verdict;
    } else outcomes.set(indices, stopped);
  }
  return outcomes.result();
}

export async function post(
  values: Values,
  format: Format,
  body: Uint8Array<ArrayBuffer>,
  key: string,
  io: Io,
): Promise<Verdict> {
  const given = readHeaders(values.headers ?? "");
  const packed = values.compression === "gzip";
  const answer = await io.request({
    url: (values.url ?? "").trim(),
    headers: {
      ...(given.ok && given.headers),
      "content-type": format.contentType,
      // The same lines have the same key: a sink that knows the header takes them once.
      "idempotency-key": key,
      ...(packed && { "content-encoding": "gzip" }),
    },
    body: packed ? gzip(body) : body,
  });
  // A sink may answer anything else with its 2xx: there is no protocol for it.
  return plainAnswer(answer, io.now(), "a sink says that it took lines");
}

/** Within 1 and MAX_BATCH, whatever was typed. */
export function batchSize(values: Values): number {
  const size = Number(values.batch ?? DEFAULT_BATCH);
  return Number.isInteger(size) && size >= 1 ? Math.min(size, MAX_BATCH) : DEFAULT_BATCH;
}
