/** Requests (or events) over time in a line of text, failures in red at the foot. Empty buckets stay empty. */
import { count } from "../lib/format.ts";

const HEIGHT = 24;
/** A failure is drawn at least this high: one among ten thousand must not vanish. */
const MIN_ERROR_PX = 2;

interface Point {
  requests: number;
  errors: number;
}
interface Props {
  series: Point[];
  max?: number;
  label?: string;
}

export function Sparkline({ series, max, label }: Props) {
  const top = Math.max(1e-9, max ?? 0, ...series.map((p) => p.requests));
  let all = "";
  let failed = "";
  for (let i = 0; i < series.length; i++) {
    const p = series[i] as Point;
    if (p.requests <= 0) continue;
    const h = Math.max(1, (p.requests / top) * HEIGHT);
    all += `M${i} ${HEIGHT}v${-h.toFixed(2)}h.8V${HEIGHT}z`;
    if (p.errors > 0) {
      const e = Math.min(h, Math.max(MIN_ERROR_PX, (p.errors / top) * HEIGHT));
      failed += `M${i} ${HEIGHT}v${-e.toFixed(2)}h.8V${HEIGHT}z`;
    }
  }
  const total = series.reduce((n, p) => n + p.requests, 0);
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${Math.max(1, series.length)} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label ?? `${count(total)} requests over the range`}
    >
      <path d={all} class="spark-all" />
      <path d={failed} class="spark-bad" />
    </svg>
  );
}
