/** How a notification is worded, where it leads, and whether it is bad news. Pure. */
import type { Notification } from "../../../workers/api/contract.ts";

const WORDS: Record<Notification["kind"], string> = {
  "issue.new": "New issue",
  "issue.regressed": "Regression",
  "issue.escalated": "No longer ignored",
  "rollout.started": "Rollout started",
  "rollout.held": "Rollout waits",
  "rollout.promoted": "Rollout done",
  "rollout.rolled_back": "Taken back",
  "rollout.stopped": "Rollout stopped",
};

const BAD: readonly Notification["kind"][] = ["issue.regressed", "rollout.rolled_back"];

export const isRolloutNotice = (n: Pick<Notification, "kind">): boolean => n.kind.startsWith("rollout.");

/** A kind of a later version still says what it is about. */
export const noticeWord = (n: Notification): string => WORDS[n.kind] ?? (isRolloutNotice(n) ? "Rollout" : "Issue");

export const isBadNews = (n: Notification): boolean => BAD.includes(n.kind);

export function noticeHref(n: Notification): string {
  if (!isRolloutNotice(n)) return `/issues/${n.issueId}`;
  const { rolloutId } = n.detail;
  return rolloutId === undefined ? "/rollouts" : `/rollouts/${encodeURIComponent(rolloutId)}`;
}

/** One sentence for a toast. */
export function noticeText(n: Notification): string {
  const name = [n.detail.type, n.detail.title].filter((part) => part !== "").join(": ");
  return `${noticeWord(n)}${isRolloutNotice(n) ? ":" : " in"} ${n.script}${name === "" ? "" : isRolloutNotice(n) ? `. ${name}` : `: ${name}`}`;
}

/** Many at once are one message: what they are about, and the list that has them. */
export function summaryOf(list: readonly Notification[]): { text: string; href: string } {
  const rollouts = list.filter(isRolloutNotice).length;
  if (rollouts === list.length) return { text: `${list.length} messages of rollouts`, href: "/rollouts" };
  if (rollouts === 0) return { text: `${list.length} new issues or regressions`, href: "/issues" };
  return { text: `${list.length} new issues, regressions and messages of rollouts`, href: "/issues" };
}
