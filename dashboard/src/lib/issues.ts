/** The words and the filters of issues. Pure. */
import type {
  IssueActivity,
  IssueAnswer,
  IssueKind,
  IssueState,
  IssuesAnswer,
  VersionName,
} from "../../../workers/api/contract.ts";
import { count, full } from "./format.ts";
import { shortId } from "./versions.ts";

export const KIND_LABELS: Record<IssueKind, { short: string; long: string }> = {
  exception: { short: "uncaught", long: "Uncaught exception: the invocation failed of it" },
  rejection: { short: "rejection", long: "Rejected promise that nobody caught" },
  log: { short: "logged", long: "Error that was logged" },
  message: { short: "message", long: "Log message at level error" },
  http: { short: "5xx", long: "Answer of 500 or above without an exception" },
  death: { short: "died", long: "The runtime ended the isolate" },
  noise: { short: "noise", long: "Known noise of the platform or the network" },
};

export const STATE_LABELS: Record<IssueState, string> = {
  unresolved: "Unresolved",
  regressed: "Regressed",
  resolved: "Resolved",
  ignored: "Ignored",
};

const KNOWN_NOISE: Record<string, string> = {
  network: "network connection lost",
  client_left: "client left",
};
export const noiseLabel = (noise: string): string => KNOWN_NOISE[noise] ?? noise.replaceAll("_", " ");

export interface Tab {
  id: string;
  label: string;
  count: (answer: Pick<IssuesAnswer, "states" | "noise">) => number;
}

const state = (s: IssueState) => (a: Pick<IssuesAnswer, "states">) => a.states[s];

export const TABS: Tab[] = [
  { id: "open", label: "Open", count: (a) => a.states.unresolved + a.states.regressed },
  { id: "unresolved", label: "Unresolved", count: state("unresolved") },
  { id: "regressed", label: "Regressed", count: state("regressed") },
  { id: "ignored", label: "Ignored", count: state("ignored") },
  { id: "resolved", label: "Resolved", count: state("resolved") },
  {
    id: "all",
    label: "All",
    count: (a) => a.states.unresolved + a.states.regressed + a.states.ignored + a.states.resolved,
  },
  { id: "noise", label: "Noise", count: (a) => a.noise },
];

/** Whether an issue in this state is listed under a tab. */
export function listedIn(tab: string, s: IssueState): boolean {
  if (tab === "open") return s === "unresolved" || s === "regressed";
  return tab === "all" || tab === "noise" || tab === s;
}

export const SORTS: { id: string; label: string }[] = [
  { id: "last_seen", label: "Last seen" },
  { id: "first_seen", label: "First seen" },
  { id: "count", label: "Events" },
  { id: "users", label: "Users" },
];

/** Parameters of the list's URL that filter, besides the tab. */
export const FILTERS = ["q", "script", "version", "new_in", "assignee", "kind"] as const;

/** In the URL: issues that nobody has. */
export const NOBODY = "nobody";

/** The URL's parameters as the API takes them. */
export function listParams(url: Record<string, string>): Record<string, string | null> {
  const tab = url.state ?? "open";
  const params: Record<string, string | null> = tab === "noise" ? { state: "all", kind: "noise" } : { state: tab };
  for (const name of [...FILTERS, "sort"] as const) {
    const value = url[name];
    if (value !== undefined && value !== "") params[name] ??= value;
  }
  if (params.assignee === NOBODY) params.assignee = null;
  return params;
}

export const versionText = (v: VersionName): string =>
  v.id === "" ? "no version" : v.tag === "" ? shortId(v.id) : `${v.tag} (${shortId(v.id)})`;

/** Where a list of the browser takes text alone: with as much of the message as tells versions apart. */
export const versionOption = (v: VersionName): string =>
  v.message === "" ? versionText(v) : `${versionText(v)} ${cutAt(v.message, OPTION_CHARS)}`;
const OPTION_CHARS = 48;
const cutAt = (said: string, most: number): string => (said.length > most ? `${said.slice(0, most - 1)}…` : said);

export type IgnoreRule = NonNullable<IssueAnswer["ignored"]>;

/** `until 14:03 tomorrow`, `until 100 more`, or nothing when it has no end. */
export function ignoreText(rule: Partial<IgnoreRule>): string {
  const parts = [
    rule.until ? `until ${full(rule.until).slice(0, 16)}` : "",
    rule.count ? `until ${count(rule.count)} more events` : "",
    rule.rate ? `until more than ${count(rule.rate)} per minute` : "",
  ].filter((part) => part !== "");
  return parts.join(" or ");
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** A version in an activity's detail: its id, or the whole name. */
function versionIn(value: unknown): string {
  if (typeof value === "string") return shortId(value);
  if (typeof value !== "object" || value === null) return "";
  const { id, tag } = value as Partial<VersionName>;
  return id === undefined ? "" : versionText({ id, tag: tag ?? "", message: "" });
}

function idsOf(value: unknown): string {
  const ids = Array.isArray(value) ? value : [value];
  return ids
    .filter((id) => typeof id === "number")
    .map((id) => `#${id}`)
    .join(", ");
}

function resolvedText(where: unknown): string {
  if (where === "next") return "resolved it in the next version";
  const version = versionIn(where);
  return version === "" ? "resolved it" : `resolved it in ${version}`;
}

function ruleIn(detail: Record<string, unknown>): string {
  const { until, count: n, rate } = detail;
  return ignoreText({ until: number(until) ?? null, count: number(n) ?? null, rate: number(rate) ?? null });
}

/** ` with the source map of v2`, when the detail says which. */
function mapOf(detail: Record<string, unknown>): string {
  const version = versionIn(detail.version);
  return version === "" ? "with a source map that came later" : `with the source map of ${version}`;
}

/** What happened, to be read after who did it. */
export function activityText({ kind, detail }: Pick<IssueActivity, "kind" | "detail">): string {
  if (detail.undo === true) return kind === "assigned" ? "took the assignment back" : "took the last change back";
  const version = versionIn(detail.version);
  switch (kind) {
    case "first_seen":
      return version === "" ? "first saw it" : `first saw it in ${version}`;
    case "resolved":
      return resolvedText(detail.in);
    case "reopened":
      return "reopened it";
    case "regressed":
      return `saw it again${version === "" ? "" : ` in ${version}`} after it was resolved`;
    case "ignored":
      return `ignored it ${ruleIn(detail)}`.trimEnd();
    case "escalated": {
      const rule = ruleIn(detail);
      return `stopped ignoring it${rule === "" ? "" : `, which was ${rule}`}`;
    }
    case "assigned":
      return text(detail.to) === "" ? "took the assignee away" : `assigned it to ${text(detail.to)}`;
    case "commented":
      return "wrote";
    case "merged":
      return idsOf(detail.from) === ""
        ? `merged it into ${idsOf(detail.into)}`
        : `merged ${idsOf(detail.from)} into it`;
    case "unmerged":
      return idsOf(detail.to) === ""
        ? `took it out of ${idsOf(detail.from)} again`
        : `took ${idsOf(detail.to)} out of it again`;
    case "regrouped":
      return idsOf(detail.into) === ""
        ? `led stacks of ${idsOf(detail.from)} here, ${mapOf(detail)}`
        : `led its stacks to ${idsOf(detail.into)}, ${mapOf(detail)}`;
    case "symbolicated":
      return `led its stack to the source, ${mapOf(detail)}`;
  }
}

/** Without an event for this long it seems over. */
const QUIET_MS = 15 * 60_000;

export const goesOn = (lastSeen: number, now: number): boolean => now - lastSeen < QUIET_MS;
