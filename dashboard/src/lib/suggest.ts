/** Completion items for the query bar, ranked. Pure: the fields and values are handed in. */
import type { FieldInfo } from "../../../workers/api/contract.ts";
import { count } from "./format.ts";
import { splitQuery, writeField, writeValue } from "./query-text.ts";

export interface Suggestion {
  label: string;
  /** What replaces the typed prefix. */
  insert: string;
  /** Right of the label: type, unit, count. */
  detail: string;
  /** Whether to offer the next completion at once. */
  again: boolean;
}

const MAX_SHOWN = 12;
/** Shorter fragments are inside of almost everything. */
const MIN_INNER_CHARS = 3;

const PIPES: [string, string][] = [
  ["stats", "aggregate: stats count() by route"],
  ["where", "filter the rows before"],
  ["sort", "sort count desc"],
  ["limit", "at most n rows"],
  ["fields", "choose columns"],
];
const FUNCTIONS: [string, string][] = [
  ["count()", "events"],
  ["count(failed:true)", "events that match"],
  ["p50(", "median of a field"],
  ["p90(", "90th percentile"],
  ["p99(", "99th percentile"],
  ["avg(", "mean"],
  ["sum(", "sum"],
  ["min(", "smallest"],
  ["max(", "largest"],
  ["count_distinct(", "different values"],
];

function matching<T>(items: T[], prefix: string, names: (item: T) => string[]): T[] {
  const wanted = prefix.toLowerCase();
  const score = (item: T) => {
    let best = 3;
    for (const name of names(item)) {
      const lower = name.toLowerCase();
      if (lower.startsWith(wanted)) return 0;
      if (lower.includes(`.${wanted}`) || lower.includes(`_${wanted}`)) best = Math.min(best, 1);
      else if (wanted.length >= MIN_INNER_CHARS && lower.includes(wanted)) best = Math.min(best, 2);
    }
    return best;
  };
  return items
    .map((item) => ({ item, score: score(item) }))
    .filter((s) => s.score < 3)
    .sort((a, b) => a.score - b.score)
    .map((s) => s.item)
    .slice(0, MAX_SHOWN);
}

/** In front of the first pipe, in `where` and in `count(…)`, a field is followed by its value. */
function wantsValue(text: string, at: number): boolean {
  const { pipes } = splitQuery(text.slice(0, at));
  return pipes === "" || /\|\s*where\b[^|]*$/.test(pipes) || /\bcount\([^)]*$/.test(pipes);
}

export function suggestFields(fields: FieldInfo[], text: string, prefix: string, at: number): Suggestion[] {
  const value = wantsValue(text, at);
  return matching(fields, prefix, (f) => [f.name, ...f.aliases, f.physical]).map((f) => ({
    label: f.name,
    insert: writeField(f.name) + (value ? ":" : ""),
    detail: f.doc ?? (f.unit ? `${f.type}, ${f.unit}` : f.type),
    again: value,
  }));
}

export function suggestValues(
  values: { value: string; count: number; label?: string }[],
  prefix: string,
): Suggestion[] {
  return matching(values, prefix, (v) => (v.label === undefined ? [v.value] : [v.value, v.label])).map((v) => ({
    label: v.value,
    insert: `${writeValue(v.value)} `,
    detail: v.label === undefined ? count(v.count) : `${v.label} · ${count(v.count)}`,
    again: false,
  }));
}

export function suggestWords(kind: "pipe" | "function", prefix: string): Suggestion[] {
  const words = kind === "pipe" ? PIPES : FUNCTIONS;
  return matching(words, prefix, ([w]) => [w]).map(([word, detail]) => ({
    label: word,
    insert: kind === "pipe" || word.endsWith(")") ? `${word} ` : word,
    detail,
    again: true,
  }));
}
