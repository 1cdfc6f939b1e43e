/** How a notification is worded, where it leads, and whether it is bad news. Pure. */
import type { Notification } from "../../../workers/api/contract.ts";

const WORDS: Record<Notification["kind"], string> = {
  "issue.new": "New issue",
  "issue.regressed": "Regression",
  "issue.escalated": "No longer ignored",
  "issue.resolved": "Resolved",
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

/** Somebody here did it: it is in the list, and calls nobody. */
export const isQuiet = (n: Notification): boolean => n.kind === "issue.resolved";

export function noticeHref(n: Notification): string {
  if (!isRolloutNotice(n)) return `/issues/${n.issueId}`;
  const { rolloutId } = n.detail;
  return rolloutId === undefined ? "/rollouts" : `/rollouts/${encodeURIComponent(rolloutId)}`;
}

/** What it is about: of an issue its type and title, of a rollout the reason. */
export function noticeParts(n: Notification): { type: string; text: string; culprit: string } {
  const { type, title, culprit } = n.detail;
  return isRolloutNotice(n) ? { type: "", text: title, culprit: "" } : { type, text: title, culprit };
}

/** One sentence for a toast. */
export function noticeText(n: Notification): string {
  const { type, text } = noticeParts(n);
  const said = [type, text].filter((part) => part !== "").join(": ");
  const head = isRolloutNotice(n) ? `${noticeWord(n)}: ${n.script}` : `${noticeWord(n)} in ${n.script}`;
  return said === "" ? head : `${head}${isRolloutNotice(n) ? "." : ":"} ${said}`;
}

/** Many at once are one message: what they are about, and the list that has them. */
export function summaryOf(list: readonly Notification[]): { text: string; href: string } {
  const rollouts = list.filter(isRolloutNotice).length;
  if (rollouts === list.length) return { text: `${list.length} messages of rollouts`, href: "/rollouts" };
  if (rollouts === 0) return { text: `${list.length} new issues or regressions`, href: "/issues" };
  return { text: `${list.length} new issues, regressions and messages of rollouts`, href: "/issues" };
}
