/** The figures at the head of a page: label, value, and what it means beneath. */
import type { Measures } from "../../../workers/api/contract.ts";
import { count, percent, quantile, rate } from "../lib/format.ts";
import { exploreHref, FAILED_FILTER } from "../lib/query-text.ts";
import type { RangeText } from "../lib/range.ts";
import "../styles/measures.css";

interface Props {
  total: Measures;
  spanMs: number;
  range: RangeText;
  /** Narrows the links to Explore. */
  filter?: string;
}

/** Above this an error rate is red. */
export const BAD_RATE = 0.01;

const join = (...parts: (string | undefined)[]) => parts.filter(Boolean).join(" ");

export function MeasureRow({ total, spanMs, range, filter }: Props) {
  const failing = total.errorRate >= BAD_RATE;
  const items: { label: string; value: string; note: string; href: string; tone?: string }[] = [
    {
      label: "Requests",
      value: count(total.requests),
      note: rate(total.requests, spanMs),
      href: exploreHref(join(filter, "kind:invocation"), range),
    },
    {
      label: "Error rate",
      value: percent(total.requests > 0 ? total.errorRate : null),
      note: `${count(total.errors)} failed`,
      href: exploreHref(join(filter, FAILED_FILTER), range),
      tone: failing ? "bad" : "",
    },
    {
      label: "Duration p50",
      value: quantile(total.p50),
      note: "half are faster",
      href: exploreHref(
        join(
          filter,
          "kind:invocation | stats p50(duration) as p50, p99(duration) as p99, count() by route | sort p99 desc",
        ),
        range,
      ),
    },
    {
      label: "Duration p99",
      value: quantile(total.p99),
      note: "1 in 100 is slower",
      href: exploreHref(
        join(filter, "kind:invocation | stats p99(duration) as p99, count() by route | sort p99 desc"),
        range,
      ),
    },
    {
      label: "CPU p99",
      value: quantile(total.cpuP99),
      note: total.cpuP50 != null ? `p50 ${quantile(total.cpuP50)}` : "not reported",
      href: exploreHref(
        join(filter, "kind:invocation | stats p99(cpu_time) as p99, count() by route | sort p99 desc"),
        range,
      ),
    },
  ];
  return (
    <ul class="measures">
      {items.map((m) => (
        <li key={m.label} class="measure">
          <a href={m.href}>
            <span class="small muted">{m.label}</span>
            <span class={`measure-value ${m.tone ?? ""}`}>{m.value}</span>
            <span class="small faint">{m.note}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}
