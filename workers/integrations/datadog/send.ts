/**
 * One batch to Datadog: errors, logs and traces as log entries (a request for each
 * body), notices as events (a request for each). 202 says that it was accepted; the
 * intake does not say of a part of a request what became of it.
 */
import type { EventItem, Io, Item, NoticeItem, OutgoingAnswer, SendResult, Values } from "../contract.ts";
import { gzip } from "../sending/gzip.ts";
import { Outcomes, plainAnswer, type Verdict } from "../sending/outcomes.ts";
import { stackTexts } from "../sending/stack-text.ts";
import { trimmed } from "../sending/trim.ts";
import { bodiesOf } from "./batches.ts";
import { eventOf } from "./event.ts";
import { type LogOptions, logOf } from "./log.ts";
import { eventsUrl, logsUrl } from "./sites.ts";

const PAYLOAD_TOO_LARGE = 413;

export async function send(values: Values, items: readonly Item[], io: Io): Promise<SendResult> {
  const outcomes = new Outcomes(items.length);
  const logs: number[] = [];
  const notices: number[] = [];
  for (const [index, item] of items.entries()) (item.feed === "notices" ? notices : logs).push(index);
  await sendLogs(values, items as readonly EventItem[], logs, outcomes, io);
  await sendNotices(values, items as readonly NoticeItem[], notices, outcomes, io);
  return outcomes.result();
}

export const optionsOf = (values: Values): LogOptions => ({
  environment: values.environment ?? "",
  service: (values.service ?? "").trim(),
});

async function sendLogs(values: Values, items: readonly EventItem[], indices: number[], outcomes: Outcomes, io: Io) {
  if (indices.length === 0) return;
  const options = optionsOf(values);
  const stacks = await stackTexts(
    indices.map((index) => items[index] as EventItem),
    io,
  );
  const entryOf = (item: EventItem) => logOf(item, stacks, options);
  for (const { indices: of, bytes } of bodiesOf(items, indices, entryOf)) {
    outcomes.requested();
    let verdict = await postLogs(values, bytes, io);
    if (verdict.fate === "refused" && verdict.failure.status === PAYLOAD_TOO_LARGE && of.length === 1) {
      outcomes.requested();
      const small = trimmed(items[of[0] as number] as EventItem);
      verdict = await postLogs(
        values,
        new TextEncoder().encode(JSON.stringify([logOf(small, new Map(), options)])),
        io,
      );
    }
    outcomes.set(of, verdict);
  }
}

export async function postLogs(values: Values, bytes: Uint8Array, io: Io): Promise<Verdict> {
  const answer = await io.request({
    url: logsUrl(values),
    headers: { "dd-api-key": keyOf(values), "content-type": "application/json", "content-encoding": "gzip" },
    body: gzip(bytes),
  });
  return verdictOf(answer, io);
}

async function sendNotices(
  values: Values,
  items: readonly NoticeItem[],
  indices: number[],
  outcomes: Outcomes,
  io: Io,
) {
  let stopped: Verdict | undefined;
  for (const index of indices) {
    // What came first is shown first, so nothing overtakes what must wait.
    if (stopped === undefined) {
      outcomes.requested();
      const verdict = await postEvent(values, eventOf(items[index] as NoticeItem, optionsOf(values), io), io);
      outcomes.set([index], verdict);
      if (verdict.fate === "again") stopped = verdict;
    } else outcomes.set([index], stopped);
  }
}

export async function postEvent(values: Values, event: object, io: Io): Promise<Verdict> {
  const answer = await io.request({
    url: eventsUrl(values),
    headers: { "dd-api-key": keyOf(values), "content-type": "application/json" },
    body: JSON.stringify(event),
  });
  return verdictOf(answer, io);
}

const keyOf = (values: Values): string => (values.key ?? "").trim();

const verdictOf = (answer: OutgoingAnswer, io: Io): Verdict =>
  plainAnswer(answer, io.now(), "Datadog says that it accepted something");
