/** Rollup rows added up, and read as the numbers that a chart shows. Pure. */
import { Sketch } from "../../event/sketch.ts";
import type { Rollup } from "../../store/counts/merge.ts";
import type { Measures, SeriesPoint } from "../contract.ts";
import type { Buckets } from "./buckets.ts";

export class Sum {
  requests = 0;
  errors = 0;
  private readonly duration = new Sketch();
  private readonly cpu = new Sketch();

  add(row: Rollup): void {
    this.requests += row.requests;
    this.errors += row.errors;
    this.duration.merge(row.duration);
    this.cpu.merge(row.cpu);
  }

  merge(other: Sum): void {
    this.requests += other.requests;
    this.errors += other.errors;
    this.duration.merge(other.duration);
    this.cpu.merge(other.cpu);
  }

  measures(): Measures {
    return {
      requests: rounded(this.requests),
      errors: rounded(this.errors),
      errorRate: this.requests === 0 ? 0 : rounded(this.errors / this.requests),
      p50: quantile(this.duration, 0.5),
      p99: quantile(this.duration, 0.99),
      cpuP50: quantile(this.cpu, 0.5),
      cpuP99: quantile(this.cpu, 0.99),
    };
  }
}

/** The sketch is exact to 1 %: more digits would only lengthen the answer. */
function quantile(sketch: Sketch, q: number): number | null {
  const value = sketch.quantile(q);
  return value === undefined ? null : Number(value.toPrecision(4));
}

/** Sums of weights such as 1/0.3 end in noise. */
const rounded = (value: number) => Number(value.toPrecision(12));

/** One sum per bucket; a bucket without data has none. */
export type SparseSeries = Map<number, Sum>;

export const sumAt = (series: SparseSeries, bucket: number): Sum => ensure(series, bucket, () => new Sum());

/** The entry of a key, made when it is not there. */
export function ensure<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

export function mergeSeries(into: SparseSeries, from: SparseSeries): void {
  for (const [bucket, sum] of from) sumAt(into, bucket).merge(sum);
}

export function total(series: SparseSeries): Sum {
  const all = new Sum();
  for (const sum of series.values()) all.merge(sum);
  return all;
}

/** Empty buckets included: a gap in the data is shown as one. */
export function points(series: SparseSeries, { from, bucketMs, count }: Buckets): SeriesPoint[] {
  const empty = new Sum().measures();
  return Array.from({ length: count }, (_, i) => {
    const t = from + i * bucketMs;
    return { t, ...(series.get(t)?.measures() ?? empty) };
  });
}
