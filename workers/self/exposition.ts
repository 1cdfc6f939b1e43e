/**
 * Prometheus' text format 0.0.4, of what is counted and what was asked.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 * Without `named` the labels that are the team's own business are added up. Pure.
 */
import type { Increment } from "./contract.ts";
import { type Gauges, isOldest, type Sample } from "./gauges.ts";
import { COUNTERS, type CounterName, GAUGES, type GaugeName, isPrivate } from "./names.ts";

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export function expositionOf(counters: readonly Increment[], gauges: Gauges, named: boolean): string {
  const byName = Map.groupBy(counters, (series) => series.name);
  const families = [
    ...(Object.keys(GAUGES) as GaugeName[]).map((name) => ({
      ...{ name, type: "gauge", help: GAUGES[name] },
      samples: gauges[name] ?? [],
    })),
    ...(Object.keys(COUNTERS) as CounterName[]).map((name) => ({
      ...{ name, type: "counter", help: COUNTERS[name].help },
      samples: (byName.get(name) ?? []).map((series) => sampleOf(name, series)),
    })),
  ];
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) => {
      const lines = addUp(samples, named, isOldest(name)).map(
        ({ labels, value }) => `${name}${labelsText(labels)} ${valueText(value)}\n`,
      );
      return `# HELP ${name} ${helpText(help)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    })
    .join("");
}

function sampleOf(name: CounterName, { labels, amount }: Increment): Sample {
  const keys: readonly string[] = COUNTERS[name].labels;
  return { labels: Object.fromEntries(keys.map((key, n) => [key, labels[n] ?? ""])), value: amount };
}

/** One sample for each set of labels that may be shown: two with the same would not be valid. */
function addUp(samples: readonly Sample[], named: boolean, oldest: boolean): Sample[] {
  const sums = new Map<string, Sample>();
  for (const { labels, value } of samples) {
    const shown = Object.fromEntries(Object.entries(labels).filter(([key]) => named || !isPrivate(key)));
    const key = JSON.stringify(shown);
    const known = sums.get(key);
    if (known === undefined) sums.set(key, { labels: shown, value });
    else known.value = oldest ? Math.max(known.value, value) : known.value + value;
  }
  return [...sums.values()];
}

function labelsText(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${labelText(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const helpText = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
/** `toWellFormed`: half a character would be no UTF-8. */
const labelText = (text: string) =>
  text.toWellFormed().replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

/** As Go's ParseFloat takes it. */
function valueText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}
