/**
 * What the status page shows of counters: a line for each value of the labels that
 * name nobody, since "received" and "kept" added up mean nothing; Workers and
 * destinations are added up. `counters.ts` hands in what was counted. Pure.
 */
import type { StatusAnswer } from "../api/contract/integrations.ts";
import type { CountersSnapshot, Increment } from "./contract.ts";
import { COUNTERS, type CounterName, isPrivate } from "./names.ts";

type Line = StatusAnswer["counters"][number];

/** The same for all series of a line. */
export function lineKey({ name, labels }: Pick<Increment, "name" | "labels">): string {
  const values = Object.values(shownLabels(name as CounterName, labels));
  return JSON.stringify([name, ...values]);
}

/** In the order of names.ts; what was never counted is there, as 0. */
export function linesOf(snapshot: Pick<CountersSnapshot, "series" | "perMinute"> | undefined): Line[] {
  const byName = Map.groupBy(snapshot?.series ?? [], ({ name }) => name);
  return (Object.keys(COUNTERS) as CounterName[]).flatMap((name): Line[] => {
    const { help, unit } = COUNTERS[name];
    const series = byName.get(name);
    if (series === undefined) return [{ name, help, unit, value: 0, perMinute: null }];
    return [...Map.groupBy(series, lineKey)].map(([key, all]) => {
      const labels = shownLabels(name, all[0]?.labels ?? []);
      const value = all.reduce((sum, { amount }) => sum + amount, 0);
      const perMinute = snapshot?.perMinute[key] ?? null;
      return { name, help, unit, ...(Object.keys(labels).length === 0 ? {} : { labels }), value, perMinute };
    });
  });
}

function shownLabels(name: CounterName, values: readonly string[]): Record<string, string> {
  const keys: readonly string[] = COUNTERS[name].labels;
  return Object.fromEntries(keys.flatMap((key, n) => (isPrivate(key) ? [] : [[key, values[n] ?? ""]])));
}
