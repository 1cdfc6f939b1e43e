/** A rollout as it stands, as lines for people: both versions, each gate with its interval, the step, new issues. Pure. */
import type { GateResult, NewIssue, RolloutAnswer, Verdict, VersionName } from "../../../workers/api/contract.ts";
import { safeLine } from "../../safe-text.ts";
import { CODES, type Paint, type Style, VersionColours } from "../../tail/render/colour.ts";
import { isOver, WORDS } from "../outcome.ts";
import { amount, figure, interval, lasted, share, versionText } from "./figures.ts";
import { lineOf, type Piece, wrapped } from "./line.ts";

export interface Look {
  paint: Paint;
  columns: number;
  /** ms since the epoch. */
  now: number;
}

const MAX_GATES = 8;
const MAX_ISSUES = 3;
/** Of the one sentence that says why; on a narrow terminal its end is in the log. */
const MAX_REASON_LINES = 4;
const BAR_CHARS = 20;
const LABEL_CHARS = 34;

const VERDICT_WORDS: Record<Verdict, string> = { worse: "worse", not_worse: "not worse", unknown: "not yet known" };
const VERDICT_STYLES: Record<Verdict, Style> = { worse: "error", not_worse: "good", unknown: "dim" };
const STATE_STYLES: Record<string, Style> = {
  promoted: "good",
  rolled_back: "error",
  failed: "error",
  stopped: "warn",
};

export function statusLines(answer: RolloutAnswer, { paint, columns, now }: Look): string[] {
  const { rollout } = answer;
  const colours = new VersionColours();
  const named = (version: VersionName): Piece => [
    colours.of(rollout.script, version.id) as `38;5;${number}`,
    versionText(version),
  ];
  const lines: Piece[][] = [
    heading(answer, now),
    arm("old", 100 - rollout.percent, named(rollout.old), totals(answer, "old")),
    arm("new", rollout.percent, named(rollout.new), totals(answer, "new")),
    ...gates(answer.judgement?.gates ?? []),
    ...issues(answer.issues),
    ...(isOver(rollout) ? [] : progress(answer)),
    ...wrapped(safeLine(rollout.reason), columns - 2, MAX_REASON_LINES).map((line): Piece[] => ["  ", line]),
    ...answer.blind.map((what): Piece[] => ["  ", ["warn", `cannot see: ${safeLine(what)}`]]),
  ];
  return lines.map((pieces) => lineOf(pieces, paint, columns));
}

function heading({ rollout }: RolloutAnswer, now: number): Piece[] {
  const { script, state, plan, step, percent, startedAt, endedAt, mode, isWatched } = rollout;
  const how = isWatched ? ", watched only" : mode === "advise" ? ", advises only" : "";
  const where = step < 0 || isOver(rollout) ? "" : ` at ${figure(percent)} %, step ${step + 1} of ${plan.steps.length}`;
  return [
    ["strong", safeLine(script)],
    "  ",
    [STATE_STYLES[state] ?? "info", WORDS[state]],
    `${where}${how}`,
    ["dim", `  ${lasted((endedAt ?? now) - startedAt)}  ${safeLine(rollout.id)}`],
  ];
}

const arm = (which: string, percent: number, named: Piece, { requests, errors }: Totals): Piece[] => [
  `  ${which} ${`${figure(percent)} %`.padStart(6)}  `,
  named,
  requests === 0 ? "  no requests yet" : `  ${count(requests, "request")}, ${share(errors / requests)} failed`,
];

const count = (n: number, what: string) => `${figure(Math.round(n))} ${what}${n === 1 ? "" : "s"}`;

interface Totals {
  requests: number;
  errors: number;
}
function totals({ points }: RolloutAnswer, which: "old" | "new"): Totals {
  const sum = { requests: 0, errors: 0 };
  for (const point of points) {
    sum.requests += point[which].requests;
    sum.errors += point[which].errors;
  }
  return sum;
}

/** Where no verdict is to be waited for, that is said. */
function wordOf({ verdict, holds, old, new: next }: GateResult): string {
  if (verdict === "unknown" && old.n === 0 && next.n === 0) return "no data";
  const word = verdict === "unknown" && holds === false ? "too rare" : VERDICT_WORDS[verdict];
  return word.padEnd(13);
}

function gates(results: readonly GateResult[]): Piece[][] {
  const lines = results.slice(0, MAX_GATES).map((gate): Piece[] => {
    const { label, verdict, old, unit } = gate;
    return [
      `  ${safeLine(label).slice(0, LABEL_CHARS).padEnd(LABEL_CHARS)}  `,
      [VERDICT_STYLES[verdict], wordOf(gate)],
      old.value === null && gate.new.value === null
        ? ""
        : `  ${amount(old.value, unit)} → ${amount(gate.new.value, unit)}`,
      ["dim", `  ${interval(gate)}`],
    ];
  });
  const left = results.length - lines.length;
  return left > 0 ? [...lines, [["dim", `  and ${left} more gates`]]] : lines;
}

function issues(found: readonly NewIssue[]): Piece[][] {
  const lines = found
    .slice(0, MAX_ISSUES)
    .map((issue): Piece[] => [
      "  ",
      ["error", "new issue "],
      `${issue.id}: ${safeLine(issue.title || issue.type)}`,
      ["dim", issue.frame === null ? "" : `  ${safeLine(issue.frame)}`],
      `  ${figure(issue.count)} times`,
    ]);
  const left = found.length - lines.length;
  return left > 0 ? [...lines, [["dim", `  and ${left} more new issues`]]] : lines;
}

function progress({ rollout, soak }: RolloutAnswer): Piece[][] {
  // Nobody takes the next step of a split that is only watched.
  if (rollout.step < 0 || rollout.isWatched) return [];
  const done = soak.ofMs === 0 ? 1 : Math.min(1, soak.ms / soak.ofMs);
  const full = Math.round(done * BAR_CHARS);
  const bar = "█".repeat(full) + "░".repeat(BAR_CHARS - full);
  const next = rollout.plan.steps[rollout.step + 1];
  const then = next === undefined ? "" : `, then ${figure(next.percent)} %`;
  const limit = `  (without a verdict taken back after ${lasted(soak.limitMs)}, ${lasted(soak.ms)} so far)`;
  return [
    [
      `  ${bar} ${lasted(Math.min(soak.ms, soak.ofMs))} of ${lasted(soak.ofMs)}${then}`,
      // Who only advises takes nothing back.
      ["dim", rollout.mode === "act" ? limit : ""],
    ],
  ];
}

export const painted = (style: Style, text: string, paint: Paint): string => paint(CODES[style], text);
