/** A line for each rollout that runs, for the pages that say how a Worker is. Nothing when none does. */
import type { Rollout } from "../../../../workers/api/contract.ts";
import { onlyWatches, share, stepText } from "../../lib/rollouts.ts";
import { withRange } from "../../state/location.ts";
import { useRunning } from "../../state/rollout-list.ts";
import { StateMark, VerdictMark } from "../rollout/marks.tsx";
import { Version } from "../version.tsx";
import "../../styles/running.css";

export interface Running {
  rollouts: Rollout[];
  /** Read, or not to be had: what stands below will not be pushed down. */
  settled: boolean;
}

export function useRunningLine(script?: string): Running {
  const { data, error, fresh } = useRunning(script);
  return { rollouts: fresh ? (data?.rollouts ?? []) : [], settled: data !== undefined || error !== undefined };
}

export function RunningLine({ rollouts, showScript = true }: { rollouts: Rollout[]; showScript?: boolean }) {
  if (rollouts.length === 0) return null;
  return (
    <ul class="running" aria-label="Rollouts that run">
      {rollouts.map((r) => (
        <li key={r.id}>
          <a class="running-line" href={withRange(`/rollouts/${r.id}`)}>
            <StateMark state={r.state} />
            {showScript && <b class="cut">{r.script}</b>}
            <Version {...r.new} showMessage />
            <span class="running-far">
              at <b>{share(r.percent)}</b>, {stepText(r)}
              {onlyWatches(r) ? "; only watched" : ""}
            </span>
            <VerdictMark verdict={r.verdict} />
            <span class="link small">Rollout</span>
          </a>
        </li>
      ))}
    </ul>
  );
}
