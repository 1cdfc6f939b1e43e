/** The words of integrations: conditions, feeds, kinds of notices, what was dropped and why, and which Workers a rule means. Pure. */
import type {
  CatalogEntry,
  Connection,
  DestinationHealth,
  DestinationRules,
  Feed,
  NoticeKind,
  ResourceRow,
  SampleRule,
} from "../../../workers/api/contract.ts";
import { percent } from "./format.ts";

export type Tone = "bad" | "warn" | "good" | "";
export type Condition = DestinationHealth["condition"];

export const CONDITION_LABELS: Record<Condition, string> = {
  ok: "Delivering",
  idle: "Idle",
  behind: "Catching up",
  waiting: "Trying again",
  failing: "Failing",
  attention: "Needs you",
  paused: "Paused",
  standby: "Standby",
};

export const CONDITION_TONES: Record<Condition, Tone> = {
  ok: "good",
  idle: "",
  behind: "warn",
  waiting: "warn",
  failing: "bad",
  attention: "bad",
  paused: "",
  standby: "",
};

/** What is in trouble comes first. */
const CONDITION_ORDER: Condition[] = ["attention", "failing", "waiting", "behind", "ok", "idle", "standby", "paused"];
export const byTrouble = (a: { health: DestinationHealth; name: string }, b: typeof a): number =>
  CONDITION_ORDER.indexOf(a.health.condition) - CONDITION_ORDER.indexOf(b.health.condition) ||
  a.name.localeCompare(b.name);

export const FEED_LABELS: Record<Feed, string> = {
  errors: "Errors",
  logs: "Logs",
  traces: "Traces",
  notices: "Notices",
};
export const FEED_NOTES: Record<Feed, string> = {
  errors: "exceptions, and invocations that failed without one",
  logs: "console calls",
  traces: "invocations and their spans",
  notices: "new issues, regressions, rollouts",
};

export const NOTICE_LABELS: Record<NoticeKind, string> = {
  "issue.new": "New issue",
  "issue.regressed": "Issue is back",
  "issue.escalated": "Issue grows",
  "issue.resolved": "Issue resolved",
  "rollout.started": "Rollout began",
  "rollout.held": "Rollout waits",
  "rollout.promoted": "Rollout succeeded",
  "rollout.rolled_back": "Rollout taken back",
  "rollout.stopped": "Rollout stopped",
};
export const NOTICE_KINDS = Object.keys(NOTICE_LABELS) as NoticeKind[];

export const LEVELS: DestinationRules["minLevel"][] = ["debug", "info", "warn", "error"];

/** `Errors, logs and traces`. */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

export function feedsText(feeds: readonly Feed[]): string {
  const text = listed(feeds.map((f) => FEED_LABELS[f].toLowerCase()));
  return text === "" ? "nothing" : text.charAt(0).toUpperCase() + text.slice(1);
}

/** What went wrong, with the status where the words do not hold it already. */
export function failureText({ message, status }: { message: string; status: number }): string {
  return status > 0 && !message.includes(String(status)) ? `status ${status}: ${message}` : message;
}

/** How writing a resource's secrets went: each Worker may have gone its own way. */
export function writtenText(
  did: string,
  { name, workers }: Pick<ResourceRow, "name" | "workers">,
): { text: string; tone: "bad" | "" } {
  const failed = workers.filter((w) => w.error !== null).map((w) => w.script);
  return failed.length === 0
    ? { text: `${did}: ${name}`, tone: "" }
    : { text: `${did}: ${name}, but not in ${listed(failed)}`, tone: "bad" };
}

const MINUTE_MS = 60_000;
const MINUTES = 60;
type Minute = DestinationHealth["minutes"][number];

/** The last hour minute by minute, those in which nothing happened included, oldest first. */
export function lastHour({ asOf, minutes }: Pick<DestinationHealth, "asOf" | "minutes">): Minute[] {
  const minuteOf = (t: number) => Math.floor(t / MINUTE_MS) * MINUTE_MS;
  const known = new Map(minutes.map((m) => [minuteOf(m.at), m]));
  const last = minuteOf(asOf);
  return Array.from({ length: MINUTES }, (_, i) => {
    const at = last - (MINUTES - 1 - i) * MINUTE_MS;
    return { delivered: 0, failed: 0, p50: null, ...known.get(at), at };
  });
}

export const dropped = ({ droppedByRule }: DestinationHealth): number => droppedByRule.sampled + droppedByRule.ceiling;

/** `*` stands for any characters, the rest for itself. */
export function matches(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === name;
  if (!name.startsWith(first)) return false;
  const last = rest.pop() ?? "";
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

export type WorkerRules = Pick<DestinationRules, "workers" | "exceptWorkers">;

export const wants = ({ workers, exceptWorkers }: WorkerRules, script: string): boolean =>
  (workers.length === 0 || workers.some((p) => matches(p, script))) && !exceptWorkers.some((p) => matches(p, script));

export function workersText({ workers, exceptWorkers }: WorkerRules): string {
  const all = workers.length === 0 ? "All Workers" : listed(workers);
  return exceptWorkers.length === 0 ? all : `${all}, except ${listed(exceptWorkers)}`;
}

function condition(rule: SampleRule): string {
  const parts = [
    rule.feed === undefined ? "" : FEED_LABELS[rule.feed].toLowerCase(),
    rule.status === undefined ? "" : `status ${rule.status}`,
    rule.outcome === undefined ? "" : `outcome ${rule.outcome}`,
    rule.exception === undefined ? "" : `exception ${rule.exception}`,
  ].filter((p) => p !== "");
  return parts.length === 0 ? "everything" : parts.join(", ");
}

export function samplingText({ sampling, otherwise }: Pick<DestinationRules, "sampling" | "otherwise">): string[] {
  const lines = sampling.map((rule) => `${percent(rule.rate)} of ${condition(rule)}`);
  if (otherwise < 1 || sampling.length > 0)
    lines.push(`${percent(otherwise)} of ${sampling.length > 0 ? "the rest" : "everything"}`);
  return lines;
}

/** What stands on the button beside a Worker, and why it may not be pressed. */
export type ConnectionState = "self" | "verified" | "waiting" | "off";

export function connectionState(c: Connection): ConnectionState {
  if (c.self) return "self";
  if (!c.connected) return "off";
  return c.verified ? "verified" : "waiting";
}

/** Finds by name, category, summary and what it takes; every word must be there. */
export function finds(entry: CatalogEntry, search: string): boolean {
  const text = `${entry.name} ${entry.id} ${entry.category} ${entry.summary} ${entry.takes.join(" ")}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** A name that no other has: `Sentry`, `Sentry 2`. */
export function freeName(name: string, taken: readonly string[]): string {
  const used = new Set(taken);
  for (let n = 1; ; n++) {
    const tried = n === 1 ? name : `${name} ${n}`;
    if (!used.has(tried)) return tried;
  }
}
