/** For whom: how many users, routes, colos and countries, and which of them most. The list is asked for when it is opened. */
import { useState } from "preact/hooks";
import type { IssueAnswer } from "../../../../workers/api/contract.ts";
import { api } from "../../api/client.ts";
import { count } from "../../lib/format.ts";
import { addFilter, exploreHref, groupBy } from "../../lib/query-text.ts";
import { range } from "../../state/location.ts";
import { useResource } from "../../state/resource.ts";

const SHOWN = 6;

const KINDS = [
  { id: "routes", label: "Routes", field: "route" },
  { id: "users", label: "Users", field: "user.id" },
  { id: "colos", label: "Colos", field: "colo" },
  { id: "countries", label: "Countries", field: "country" },
] as const;

function Top({ answer, field }: { answer: IssueAnswer; field: string }) {
  const { from, to } = range.value;
  const q = `${answer.query} | stats count() as n by ${field} | sort n desc | limit ${SHOWN}`;
  const { data, error, fresh } = useResource(`${q} ${from} ${to}`, (signal) =>
    api.query(q, { from, to }, SHOWN, signal),
  );
  const rows = (data?.rows ?? []).map((row) => ({ value: row[0] ?? null, n: Number(row[1]) }));
  const top = Math.max(1, ...rows.map((r) => r.n));
  if (error !== undefined) return <p class="small muted">{error.message}</p>;
  return (
    <ul class={`top-list ${fresh ? "" : "stale"}`}>
      {rows.map((r) => (
        <li key={String(r.value)}>
          <a class="bars-row" href={exploreHref(addFilter(answer.query, field, r.value), range.value)}>
            <span class="bars-fill bad" style={{ width: `${(r.n / top) * 100}%` }} />
            <span class="cut bars-name">{r.value === null ? <span class="faint">unknown</span> : String(r.value)}</span>
            <span class="num">{count(r.n)}</span>
          </a>
        </li>
      ))}
      {data !== undefined && rows.length === 0 && <li class="small faint">No events in this range</li>}
    </ul>
  );
}

export function Affected({ answer }: { answer: IssueAnswer }) {
  const [chosen, setChosen] = useState<(typeof KINDS)[number]["id"]>(
    () => KINDS.find((k) => answer.affected[k.id] > 0)?.id ?? "routes",
  );
  const kind = KINDS.find((k) => k.id === chosen) as (typeof KINDS)[number];
  return (
    <section aria-labelledby="affected-title">
      <div class="section-head">
        <h2 id="affected-title">Affected</h2>
        <span class="small faint">about</span>
        <span class="grow" />
        <a class="link small" href={exploreHref(groupBy(answer.query, kind.field), range.value)}>
          All in Explore
        </a>
      </div>
      <div class="affected-kinds" role="group" aria-label="Affected">
        {KINDS.map((k) => (
          <button key={k.id} type="button" aria-pressed={k.id === chosen} onClick={() => setChosen(k.id)}>
            <b class="num">{count(answer.affected[k.id])}</b>
            <span class="small muted">{k.label}</span>
          </button>
        ))}
      </div>
      <Top key={kind.field} answer={answer} field={kind.field} />
    </section>
  );
}
