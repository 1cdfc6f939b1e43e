/** Gradual deployments: those that run first, then past ones with how they ended. */
import { useEffect, useState } from "preact/hooks";
import { rolloutsApi } from "../api/rollouts.ts";
import { Icon } from "../components/icons.tsx";
import { NoMatch, NoRollouts, NotConnected } from "../components/rollouts/empty.tsx";
import { Filters, isFiltered, useWorkerNames } from "../components/rollouts/filters.tsx";
import { RolloutRows } from "../components/rollouts/rollout-table.tsx";
import { StartDialog } from "../components/rollouts/start-dialog.tsx";
import { ErrorState, Progress, StaleNotice } from "../components/states.tsx";
import { maySteer } from "../lib/rollouts.ts";
import { useShortcuts } from "../state/keys.ts";
import { navigate, query, withRange } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import { useEnded, useRunning } from "../state/rollout-list.ts";
import { session } from "../state/session.ts";
import "../styles/rollouts.css";
import "../styles/rollout-record.css";
import "../styles/rollout.css";

export default function Rollouts() {
  const { script, state } = query.value;
  const running = useRunning(script);
  const ended = useEnded({ script, state: state === undefined || state === "running" ? "ended" : state });
  const account = useResource("account", (signal) => rolloutsApi.account(signal));
  const { names } = useWorkerNames();
  const [active, setActive] = useState<string>();
  const [starting, setStarting] = useState(false);
  useEffect(() => {
    document.title = "Rollouts · Tailrace";
  }, []);

  const wantsRunning = state === undefined || state === "running";
  const goOn = wantsRunning && running.fresh ? (running.data?.rollouts ?? []) : [];
  const past = state === "running" || !ended.fresh ? [] : ended.rollouts;
  const all = [...goOn, ...past];
  const at = all.findIndex((r) => r.id === active);
  const step = (by: number) => setActive(all[Math.max(0, Math.min(all.length - 1, at + by))]?.id);
  const may = maySteer(session.value?.scope);
  const connected = account.data?.connected === true;
  const start = () => may && connected && setStarting(true);
  useShortcuts({
    j: () => step(1),
    k: () => step(-1),
    Enter: () => {
      if (at >= 0) navigate(withRange(`/rollouts/${all[at]?.id}`));
    },
    n: start,
  });

  const failure = running.error ?? ended.error;
  const read = running.data !== undefined && running.fresh && ended.data !== undefined && ended.fresh;
  const settled = account.data !== undefined || account.error !== undefined;
  if (failure !== undefined && !read)
    return (
      <ErrorState
        failure={failure}
        retry={() => {
          running.reload();
          ended.reload();
        }}
      />
    );
  const now = Date.now();
  return (
    <div class="page rollouts">
      <Progress show={!read} />
      <div class="section-head rollouts-head">
        <h1>Rollouts</h1>
        <Filters names={names} />
        <span class="grow" />
        {may && (
          <button type="button" class="btn primary" onClick={start} disabled={!connected}>
            <Icon name="plus" />
            Start a rollout
          </button>
        )}
      </div>
      {read && settled && (
        <>
          {failure !== undefined && <StaleNotice failure={failure} retry={running.reload} />}
          {account.data !== undefined && (!connected || account.data.problem !== null) && (
            <NotConnected problem={account.data.problem} />
          )}
          {goOn.length > 0 && (
            <section aria-labelledby="running-title">
              <h2 id="running-title">Running</h2>
              <RolloutRows rollouts={goOn} label="Running" active={active} now={now} />
            </section>
          )}
          {past.length > 0 && (
            <section aria-labelledby="past-title">
              <h2 id="past-title">Past</h2>
              <RolloutRows rollouts={past} label="Past" active={active} now={now} />
              {ended.next !== undefined && (
                <button type="button" class="btn" disabled={ended.loadingMore} onClick={() => void ended.more()}>
                  Older ones
                </button>
              )}
            </section>
          )}
          {all.length === 0 && (isFiltered() ? <NoMatch /> : <NoRollouts onStart={start} canStart={connected} />)}
        </>
      )}
      {starting && <StartDialog script={script} onClose={() => setStarting(false)} />}
    </div>
  );
}
