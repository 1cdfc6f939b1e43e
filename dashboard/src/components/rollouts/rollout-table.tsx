/** Rollouts as rows: outcome, Worker, versions, how far, who, when, how long; each leads to its page. */
import type { Rollout } from "../../../../workers/api/contract.ts";
import { about, full, moment } from "../../lib/format.ts";
import { hasEnded, lasted, onlyWatches, share, stepText } from "../../lib/rollouts.ts";
import { withRange } from "../../state/location.ts";
import { Icon } from "../icons.tsx";
import { StateMark, VerdictMark } from "../rollout/marks.tsx";
import { Version } from "../version.tsx";

const farthest = (r: Rollout): string => {
  const step = r.plan.steps[Math.max(0, r.step)];
  if (r.state === "promoted") return share(100);
  if (r.isWatched) return share(r.percent);
  return r.step < 0 || step === undefined ? "–" : share(step.percent);
};

/** As `stepText`, for a column: that it is watched stands beside it. */
const shortStep = (r: Rollout): string => (r.isWatched ? "set elsewhere" : r.step < 0 ? "no step yet" : stepText(r));

function Row({ r, active, now }: { r: Rollout; active: boolean; now: number }) {
  const ended = hasEnded(r);
  return (
    <li class={`rollouts-row ${active ? "active" : ""}`}>
      <a href={withRange(`/rollouts/${r.id}`)}>
        <span class="rr-state">
          <StateMark state={r.state} />
          {!ended && <VerdictMark verdict={r.verdict} />}
        </span>
        <span class="rr-worker">
          <b class="cut">{r.script}</b>
          {onlyWatches(r) && <span class="small faint">{r.isWatched ? "watched only" : "advises only"}</span>}
        </span>
        <span class="rr-versions">
          <span class="rr-pair">
            <Version {...r.old} showMessage />
          </span>
          <span class="rr-pair">
            <Icon name="arrow" />
            <Version {...r.new} showMessage />
          </span>
        </span>
        <span class="rr-far num">
          <b>{ended ? farthest(r) : share(r.percent)}</b>
          <span class="small faint">{shortStep(r)}</span>
        </span>
        <span class="rr-who">
          <span title={full(r.startedAt)}>{moment(r.startedAt, now)}</span>
          <span class="small faint cut" title={r.startedBy}>
            {r.isWatched ? "noticed" : `by ${r.startedBy}`}
          </span>
        </span>
        <span class="rr-took num">
          <span>{about(lasted(r, now))}</span>
          <span class="small faint">{ended ? "took" : "so far"}</span>
        </span>
        <span class="rr-reason small muted">{r.reason}</span>
      </a>
    </li>
  );
}

interface Props {
  rollouts: Rollout[];
  label: string;
  active: string | undefined;
  now: number;
}

export function RolloutRows({ rollouts, label, active, now }: Props) {
  return (
    <ul class="rollouts-rows" aria-label={label}>
      {rollouts.map((r) => (
        <Row key={r.id} r={r} active={r.id === active} now={now} />
      ))}
    </ul>
  );
}
