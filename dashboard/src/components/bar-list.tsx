/** A breakdown: values with their share as a bar; a click shows their events. */
import { count, percent, quantile } from "../lib/format.ts";
import { exploreHref } from "../lib/query-text.ts";
import { range } from "../state/location.ts";
import { BAD_RATE } from "./measures.tsx";

export interface BarRow {
  value: string;
  requests: number;
  errorRate?: number;
  p99?: number | null;
  /** Query that the row stands for. */
  q: string;
  tone?: "bad" | "warn" | "";
}

interface Props {
  title: string;
  rows: BarRow[];
}

const SHOWN = 8;

export function BarList({ title, rows }: Props) {
  const sorted = [...rows].sort((a, b) => b.requests - a.requests);
  const top = Math.max(1, ...sorted.map((r) => r.requests));
  const total = sorted.reduce((n, r) => n + r.requests, 0);
  const detailed = sorted.some((r) => r.p99 !== undefined);
  return (
    <section class="bars" aria-label={title}>
      <div class="bars-head small faint">
        <h2>{title}</h2>
        <span class="num">Requests</span>
        {detailed && <span class="num">Errors</span>}
        {detailed && <span class="num">p99</span>}
      </div>
      <ul>
        {sorted.slice(0, SHOWN).map((r) => (
          <li key={r.value}>
            <a
              class={`bars-row ${detailed ? "detailed" : ""}`}
              href={exploreHref(r.q, range.value)}
              title={`${r.value}: ${percent(total > 0 ? r.requests / total : 0)}`}
            >
              <span class={`bars-fill ${r.tone ?? ""}`} style={{ width: `${(r.requests / top) * 100}%` }} />
              <span class="cut bars-name">{r.value || "(none)"}</span>
              <span class="num">{count(r.requests)}</span>
              {detailed && (
                <span class={`num ${(r.errorRate ?? 0) >= BAD_RATE ? "bad" : "faint"}`}>
                  {percent(r.errorRate ?? 0)}
                </span>
              )}
              {detailed && <span class="num muted">{quantile(r.p99)}</span>}
            </a>
          </li>
        ))}
        {sorted.length > SHOWN && <li class="small faint">and {sorted.length - SHOWN} more</li>}
        {sorted.length === 0 && <li class="small faint">None in this range</li>}
      </ul>
    </section>
  );
}
