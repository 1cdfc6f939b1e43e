/**
 * What a notice says, before it is put in a receiver's words: what happened, where,
 * since which version, how often, and a link. To be read at three in the morning,
 * so the first line says all that decides whether to get up. Pure.
 */
import type { NoticeKind } from "../../api/contract/integrations.ts";
import type { VersionName } from "../../api/contract.ts";
import type { Io, NoticeItem } from "../contract.ts";
import { oneLine } from "./clean.ts";

export type Tone = "bad" | "warning" | "good" | "neutral";

export interface Notice {
  kind: NoticeKind;
  tone: Tone;
  /** `New issue in shop-storefront`: names may be anybody's text. */
  headline: string;
  /** The error, or why the rollout is where it is. One line. */
  title: string;
  /** Label and value, one line each. */
  facts: { label: string; value: string }[];
  /** Of issues. */
  seen: { count: number; since: number } | null;
  at: number;
  /** "" while nobody has opened Tailrace's pages. */
  link: string;
}

const KINDS: Record<NoticeKind, { tone: Tone; says: (script: string) => string }> = {
  "issue.new": { tone: "bad", says: (script) => `New issue in ${script}` },
  "issue.regressed": { tone: "bad", says: (script) => `A resolved issue is back in ${script}` },
  "issue.escalated": { tone: "bad", says: (script) => `An ignored issue needs a look in ${script}` },
  "issue.resolved": { tone: "good", says: (script) => `An issue is resolved in ${script}` },
  "rollout.started": { tone: "neutral", says: (script) => `Rollout of ${script} has begun` },
  "rollout.held": { tone: "warning", says: (script) => `Rollout of ${script} waits` },
  "rollout.promoted": { tone: "good", says: (script) => `Rollout of ${script} is complete` },
  "rollout.rolled_back": { tone: "bad", says: (script) => `Rollout of ${script} was rolled back` },
  "rollout.stopped": { tone: "warning", says: (script) => `Rollout of ${script} was stopped` },
};

/** What a channel is told unless somebody wants more: what people do with issues they see there. */
export const CHAT_KINDS = (Object.keys(KINDS) as NoticeKind[]).filter((kind) => kind !== "issue.resolved");

/** Characters of a version's id that tell it apart. */
const SHORT_ID = 8;

export function describeNotice({ notice, tags }: NoticeItem, io: Pick<Io, "baseUrl">): Notice {
  const { kind, script, detail, at } = notice;
  const worker = oneLine(script);
  const { tone, says } = KINDS[kind];
  const isIssue = kind.startsWith("issue.");
  const facts = [
    { label: "Worker", value: worker },
    { label: "Version", value: versionText(detail.version) },
    { label: "Where", value: isIssue ? oneLine(detail.culprit) : "" },
    ...Object.entries(tags).map(([label, value]) => ({ label: oneLine(label), value: oneLine(value) })),
  ];
  return {
    kind,
    tone,
    headline: says(worker),
    title: isIssue ? errorText(detail.type, detail.title) : oneLine(detail.title),
    facts: facts.filter((fact) => fact.value !== ""),
    seen: isIssue && detail.count !== undefined ? { count: detail.count, since: detail.firstSeen ?? at } : null,
    at,
    link: linkOf(notice, io.baseUrl),
  };
}

export function linkOf(notice: NoticeItem["notice"], baseUrl: string): string {
  if (baseUrl === "") return "";
  const { rolloutId } = notice.detail;
  return rolloutId === undefined
    ? `${baseUrl}/issues/${notice.issueId}`
    : `${baseUrl}/rollouts/${encodeURIComponent(rolloutId)}`;
}

/** `v1.6.0 (1a2b3c4d): new checkout` */
function versionText({ id, tag, message }: VersionName): string {
  const short = id.slice(0, SHORT_ID);
  const name = tag === "" ? short : short === "" ? tag : `${tag} (${short})`;
  return oneLine(message === "" ? name : name === "" ? message : `${name}: ${message}`);
}

/** Some titles begin with their type already. */
function errorText(type: string, title: string): string {
  const clean = oneLine(title);
  return type === "" || clean.startsWith(type) ? clean : oneLine(clean === "" ? type : `${type}: ${clean}`);
}

/** `12 times` */
export const timesText = (count: number): string => (count === 1 ? "once" : `${count.toLocaleString("en")} times`);

/** `21 Nov 10:32 UTC`, where the receiver does not know the reader's clock. */
export function utcText(ms: number): string {
  const date = new Date(ms);
  const month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][
    date.getUTCMonth()
  ];
  return `${date.getUTCDate()} ${month} ${date.toISOString().slice(11, 16)} UTC`;
}
