/** The meaning of filters and aggregates, one event at a time and as plainly as possible: what the engine is held against. */
import { resolveColumn } from "../../../workers/event/columns.ts";
import type { AttributeValue, TailraceEvent } from "../../../workers/event/event.ts";
import { isFailure } from "../../../workers/event/failure.ts";
import type { Aggregate, Filter, Value } from "../../../workers/query/language/ast.ts";
import { formatTimeUs } from "../../../workers/query/language/time.ts";

export function fieldValue(event: TailraceEvent, typed: string): AttributeValue | undefined {
  const { core, physical } = resolveColumn(typed);
  if (core) return event[core.name] as AttributeValue | undefined;
  const key = physical.startsWith("attr.") && !(physical in (event.attributes ?? {})) ? physical.slice(5) : physical;
  return event.attributes?.[key] ?? undefined;
}

export function holds(filter: Filter, event: TailraceEvent): boolean {
  switch (filter.kind) {
    case "all":
      return true;
    case "and":
      return filter.items.every((f) => holds(f, event));
    case "or":
      return filter.items.some((f) => holds(f, event));
    case "not":
      return !holds(filter.item, event);
    case "failed":
      return isFailure(event.outcome, event.status);
  }
  const value = fieldValue(event, filter.field.name);
  if (value === undefined) return false;
  const text = filter.field.physical === "time" ? formatTimeUs(Number(value)) : String(value);
  switch (filter.kind) {
    case "exists":
      return true;
    case "equals":
      return typeof value === "number" ? value === filter.value.number : text === filter.value.text;
    case "in":
      return filter.values.has(text);
    case "contains":
      return text.toLowerCase().includes(filter.text.toLowerCase());
    case "prefix":
      return text.startsWith(filter.text);
    case "regex":
      return new RegExp(filter.source, filter.ignoreCase ? "i" : "").test(text);
    case "compare":
      return compare(filter.op, value, filter.value);
    case "range":
      return compare(">=", value, filter.min) && compare("<=", value, filter.max);
  }
}

function compare(op: ">" | ">=" | "<" | "<=", value: AttributeValue, wanted: Value): boolean {
  const numeric = wanted.number !== undefined && !wanted.quoted;
  if (typeof value === "number" ? wanted.number === undefined : numeric && String(value).trim() === "") return false;
  const [a, b] =
    typeof value === "number" || numeric
      ? [typeof value === "boolean" ? Number.NaN : Number(value), wanted.number as number]
      : [String(value), wanted.text];
  return op === ">" ? a > b : op === ">=" ? a >= b : op === "<" ? a < b : a <= b;
}

export function aggregate(a: Aggregate, events: readonly TailraceEvent[]): number | null {
  if (a.fn === "count") {
    const counted = events.filter((e) => a.filter === undefined || holds(a.filter, e));
    return counted.reduce((n, e) => n + e.sample_weight, 0);
  }
  const pairs = events.flatMap((e) => {
    const value = fieldValue(e, a.field.name);
    return value === undefined ? [] : [{ value, weight: e.sample_weight }];
  });
  if (a.fn === "count_distinct") return new Set(pairs.map((p) => String(p.value))).size;
  const numbers = pairs
    .filter((p) => typeof p.value === "number" || (typeof p.value === "string" && p.value.trim() !== ""))
    .map((p) => ({ value: Number(p.value), weight: p.weight }))
    .filter((p) => !Number.isNaN(p.value));
  if (numbers.length === 0) return null;
  const total = numbers.reduce((n, p) => n + p.weight, 0);
  const sum = numbers.reduce((n, p) => n + p.value * p.weight, 0);
  switch (a.fn) {
    case "sum":
      return sum;
    case "avg":
      return sum / total;
    case "min":
      return Math.min(...numbers.map((p) => p.value));
    case "max":
      return Math.max(...numbers.map((p) => p.value));
    case "quantile": {
      const all = numbers.flatMap((p) => new Array<number>(p.weight).fill(p.value)).sort((x, y) => x - y);
      const rank = a.q * (all.length - 1);
      const low = all[Math.floor(rank)] as number;
      const high = all[Math.ceil(rank)] as number;
      return low + (high - low) * (rank - Math.floor(rank));
    }
  }
}
