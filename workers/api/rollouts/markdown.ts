/**
 * The record of a rollout as Markdown, for the incident report: what, who, when,
 * what each decision saw, which issues came with the version, what Cloudflare was
 * asked and answered, and the plan. `routes/rollouts.ts` hands in what the guard
 * has kept. Pure; what others wrote goes through `markdown-text.ts`.
 */
import type {
  EvidenceAnswer,
  GateResult,
  Judgement,
  NewIssue,
  Rollout,
  RolloutEvent,
  RolloutPlan,
  RolloutState,
  Verdict,
  VersionName,
} from "../contract.ts";
import { code, prose, table } from "./markdown-text.ts";

/** Decisions with all their figures; of more, those that decided nothing are left out, the oldest first. */
const MAX_DECISIONS = 40;
/** Lines of the timeline: a report is read by people. The JSON has all. */
const MAX_EVENTS = 500;

const OUTCOMES: Record<RolloutState, string> = {
  starting: "starting",
  running: "running",
  paused: "paused",
  promoted: "promoted to 100 %",
  rolled_back: "taken back",
  aborted: "aborted by a person",
  stopped: "stopped, nothing touched",
  failed: "failed",
};
const VERDICTS: Record<Verdict, string> = { worse: "**worse**", not_worse: "not worse", unknown: "not yet known" };

