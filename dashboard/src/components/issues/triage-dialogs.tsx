/** Which way to resolve, for how long to ignore, whom to assign, what to merge into. */
import { useState } from "preact/hooks";
import type { IssueSummary } from "../../../../workers/api/contract.ts";
import { session } from "../../state/session.ts";
import { assign, changeState, merge, type StateChange } from "../../state/triage.ts";
import { Version } from "../version.tsx";
import { type Choice, ChoiceDialog } from "./choice.tsx";

/** What a dialog is open for. */
export interface Asked {
  what: "resolve" | "ignore" | "assign" | "merge";
  issues: IssueSummary[];
}

export interface Acts {
  /** Before the server answers: what the issues will be. */
  onChange?: (issues: IssueSummary[], part: Partial<IssueSummary>) => void;
  onMerge?: (issues: IssueSummary[], into: number) => void;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const idsOf = (issues: IssueSummary[]) => issues.map((i) => i.id);
const named = (issues: IssueSummary[]) => (issues.length === 1 ? `#${issues[0]?.id}` : `${issues.length} issues`);

export function applyState(issues: IssueSummary[], change: StateChange, acts: Acts): void {
  acts.onChange?.(issues, { state: change.state });
  void changeState(idsOf(issues), change);
}

const UNITS: { label: string; change: (n: number, now: number) => StateChange }[] = [
  { label: "hours", change: (n, now) => ({ state: "ignored", until: Math.round(now + n * HOUR_MS) }) },
  { label: "days", change: (n, now) => ({ state: "ignored", until: Math.round(now + n * DAY_MS) }) },
  { label: "more events", change: (n) => ({ state: "ignored", count: n }) },
  { label: "events per minute", change: (n) => ({ state: "ignored", rate: n }) },
];

function OwnLimit({ onTake }: { onTake: (change: StateChange) => void }) {
  const [amount, setAmount] = useState("");
  const [unit, setUnit] = useState(0);
  const n = Number(amount);
  return (
    <form
      class="choice-own"
      onSubmit={(e) => {
        e.preventDefault();
        const chosen = UNITS[unit];
        if (n > 0 && chosen !== undefined) onTake(chosen.change(n, Date.now()));
      }}
    >
      <span class="muted">Until</span>
      <input
        class="input num"
        type="number"
        min="0"
        step="any"
        aria-label="How many"
        value={amount}
        onInput={(e) => setAmount(e.currentTarget.value)}
      />
      <select
        class="input"
        aria-label="Of what"
        value={String(unit)}
        onChange={(e) => setUnit(Number(e.currentTarget.value))}
      >
        {UNITS.map((u, i) => (
          <option key={u.label} value={String(i)}>
            {i < 2 ? `${u.label} have passed` : i === 2 ? "more events came" : "events per minute"}
          </option>
        ))}
      </select>
      <button type="submit" class="btn" disabled={!(n > 0)}>
        Ignore
      </button>
    </form>
  );
}

function Ignore({ issues, acts, onClose }: { issues: IssueSummary[]; acts: Acts; onClose: () => void }) {
  const now = Date.now();
  const take = (change: StateChange) => {
    onClose();
    applyState(issues, change, acts);
  };
  const choices: Choice[] = [
    { label: "For 1 hour", run: () => take({ state: "ignored", until: now + HOUR_MS }) },
    { label: "For 1 day", run: () => take({ state: "ignored", until: now + DAY_MS }) },
    { label: "For 1 week", run: () => take({ state: "ignored", until: now + 7 * DAY_MS }) },
    { label: "Until 100 more events", run: () => take({ state: "ignored", count: 100 }) },
    { label: "Until 1,000 more events", run: () => take({ state: "ignored", count: 1000 }) },
    { label: "Until more than 10 per minute", run: () => take({ state: "ignored", rate: 10 }) },
    { label: "Until somebody changes it", run: () => take({ state: "ignored" }) },
  ];
  return (
    <ChoiceDialog title={`Ignore ${named(issues)}`} choices={choices} onClose={onClose}>
      <OwnLimit onTake={take} />
    </ChoiceDialog>
  );
}

function Resolve({ issues, acts, onClose }: { issues: IssueSummary[]; acts: Acts; onClose: () => void }) {
  const last = issues.length === 1 ? issues[0]?.lastVersion : undefined;
  const take = (where: string | undefined) =>
    applyState(issues, { state: "resolved", ...(where === undefined ? {} : { in: where }) }, acts);
  const choices: Choice[] = [
    { label: "Now", detail: "regresses in any version deployed after this moment", run: () => take(undefined) },
    { label: "In the next version", detail: "that is deployed after this moment", run: () => take("next") },
  ];
  if (last !== undefined && last.id !== "")
    choices.push({
      label: "In this version",
      detail: <Version {...last} showMessage />,
      run: () => take(last.id),
    });
  return <ChoiceDialog title={`Resolve ${named(issues)}`} choices={choices} onClose={onClose} />;
}

function Assign({
  issues,
  people,
  acts,
  onClose,
}: {
  issues: IssueSummary[];
  people: string[];
  acts: Acts;
  onClose: () => void;
}) {
  const me = session.value?.actor ?? "";
  const current = issues.length === 1 ? issues[0]?.assignee : undefined;
  const choiceOf = (who: string): Choice => ({
    label: who,
    detail: who === me ? "you" : "",
    current: who === current,
    run: () => {
      acts.onChange?.(issues, { assignee: who });
      void assign(idsOf(issues), who);
    },
  });
  const known = [...new Set([me, ...people])].filter((who) => who !== "");
  const choices = known.map(choiceOf);
  if (issues.some((i) => i.assignee !== "")) choices.push({ ...choiceOf(""), label: "Nobody" });
  return (
    <ChoiceDialog
      title={`Assign ${named(issues)}`}
      choices={choices}
      free={{ placeholder: "Name or e-mail", choiceOf }}
      onClose={onClose}
    />
  );
}

function Merge({ issues, acts, onClose }: { issues: IssueSummary[]; acts: Acts; onClose: () => void }) {
  // The oldest keeps its number by default: links to it are the oldest, too.
  const sorted = [...issues].sort((a, b) => a.firstSeen - b.firstSeen || a.id - b.id);
  const choices = sorted.map(
    (i): Choice => ({
      label: `#${i.id}`,
      detail: `${i.type}: ${i.title}`,
      run: () => {
        acts.onMerge?.(issues, i.id);
        void merge(idsOf(issues), i.id);
      },
    }),
  );
  return <ChoiceDialog title={`Merge ${issues.length} issues into`} choices={choices} onClose={onClose} />;
}

export function TriageDialog({
  asked,
  people,
  acts,
  onClose,
}: {
  asked: Asked | undefined;
  people: string[];
  acts: Acts;
  onClose: () => void;
}) {
  if (asked === undefined) return null;
  const { issues } = asked;
  if (asked.what === "ignore") return <Ignore issues={issues} acts={acts} onClose={onClose} />;
  if (asked.what === "resolve") return <Resolve issues={issues} acts={acts} onClose={onClose} />;
  if (asked.what === "assign") return <Assign issues={issues} people={people} acts={acts} onClose={onClose} />;
  return <Merge issues={issues} acts={acts} onClose={onClose} />;
}
