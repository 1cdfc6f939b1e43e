/** /status: how Tailrace itself is. Is it well, what moves and what stands, and what it has counted. */
import { useEffect, useMemo } from "preact/hooks";
import type { StatusAnswer } from "../../../workers/api/contract.ts";
import { Icon, type IconName } from "../components/icons.tsx";
import { ErrorState, Progress, StaleNotice } from "../components/states.tsx";
import { ago, bytes, count, duration, full, span } from "../lib/format.ts";
import type { Tone } from "../lib/integrations.ts";
import { useStatus } from "../state/integrations.ts";
import "../styles/rollout.css";
import "../styles/integrations.css";
import "../styles/status.css";

type Consumer = StatusAnswer["consumers"][number];
type Counter = StatusAnswer["counters"][number];

const KINDS: Record<Consumer["kind"], string> = {
  seal: "Sealing",
  issues: "Issues",
  notifications: "Notifications",
  delivery: "Delivery",
  rollup: "Rollups",
};

const CONDITIONS: Record<Consumer["condition"], { label: string; tone: Tone; icon: IconName; order: number }> = {
  stalled: { label: "Stalled", tone: "bad", icon: "alert", order: 0 },
  moving: { label: "Moving", tone: "good", icon: "check", order: 1 },
  new: { label: "New", tone: "", icon: "clock", order: 2 },
  idle: { label: "Idle", tone: "", icon: "clock", order: 3 },
  paused: { label: "Paused", tone: "", icon: "pause", order: 4 },
};

function Checks({ checks }: Pick<StatusAnswer, "checks">) {
  return (
    <section aria-labelledby="checks-title">
      <h2 id="checks-title">Checks</h2>
      <ul class="checks">
        {checks.map((c) => (
          <li key={c.name}>
            <span class={`row ${c.ok ? "good" : "bad"}`}>
              <Icon name={c.ok ? "check" : "alert"} />
              <span class="sr">{c.ok ? "passes: " : "fails: "}</span>
            </span>
            <span class="check-name">{c.name}</span>
            <span class={c.ok ? "muted" : "bad"}>{c.message ?? ""}</span>
            <span class="num faint">{c.ms === undefined ? "" : `${count(Math.round(c.ms))} ms`}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Consumers({ consumers, now }: Pick<StatusAnswer, "consumers"> & { now: number }) {
  const sorted = [...consumers].sort(
    (a, b) =>
      CONDITIONS[a.condition].order - CONDITIONS[b.condition].order ||
      a.kind.localeCompare(b.kind) ||
      a.name.localeCompare(b.name),
  );
  const stalled = consumers.filter((c) => c.condition === "stalled").length;
  return (
    <section aria-labelledby="consumers-title">
      <div class="section-head">
        <h2 id="consumers-title">Consumers</h2>
        <span class={stalled > 0 ? "bad" : "muted"}>
          {stalled > 0 ? `${stalled} of ${consumers.length} stalled` : `${consumers.length}, none stalled`}
        </span>
      </div>
      {consumers.length === 0 ? (
        <p class="muted">Nothing has come in yet, so nothing has to be moved on.</p>
      ) : (
        <div class="table-scroll">
          <table class="table status-table">
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">What</th>
                <th scope="col">Kind</th>
                <th scope="col" class="num">
                  Behind
                </th>
                <th scope="col" class="num">
                  Moved last
                </th>
                <th scope="col" class="status-note">
                  Note
                </th>
              </tr>
            </thead>
            <tbody>
              {sorted.map((c) => {
                const { label, tone, icon } = CONDITIONS[c.condition];
                return (
                  <tr key={`${c.kind} ${c.name}`}>
                    <td>
                      <span class={`int-condition ${tone || "muted"}`}>
                        <Icon name={icon} />
                        {label}
                      </span>
                    </td>
                    <th scope="row" class="plain-th">
                      {c.name}
                    </th>
                    <td class="muted">{KINDS[c.kind]}</td>
                    <td class="num">
                      {c.lagMs === null || c.condition === "idle" ? "–" : c.lagMs < 1000 ? "< 1 s" : span(c.lagMs)}
                    </td>
                    <td class="num muted" title={c.movedAt === null ? undefined : full(c.movedAt)}>
                      {c.movedAt === null ? "–" : ago(c.movedAt, now)}
                    </td>
                    <td class="muted status-note">{c.message}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function value(counter: Counter, n: number): string {
  if (counter.unit === "bytes") return bytes(n);
  if (counter.unit === "ms") return duration(n);
  if (counter.unit === "seconds" || counter.unit === "s") return duration(n * 1000);
  return count(n);
}

/** `kept`, of `reason="kept"`. */
const labelText = ({ labels = {} }: Counter) =>
  Object.values(labels)
    .map((text) => text.replaceAll("_", " "))
    .join(", ");

function Counters({ counters }: Pick<StatusAnswer, "counters">) {
  const groups = useMemo(() => {
    const made = new Map<string, Counter[]>();
    for (const c of counters) {
      const stage = c.name.replace(/^tailrace_/, "").split(/[_.]/)[0] ?? "";
      made.set(stage, [...(made.get(stage) ?? []), c]);
    }
    return [...made];
  }, [counters]);
  return (
    <section aria-labelledby="counters-title">
      <div class="section-head">
        <h2 id="counters-title">Counters</h2>
        <span class="grow" />
        <a class="link small" href="/metrics" target="_blank" rel="noreferrer">
          /metrics
        </a>
      </div>
      <div class="counters">
        {groups.map(([stage, list]) => (
          <div key={stage} class="counter-group">
            <h3 class="small faint">{stage}</h3>
            <dl>
              {list.map((c, n) => (
                <div key={`${c.name} ${labelText(c)}`} title={c.name}>
                  <dt>
                    <span class={list[n - 1]?.name === c.name ? "sr" : undefined}>{c.help}</span>
                    {c.labels !== undefined && <span class="counter-label muted">{labelText(c)}</span>}
                  </dt>
                  <dd class="num">{value(c, c.value)}</dd>
                  <dd class="num faint">{c.perMinute === null ? "" : `${value(c, c.perMinute)}/min`}</dd>
                </div>
              ))}
            </dl>
          </div>
        ))}
      </div>
    </section>
  );
}

export default function Status() {
  const { data, error, loading, reload } = useStatus();
  const ok = data?.status === "ok";
  useEffect(() => {
    document.title = `${data === undefined || ok ? "Status" : "Failing · Status"} · Tailrace`;
  }, [data === undefined, ok]);
  if (data === undefined)
    return error === undefined ? <Progress show={loading} /> : <ErrorState failure={error} retry={reload} />;
  const failing = [
    ...data.checks.filter((c) => !c.ok).map((c) => c.name),
    ...data.consumers.filter((c) => c.condition === "stalled").map((c) => c.name),
  ];
  return (
    <div class="page status">
      <h1 class="sr">Status of Tailrace</h1>
      {error !== undefined && <StaleNotice failure={error} retry={reload} />}
      <div class={`roll-answer ${ok ? "good" : "bad"}`}>
        <Icon name={ok ? "check" : "alert"} />
        <div class="grow">
          <p class="roll-headline" role="status">
            {ok ? "Tailrace is ready, and moving" : "Tailrace is not well"}
          </p>
          <p class="muted">
            {failing.length > 0 && <span class="status-failing">{failing.join(", ")}. </span>}
            Version {data.version}, as of {full(data.asOf).slice(11, 19)}
          </p>
        </div>
      </div>
      <Checks checks={data.checks} />
      <Consumers consumers={data.consumers} now={data.asOf} />
      <Counters counters={data.counters} />
    </div>
  );
}