export function evidenceMarkdown({ rollout, events, judgement, issues }: EvidenceAnswer): string {
  const sections = [
    heading(rollout),
    timeline(events),
    decisions(events, judgement),
    newIssues([...events.flatMap((event) => event.issues ?? []), ...issues]),
    actions(events),
    planOf(rollout.plan),
    ["How the verdicts come about, and what the figures mean: docs/rollouts.md of Tailrace."],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function heading(rollout: Rollout): string[] {
  const { startedAt, endedAt, state } = rollout;
  const ended = endedAt === null ? "not yet" : `${utc(endedAt)}, after ${lasted(endedAt - startedAt)}`;
  const rows = [
    ["Outcome", `**${OUTCOMES[state]}**`],
    ["Why", prose(rollout.reason)],
    ["New version", version(rollout.new)],
    ["Old version", version(rollout.old)],
    ["Traffic of the new version", `${rollout.percent} %`],
    ["Started", `${utc(startedAt)} by ${code(rollout.startedBy)}`],
    ["Ended", ended],
    ["Mode", modeOf(rollout)],
    ["Rollout", code(rollout.id)],
  ];
  return [`# Rollout of ${code(rollout.script)}: ${OUTCOMES[state]}`, "", ...table(["", ""], rows)];
}

const modeOf = ({ isWatched, mode }: Rollout) =>
  isWatched
    ? "watched only: somebody else made the split"
    : mode === "act"
      ? "promotes and takes back"
      : "advises only";

function timeline(events: readonly RolloutEvent[]): string[] {
  const shown = events.slice(-MAX_EVENTS);
  const rows = shown.flatMap(({ at, actor, text, findings = [] }) => [
    [utc(at), code(actor), prose(text)],
    ...findings.map(({ level, message }) => ["", "", `${level}: ${prose(message)}`]),
  ]);
  const left = events.length - shown.length;
  const note = left > 0 ? ["", `${left} earlier lines are left out; the JSON has them.`] : [];
  return ["## Timeline", "", ...table(["When", "Who", "What"], rows), ...note];
}

function decisions(events: readonly RolloutEvent[], last: Judgement | null): string[] {
  const decided = events.filter((event) => event.judgement !== undefined);
  const shown = worthShowing(decided);
  const lines = shown.flatMap(({ at, judgement }) => ["", `### ${utc(at)}`, "", ...figures(judgement as Judgement)]);
  if (decided.length === 0 && last !== null) lines.push("", "### As it stands", "", ...figures(last));
  if (lines.length === 0) return [];
  const left = decided.length - shown.length;
  if (left > 0) lines.push("", `${left} decisions are left out here; the JSON has them.`);
  return ["## What was decided by", ...lines];
}

/** Of too many, first those go that did not know yet, the oldest first. */
function worthShowing(decided: readonly RolloutEvent[]): readonly RolloutEvent[] {
  let surplus = decided.length - MAX_DECISIONS;
  const kept = decided.filter((event, i) => {
    const isIdle = event.judgement?.verdict === "unknown" && i < decided.length - 1;
    return !(isIdle && surplus-- > 0);
  });
  return kept.slice(-MAX_DECISIONS);
}

function figures({ verdict, isDisaster, reason, gates, present }: Judgement): string[] {
  const disaster = isDisaster ? " (nearly all of the new version failed)" : "";
  const seen = `Compared since the step began: ${figure(present.new)} of the new version, ${figure(present.old)} of the old one.`;
  const summary = `Verdict: ${VERDICTS[verdict]}${disaster}. ${prose(reason)} ${seen}`;
  if (gates.length === 0) return [summary];
  const head = [
    "Gate",
    "Verdict",
    "Old",
    "New",
    "New − old, interval",
    "Evidence that it is worse",
    "Evidence that it is not",
  ];
  return [summary, "", ...table(head, gates.map(gateRow))];
}

function gateRow(gate: GateResult): string[] {
  const { label, verdict, reason, difference, unit, holds } = gate;
  const word = verdict === "unknown" && holds === false ? "no verdict, and none was waited for" : VERDICTS[verdict];
  const says = [prose(label), `${word}: ${prose(reason)}`];
  // Nothing of its kind was seen: an e-value of 1 says no more than that.
  if (gate.old.n === 0 && gate.new.n === 0) return [...says, ...Array.from({ length: 5 }, () => "–")];
  const interval =
    difference === null
      ? "–"
      : `${signed(difference.estimate)} [${signed(difference.low)}, ${signed(difference.high)}]`;
  return [
    ...says,
    arm(gate.old, unit),
    arm(gate.new, unit),
    interval,
    `${figure(gate.statistic)} of ${figure(gate.threshold)}`,
    `${figure(gate.clearStatistic)} of ${figure(gate.clearThreshold)}, margin ${signed(gate.margin)}`,
  ];
}

const arm = ({ n, hits, value }: GateResult["old"], unit: GateResult["unit"]): string =>
  `${value === null ? "–" : amount(value, unit)} (${figure(hits)} of ${figure(n)})`;

/** Of one that is told several times, the last counts. */
function newIssues(told: readonly NewIssue[]): string[] {
  const byId = new Map(told.map((issue) => [issue.id, issue]));
  if (byId.size === 0) return [];
  const rows = [...byId.values()].map(({ id, type, title, frame, isMapped, note, count, firstSeen }) => [
    String(id),
    `${code(title === "" ? type : title)}${note === undefined ? "" : ` ${note}`}`,
    frame === null ? "–" : `${code(frame)}${isMapped ? "" : " (no source map)"}`,
    figure(count),
    utc(firstSeen),
  ]);
  return [
    "## Issues that are new in the new version",
    "",
    ...table(["Issue", "What", "Where", "Count", "First seen"], rows),
  ];
}

function actions(events: readonly RolloutEvent[]): string[] {
  const asked = events.filter(({ request, answer }) => request !== undefined || answer !== undefined);
  if (asked.length === 0) return [];
  const rows = asked.map(({ at, request, answer }) => [
    utc(at),
    (request?.versions ?? []).map(({ version, percent }) => `${code(version)} ${percent} %`).join(", ") || "–",
    request?.expected ? code(request.expected) : "–",
    answer === undefined ? "none" : answerOf(answer),
  ]);
  return [
    "## What Cloudflare was asked, and answered",
    "",
    ...table(["When", "Split that was asked for", "In place of deployment", "Answer"], rows),
  ];
}

function answerOf({ ok, status, deployment, message, attempts }: NonNullable<RolloutEvent["answer"]>): string {
  const parts = [`${ok ? "done" : "**not done**"}, ${status === 0 ? "no answer" : `HTTP ${status}`}`];
  if (deployment !== undefined) parts.push(`deployment ${code(deployment)}`);
  if (message !== undefined && message !== "") parts.push(prose(message));
  parts.push(`${attempts} ${attempts === 1 ? "try" : "tries"}`);
  return parts.join(", ");
}

function planOf({ steps, gates, minSamples, stepLimitMinutes }: RolloutPlan): string[] {
  const asked = [
    gates.errors && `error rate: worse by ${amount(gates.errors.minEffect, "share")} or more`,
    gates.duration && `duration: ${quantile(gates.duration)}`,
    gates.cpu && `CPU: ${quantile(gates.cpu)}`,
    gates.issues && `new issues: at most ${gates.issues.max}`,
    ...gates.queries.map(
      ({ name, filter, minEffect }) => `${code(name)}: ${code(filter)}, worse by ${amount(minEffect, "share")} or more`,
    ),
  ].filter((text) => text !== null);
  return [
    "## Plan",
    "",
    `- Steps: ${steps.map(({ percent, soakMinutes }) => `${percent} %${soakMinutes > 0 ? ` for ${soakMinutes} min` : ""}`).join(", ")}`,
    ...asked.map((text) => `- Gate, ${text}`),
    `- At least ${figure(minSamples)} invocations on each arm; a step without a verdict is taken back after ${stepLimitMinutes} min`,
  ];
}

const quantile = (gate: { quantile: number; tolerance: number; minMs: number }) =>
  `p${Number((gate.quantile * 100).toFixed(2))} more than ${Number((gate.tolerance * 100).toFixed(1))} % and ${gate.minMs} ms above`;

function version({ id, tag, message }: VersionName): string {
  return [code(id), tag && code(tag), message && code(message)].filter((text) => text !== "").join(" · ");
}

const utc = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

function lasted(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
  return [h > 0 && `${h} h`, m > 0 && `${m} min`, h === 0 && `${s % 60} s`].filter(Boolean).join(" ");
}

/** Three digits tell; e-values have no upper end. */
function figure(n: number): string {
  if (!Number.isFinite(n)) return n > 0 ? "∞" : "–";
  const size = Math.abs(n);
  if (size >= 1e9 || (size > 0 && size < 1e-3)) return n.toExponential(1);
  return size >= 1000 || Number.isInteger(n) ? Math.round(n).toLocaleString("en-US") : String(Number(n.toPrecision(3)));
}

function amount(value: number, unit: GateResult["unit"]): string {
  if (unit === "share") return `${figure(value * 100)} %`;
  return unit === "ms" ? `${figure(value)} ms` : figure(value);
}

/** Differences and margins are of shares, whatever the gate's own unit is. */
const signed = (value: number): string =>
  `${value > 0 ? "+" : value < 0 ? "−" : ""}${amount(Math.abs(value), "share")}`;
