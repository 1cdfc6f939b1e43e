/**
 * Notices → Datadog's events (API v1): what rollouts and issues do stands beside
 * graphs. All of one issue, and all of one rollout, come together by aggregation key.
 * https://docs.datadoghq.com/api/latest/events/#post-an-event
 */
import type { Io, NoticeItem } from "../contract.ts";
import { describeNotice, type Tone, timesText } from "../notices/notice.ts";
import { type LogOptions, tagList } from "./log.ts";

/** Longer ones are refused. */
const MAX_TITLE_CHARS = 100;
const MAX_TEXT_CHARS = 4_000;
const MAX_KEY_CHARS = 100;

const ALERT_TYPES: Record<Tone, string> = { bad: "error", warning: "warning", good: "success", neutral: "info" };

export function eventOf(item: NoticeItem, { environment, service }: LogOptions, io: Pick<Io, "baseUrl">): object {
  const { headline, title, facts, seen, tone, link } = describeNotice(item, io);
  const { notice } = item;
  const lines = [title, "", ...facts.map(({ label, value }) => `**${label}:** ${value}`)];
  if (seen !== null) lines.push(`**Seen:** ${timesText(seen.count)}`);
  if (link !== "") lines.push("", `[Open in Tailrace](${link})`);
  return {
    title: cut(headline, MAX_TITLE_CHARS),
    text: cut(`%%% \n${lines.join("\n")}`, MAX_TEXT_CHARS - 5).concat("\n %%%"),
    date_happened: Math.floor(notice.at / 1_000),
    alert_type: ALERT_TYPES[tone],
    aggregation_key: aggregationKey(item),
    source_type_name: "cloudflare",
    tags: tagList({
      env: environment,
      service: service || notice.script,
      worker: notice.script,
      version: notice.detail.version.tag || notice.detail.version.id,
      notice: notice.kind,
      ...item.tags,
    }),
  };
}

function aggregationKey({ notice }: NoticeItem): string {
  const { rolloutId } = notice.detail;
  const key = rolloutId === undefined ? `issue-${notice.issueId}` : `rollout-${rolloutId}`;
  return cut(`tailrace-${key}`, MAX_KEY_CHARS);
}

const cut = (text: string, chars: number): string => (text.length > chars ? `${text.slice(0, chars - 1)}…` : text);
