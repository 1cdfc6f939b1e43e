/**
 * What rules would have sent in the last hour: before a destination is enabled, so
 * that nobody learns it from a bill. The query engine reads the events (live ones,
 * too), the rules themselves choose. `api/routes/destination-tests.ts` asks.
 */
import { desc, gte } from "drizzle-orm";
import { database, schema } from "../../db/client.ts";
import { noticeItems } from "../../delivery/rules/rules.ts";
import type { Destination } from "../../integrations/contract.ts";
import { type QueryResult, visitEvents } from "../../query/index.ts";
import type { DestinationRules, Notification, NotificationDetail, PreviewAnswer } from "../contract.ts";
import { type Example, PreviewCounts, type PreviewEvent } from "./preview-counts.ts";

const HOUR_MS = 3_600_000;
/** A second or two of work; of more a part is looked at, and the counts are scaled. */
const MAX_EVENTS = 300_000;
/** In an hour: each is an issue or a step of a rollout. */
const MAX_NOTICES = 1_000;
const MAX_TEXT_CHARS = 200;

const FIELDS = [
  ...["time", "kind", "script", "invocation_id", "seq", "version_id", "version_tag"],
  ...["outcome", "status", "level", "name", "fingerprint", "stack"],
] as const;

export async function previewRules(
  env: Pick<Env, "DB" | "BUCKET" | "INGESTER">,
  { takes }: Pick<Destination, "takes">,
  rules: DestinationRules,
  { now = Date.now(), signal }: { now?: number; signal?: AbortSignal } = {},
): Promise<QueryResult<PreviewAnswer>> {
  const [from, to] = [now - HOUR_MS, now];
  const counts = new PreviewCounts(takes, rules);
  const range = { from: from * 1_000, to: to * 1_000 };
  const takesEvents = takes.some((feed) => feed !== "notices");
  const visit = { range, fields: FIELDS, maxEvents: MAX_EVENTS };
  const read = takesEvents
    ? await visitEvents(env, visit, (values) => counts.add(eventOf(values)), { now, signal })
    : { ok: true as const, answer: { fraction: 1, missing: [] } };
  if (!read.ok) return read;
  const notices = takes.includes("notices") ? await noticesSince(env.DB, from) : [];
  for (const notice of notices) counts.addNotice(notice, outcomeOf(notice, rules));
  const { feeds, byWorker, examples } = counts.finish(read.answer.fraction);
  const texts = await textsOf(env, examples, range, { now, signal });
  const shown = examples.flatMap((example) => {
    const { time, script, feed } = example;
    const notice = feed === "notices" ? notices.find(({ id }) => id === example.seq) : undefined;
    const text = notice === undefined ? texts.get(keyOf(example.invocation, example.seq)) : titleOf(notice);
    return text === undefined ? [] : [{ at: Math.floor(time / 1_000), script, feed, text }];
  });
  const exact = read.answer.fraction === 1 && read.answer.missing.length === 0;
  return { ok: true, answer: { ...{ from, to, feeds, byWorker }, examples: shown, exact } };
}

function eventOf(values: readonly (string | number | boolean | null)[]): PreviewEvent {
  const event: Record<string, unknown> = {};
  for (let i = 0; i < FIELDS.length; i++) {
    const value = values[i];
    if (value !== null) event[FIELDS[i] as string] = value;
  }
  return event as unknown as PreviewEvent;
}

function outcomeOf(notice: Notification, rules: DestinationRules): "sent" | "sampled" | "notChosen" {
  const { items, dropped } = noticeItems([notice], rules, "preview");
  return items.length > 0 ? "sent" : dropped.sampled > 0 ? "sampled" : "notChosen";
}

async function noticesSince(db: D1Database, from: number): Promise<Notification[]> {
  const { notifications } = schema;
  const recent = gte(notifications.at, from);
  const newest = desc(notifications.id);
  const rows = await database(db).select().from(notifications).where(recent).orderBy(newest).limit(MAX_NOTICES);
  return rows.map(({ id, at, kind, issueId, script, detail }) => ({
    ...{ id, at, issueId, script },
    kind: kind as Notification["kind"],
    detail: JSON.parse(detail) as NotificationDetail,
  }));
}

const titleOf = ({ kind, detail }: Notification) => `${kind}: ${detail.title || detail.type}`.slice(0, MAX_TEXT_CHARS);
const keyOf = (invocation: string, seq: number) => `${invocation} ${seq}`;

/** First lines of the few that are shown: whole texts of an hour are not read for them. */
async function textsOf(
  env: Pick<Env, "DB" | "BUCKET" | "INGESTER">,
  examples: readonly Example[],
  within: { from: number; to: number },
  options: { now: number; signal: AbortSignal | undefined },
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const events = examples.filter(({ feed }) => feed !== "notices");
  if (events.length === 0) return texts;
  const invocations = new Set(events.map(({ invocation }) => invocation));
  const times = events.map(({ time }) => time);
  const range = { from: Math.max(within.from, Math.min(...times)), to: Math.max(...times) + 1 };
  const fields = ["invocation_id", "seq", "kind", "name", "message", "status", "outcome"];
  const note = ([invocation, seq, ...rest]: readonly unknown[]) => {
    texts.set(keyOf(String(invocation), Number(seq)), firstLine(rest));
  };
  await visitEvents(env, { range, fields, maxEvents: MAX_EVENTS, invocations }, note, options);
  return texts;
}

function firstLine([kind, name, message, status, outcome]: readonly unknown[]): string {
  const said = typeof message === "string" ? message : "";
  const named = typeof name === "string" ? name : "";
  const isNamed = kind === "exception" && named !== "" && !said.startsWith(named);
  const text = isNamed ? `${named}: ${said}` : said || named || String(kind);
  const ended = kind === "invocation" ? ` (${[status, outcome].filter((part) => part !== null).join(", ")})` : "";
  return ((text.split("\n", 1)[0] ?? "") + ended).slice(0, MAX_TEXT_CHARS);
}
