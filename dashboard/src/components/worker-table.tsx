/** Every Worker with its versions beneath it: the Overview's table. `j`/`k` move, Enter opens. */
import { Fragment } from "preact";
import { useState } from "preact/hooks";
import type { Measures, VersionSummary, WorkerSummary } from "../../../workers/api/contract.ts";
import { ago, count, percent, quantile } from "../lib/format.ts";
import { exploreHref, FAILED_FILTER, term } from "../lib/query-text.ts";
import { useShortcuts } from "../state/keys.ts";
import { navigate, range, withRange } from "../state/location.ts";
import { BAD_RATE } from "./measures.tsx";
import { Sparkline } from "./sparkline.tsx";
import { Version } from "./version.tsx";

export function MeasureCells({ m, filter }: { m: Measures; filter: string }) {
  return (
    <>
      <td class="num">{count(m.requests)}</td>
      <td class="num">
        {m.errors > 0 ? (
          <a
            class={`link-plain ${m.errorRate >= BAD_RATE ? "bad" : ""}`}
            href={exploreHref(`${filter} ${FAILED_FILTER}`, range.value)}
          >
            {percent(m.errorRate)}
          </a>
        ) : (
          <span class="faint">{m.requests > 0 ? "0 %" : "–"}</span>
        )}
      </td>
      <td class="num">{quantile(m.p50)}</td>
      <td class="num">{quantile(m.p99)}</td>
      <td class="num cpu">{quantile(m.cpuP99)}</td>
    </>
  );
}

function VersionRow({
  script,
  v,
  worker,
  top,
}: {
  script: string;
  v: VersionSummary;
  worker: WorkerSummary;
  top: number;
}) {
  return (
    <tr class="sub">
      <td class="name">
        <a href={exploreHref(`${term("script", script)} ${term("version", v.id)}`, range.value)}>
          <Version id={v.id} tag={v.tag} message={v.message} showMessage />
        </a>
      </td>
      <td class="spark-cell">
        <Sparkline series={v.series} max={top} />
      </td>
      <MeasureCells m={v} filter={`${term("script", script)} ${term("version", v.id)}`} />
      <td class="num faint seen">{percent(worker.requests > 0 ? v.requests / worker.requests : null)} of it</td>
    </tr>
  );
}

export function WorkerTable({ workers, total, now }: { workers: WorkerSummary[]; total: number; now: number }) {
  const [active, setActive] = useState(-1);
  const sorted = [...workers].sort((a, b) => b.errors - a.errors || b.requests - a.requests);
  const open = (script: string) => navigate(withRange(`/workers/${encodeURIComponent(script)}`));
  useShortcuts({
    j: () => setActive((n) => Math.min(sorted.length - 1, n + 1)),
    k: () => setActive((n) => Math.max(0, n - 1)),
    Enter: () => {
      const w = sorted[active];
      if (w !== undefined) open(w.script);
    },
  });
  return (
    <section aria-labelledby="workers-title">
      <div class="section-head">
        <h2 id="workers-title">Workers</h2>
        <span class="small faint">{sorted.length} · most failures first</span>
      </div>
      <div class="table-scroll">
        <table class="table workers">
          <thead>
            <tr>
              <th scope="col">Worker and version</th>
              <th scope="col" class="spark-cell">
                Requests over time
              </th>
              <th scope="col" class="num">
                Requests
              </th>
              <th scope="col" class="num">
                Errors
              </th>
              <th scope="col" class="num">
                p50
              </th>
              <th scope="col" class="num">
                p99
              </th>
              <th scope="col" class="num cpu">
                CPU p99
              </th>
              <th scope="col" class="num seen">
                Last seen
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((w, i) => {
              const top = Math.max(...w.series.map((p) => p.requests), 0);
              return (
                <Fragment key={w.script}>
                  <tr class={`main click ${i === active ? "active" : ""}`}>
                    <td class="name">
                      <a href={withRange(`/workers/${encodeURIComponent(w.script)}`)}>{w.script}</a>
                    </td>
                    <td class="spark-cell">
                      <Sparkline series={w.series} />
                    </td>
                    <MeasureCells m={w} filter={term("script", w.script)} />
                    <td class="num faint seen" title={`${percent(total > 0 ? w.requests / total : 0)} of all requests`}>
                      {ago(w.lastSeen, now)}
                    </td>
                  </tr>
                  {w.versions.length > 1 &&
                    w.versions.map((v) => <VersionRow key={v.id} script={w.script} v={v} worker={w} top={top} />)}
                </Fragment>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}
