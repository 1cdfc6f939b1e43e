/** Events of an issue over the range, one bar per bucket. Empty buckets stay empty. */
import { count } from "../../lib/format.ts";

const HEIGHT = 24;

export function CountSpark({ counts }: { counts: number[] }) {
  const top = Math.max(1e-9, ...counts);
  let path = "";
  counts.forEach((n, i) => {
    if (n > 0) path += `M${i} ${HEIGHT}v${-Math.max(1.5, (n / top) * HEIGHT).toFixed(2)}h.8V${HEIGHT}z`;
  });
  const total = counts.reduce((sum, n) => sum + n, 0);
  return (
    <svg
      class="spark issue-spark"
      viewBox={`0 0 ${Math.max(1, counts.length)} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${count(total)} events over the range, at most ${count(Math.max(0, ...counts))} per bar`}
    >
      <path d={path} class="spark-bad" />
    </svg>
  );
}
