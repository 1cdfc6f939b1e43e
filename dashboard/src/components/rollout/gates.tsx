/** What was compared: one row per gate, with both versions, the interval, how far the evidence is, and the verdict in words. */
import type { GateResult, Judgement, Rollout } from "../../../../workers/api/contract.ts";
import { count } from "../../lib/format.ts";
import {
  differenceText,
  evidenceShare,
  GATE_ORDER,
  gateWord,
  isOpen,
  leftOut,
  points,
  valueText,
} from "../../lib/rollouts.ts";
import { colourVar } from "../../lib/versions.ts";
import { GateMark } from "./marks.tsx";

const number = (n: number | null): string =>
  n === null ? "more than can be told" : n >= 1e6 ? n.toExponential(1) : count(Number(n.toPrecision(3)));

function Evidence({
  label,
  statistic,
  threshold,
  tone,
}: {
  label: string;
  statistic: number;
  threshold: number;
  tone: string;
}) {
  const done = evidenceShare(statistic, threshold);
  return (
    <span class="evidence" title={`e-value ${number(statistic)}; decided at ${number(threshold)}`}>
      <span class="evidence-track">
        <span class={tone} style={{ width: `${done * 100}%` }} />
      </span>
      <span class="num">{Math.floor(done * 100)} %</span>
      <span class="muted">{label}</span>
    </span>
  );
}

function Arm({ g, arm }: { g: GateResult; arm: "old" | "new" }) {
  const { n, hits, value } = g[arm];
  return (
    <>
      <span class="gate-value">{valueText(value, g.unit)}</span>
      {n > 0 && (
        <span class="small faint">{g.unit === "issues" ? `in ${count(n)}` : `${count(hits)} of ${count(n)}`}</span>
      )}
    </>
  );
}

export function Difference({ g }: { g: GateResult }) {
  const text = differenceText(g);
  if (text === null) return <span class="faint">–</span>;
  return (
    <>
      <span class="gate-value">
        {text.estimate} <span class="small faint">{text.unit}</span>
      </span>
      <span class="small faint">{text.interval}</span>
      {isOpen(g) && g.margin > 0 && (
        <span
          class="small faint"
          title="It passes when the evidence is complete that the new version is not worse by as much as this"
        >
          margin {points(g.margin)}
        </span>
      )}
    </>
  );
}

function Row({ g }: { g: GateResult }) {
  const isCompared = gateWord(g) !== "not_compared";
  return (
    <tr class={g.verdict === "worse" ? "gate-bad" : ""}>
      <th scope="row" class="gate-what">
        <span class="gate-name">{g.label}</span>
        <span class="small muted gate-reason">{g.reason}</span>
      </th>
      <td class="gate-verdict">
        <GateMark gate={g} />
      </td>
      <td class="num gate-arm" data-label="Old">
        <Arm g={g} arm="old" />
      </td>
      <td class="num gate-arm" data-label="New">
        <Arm g={g} arm="new" />
      </td>
      <td class="num gate-arm" data-label="Difference">
        <Difference g={g} />
      </td>
      <td class="gate-evidence">
        {isCompared && <Evidence label="worse" statistic={g.statistic} threshold={g.threshold} tone="bad" />}
        {isCompared && g.verdict !== "worse" && (
          <Evidence label="not worse" statistic={g.clearStatistic} threshold={g.clearThreshold} tone="good" />
        )}
      </td>
    </tr>
  );
}

export function GateTable({ judgement, rollout }: { judgement: Judgement; rollout: Pick<Rollout, "old" | "new"> }) {
  const gates = judgement.gates
    .map((g, i) => ({ g, i }))
    .sort((a, b) => GATE_ORDER[gateWord(a.g)] - GATE_ORDER[gateWord(b.g)] || a.i - b.i);
  const head = (v: { id: string }, word: string) => (
    <span class="gate-head">
      <span class="dot" style={{ "--dot": `var(${colourVar(v.id)})` }} />
      {word}
    </span>
  );
  return (
    <table class="table gates">
      <thead>
        <tr>
          <th scope="col">Gate</th>
          <th scope="col">Verdict</th>
          <th scope="col" class="num">
            {head(rollout.old, "Old")}
          </th>
          <th scope="col" class="num">
            {head(rollout.new, "New")}
          </th>
          <th scope="col" class="num">
            Difference, interval
          </th>
          <th scope="col">Evidence that it is</th>
        </tr>
      </thead>
      <tbody>
        {gates.map(({ g }) => (
          <Row key={g.id} g={g} />
        ))}
      </tbody>
    </table>
  );
}

/** What a verdict does not stand on is said beside it. */
function LeftOut({ judgement, rollout }: { judgement: Judgement; rollout: Rollout }) {
  const names = leftOut(judgement, rollout.plan);
  if (names.length === 0) return null;
  const what =
    rollout.state === "promoted" ? "Promoted without a verdict on" : "Too few or none to compare, no step waits for";
  return (
    <p class="small muted gates-left">
      {what}: {names.join("; ")}.
    </p>
  );
}

export function Gates({ judgement, rollout }: { judgement: Judgement | null; rollout: Rollout }) {
  return (
    <section aria-labelledby="gates-title">
      <div class="section-head">
        <h2 id="gates-title">Gates</h2>
        <span class="small faint">new against old in the same minutes; each may be looked at at any time</span>
      </div>
      {judgement === null || judgement.gates.length === 0 ? (
        <p class="muted roll-none">
          Nothing has been compared yet: the first verdicts come with the first requests on both versions.
        </p>
      ) : (
        <>
          <GateTable judgement={judgement} rollout={rollout} />
          <LeftOut judgement={judgement} rollout={rollout} />
        </>
      )}
    </section>
  );
}
