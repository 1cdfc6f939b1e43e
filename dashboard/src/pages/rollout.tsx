/**
 * One rollout, live: is the new version worse, since when, how far are we, and
 * one button to take it back; then what the verdict is made of, and the record.
 * One that has ended looks the same and stands still.
 */
import { useEffect } from "preact/hooks";
import type { RolloutAnswer } from "../../../workers/api/contract.ts";
import { Icon } from "../components/icons.tsx";
import { Actions } from "../components/rollout/actions.tsx";
import { Answer, Facts } from "../components/rollout/answer.tsx";
import { RolloutCharts } from "../components/rollout/charts.tsx";
import { Export } from "../components/rollout/export.tsx";
import { Gates } from "../components/rollout/gates.tsx";
import { StateMark } from "../components/rollout/marks.tsx";
import { NewIssues } from "../components/rollout/new-issues.tsx";
import { Rail } from "../components/rollout/rail.tsx";
import { Record } from "../components/rollout/record.tsx";
import { ErrorState, Progress, StaleNotice } from "../components/states.tsx";
import { Version } from "../components/version.tsx";
import { hasEnded, share } from "../lib/rollouts.ts";
import { versionName } from "../lib/series.ts";
import { useShortcuts } from "../state/keys.ts";
import { navigate, withRange } from "../state/location.ts";
import { useRollout } from "../state/rollout.ts";
import "../styles/overview.css";
import "../styles/worker.css";
import "../styles/rollout-record.css";
import "../styles/rollout.css";

/** How the split came about, where it is not a plan of Tailrace's that acts. */
function Mode({ rollout }: Pick<RolloutAnswer, "rollout">) {
  if (rollout.isWatched)
    return (
      <span class="roll-mode" title="Somebody else made this split: Tailrace watches it and changes nothing">
        watched only
      </span>
    );
  if (rollout.mode === "advise")
    return (
      <span class="roll-mode" title="Tailrace says what it would do, and changes nothing">
        advises only
      </span>
    );
  return null;
}

function Loaded({ answer }: { answer: RolloutAnswer }) {
  const { rollout } = answer;
  const now = hasEnded(rollout) ? (rollout.endedAt ?? rollout.changedAt) : Math.max(Date.now(), rollout.startedAt);
  return (
    <>
      <div class="roll-head">
        <a class="icon-btn" href={withRange("/rollouts")} aria-label="Back to Rollouts">
          <Icon name="back" />
        </a>
        <a class="roll-worker cut" href={withRange(`/workers/${encodeURIComponent(rollout.script)}`)}>
          {rollout.script}
        </a>
        <StateMark state={rollout.state} />
        <Mode rollout={rollout} />
        <span class="grow" />
        <Export rollout={rollout} />
        <Actions answer={answer} />
      </div>
      <h1 class="roll-versions">
        <Version {...rollout.old} showMessage />
        <Icon name="arrow" />
        <span class="sr">to</span>
        <Version {...rollout.new} showMessage />
      </h1>
      <Answer answer={answer} />
      <Facts answer={answer} now={now} />
      {!rollout.isWatched && <Rail answer={answer} />}
      <RolloutCharts answer={answer} now={now} />
      <Gates judgement={answer.judgement} rollout={rollout} />
      <div class="roll-columns">
        <NewIssues answer={answer} now={now} />
        <Record answer={answer} now={now} />
      </div>
    </>
  );
}

function title({ rollout }: RolloutAnswer): string {
  const what = hasEnded(rollout) ? "" : `${share(rollout.percent)} · `;
  return `${what}${rollout.script} ${versionName(rollout.new)} · Tailrace`;
}

export default function RolloutPage({ id }: { id: string }) {
  const { data, error, loading, fresh, reload } = useRollout(id);
  useEffect(() => {
    document.title = data === undefined || !fresh ? "Rollout · Tailrace" : title(data);
  }, [data, fresh]);
  useShortcuts({ Escape: () => navigate(withRange("/rollouts")) });
  if (!fresh || data === undefined) {
    if (error?.status === 404)
      return (
        <div class="state">
          <h2>There is no such rollout</h2>
          <p class="muted">{error.message}</p>
          <a class="btn" href="/rollouts">
            All rollouts
          </a>
        </div>
      );
    return error === undefined ? <Progress show={loading} /> : <ErrorState failure={error} retry={reload} />;
  }
  return (
    <div class="page rollout">
      {error !== undefined && <StaleNotice failure={error} retry={reload} />}
      <Loaded answer={data} />
    </div>
  );
}
