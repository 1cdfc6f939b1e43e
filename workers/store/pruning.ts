/**
 * What the catalog knows of a segment's contents, so that the query planner
 * leaves out segments that surely hold no match. Built by the segment writer,
 * kept as JSON in D1 (`segments.pruning`), asked by `query/`.
 *
 * It must stay small, since every query reads it for every segment of its time
 * range: a budget in bytes is spent on the most selective knowledge first, and
 * what does not fit is simply not known. Not knowing is always safe.
 */
import type { Column, ColumnBatch, NumberColumn, StringColumn } from "../event/batch.ts";
import { CORE_BY_PHYSICAL, type ColumnType, ENTRY_COLUMN, OVERFLOW_COLUMN } from "../event/columns.ts";
import type { AttributeValue } from "../event/event.ts";
import { bloomMayContain, buildBloom, MIN_BITS_PER_KEY, openBloom, type WireBloom } from "./bloom.ts";
import { overflowAttributes } from "./overflow.ts";

/** A column with at most so many different values gets all of them listed. */
const MAX_SET_VALUES = 64;
/** Text of one value set. */
const MAX_SET_CHARS = 1_024;
/** Characters of JSON for one segment. */
const MAX_PRUNING_CHARS = 8_192;
/** Bytes of one Bloom filter; base64 makes 4/3 of it. */
const MAX_BLOOM_BYTES = 2_048;

/** All that is known of one column. */
export interface ColumnPruning {
  t: ColumnType;
  /** Every value that occurs. */
  s?: string[];
  /** Numbers, times, booleans: [smallest, largest]. */
  r?: [number, number];
  /** Strings that begin with their time: [smallest, largest], by UTF-16 units. */
  m?: [string, string];
  /** Strings: filter over the values. */
  b?: WireBloom;
}

export interface Pruning {
  v: 1;
  columns: Record<string, ColumnPruning>;
  /** True when there are columns that are not listed. */
  more?: boolean;
}

export type PruneTest =
  | { op: "="; column: string; value: AttributeValue }
  | { op: "range"; column: string; min?: number; max?: number }
  | { op: "prefix"; column: string; value: string }
  /** Any of these. */
  | { op: "in"; column: string; values: ReadonlySet<string> }
  | { op: "exists"; column: string };

/** Fingerprints are few and lead to one issue among thousands of segments; ids get their filters before anything else does. */
const BLOOM_FIRST = ["tailrace.fingerprint", "trace_id", "cloudflare.ray_id", "cloudflare.durable_object.id"];
/** Nobody asks for these by equality. */
const NO_BLOOM = new Set(["message", "exception.stacktrace", "span_id", "parent_span_id"]);
/** Ids that begin with their time: the first and the last one exclude nearly every other segment. */
const TIME_ORDERED = new Set(["faas.invocation_id"]);
/** Longer ids are somebody else's. */
const MAX_BOUND_CHARS = 64;

export function buildPruning(batch: ColumnBatch): Pruning {
  const columns: Record<string, ColumnPruning> = Object.create(null);
  const pruning: Pruning = { v: 1, columns };
  let left = MAX_PRUNING_CHARS - JSON.stringify(pruning).length - ROOM_FOR_MORE;
  const filters: [name: string, keys: string[]][] = [];
  const overflow = batch.columns.get(OVERFLOW_COLUMN);
  const hidden = new Map(overflow?.type === "string" ? overflowAttributes(overflow).map((a) => [a.name, a.type]) : []);
  for (const name of byImportance(batch, hidden.keys())) {
    const column = batch.columns.get(name);
    // Values in the overflow column too: that the attribute occurs is all that is known.
    const inSight = hidden.has(name) ? undefined : column;
    const found = inSight === undefined ? { known: { t: column?.type ?? hidden.get(name) } } : look(name, inSight);
    if (found === undefined) continue;
    let known = found.known as ColumnPruning;
    if (entryCost(name, known) > left) known = { t: known.t };
    if (entryCost(name, known) > left) {
      pruning.more = true;
      continue;
    }
    left -= entryCost(name, known);
    columns[name] = known;
    if ("keys" in found && found.keys !== undefined) filters.push([name, found.keys]);
  }
  addFilters(columns, filters, left);
  return pruning;
}

/** `,"more":true` */
const ROOM_FOR_MORE = 16;

/** What is to be known of a column, and the keys for a filter if that is not all. Undefined: it has no values. */
function look(name: string, column: Column): { known: ColumnPruning; keys?: string[] } | undefined {
  if (column.type !== "string") {
    const r = numberRange(column);
    return r && { known: { t: column.type, r } };
  }
  const used = usedEntries(column, TIME_ORDERED.has(name) ? Number.POSITIVE_INFINITY : MAX_BLOOM_KEYS);
  if (used.length === 0) return undefined;
  if (used.length <= MAX_SET_VALUES) {
    const s = [...new Set(used)].sort();
    if (textLength(s) <= MAX_SET_CHARS) return { known: { t: "string", s } };
  }
  const known: ColumnPruning = { t: "string" };
  if (TIME_ORDERED.has(name)) known.m = bounds(used);
  if (NO_BLOOM.has(name) || used.length > MAX_BLOOM_KEYS) return { known };
  return { known, keys: used };
}

/** Core columns first, then attributes, then those in the overflow column. */
function byImportance(batch: ColumnBatch, hidden: Iterable<string>): Set<string> {
  const core: string[] = [];
  const rest: string[] = [];
  for (const name of batch.columns.keys()) {
    if (name !== OVERFLOW_COLUMN && name !== ENTRY_COLUMN) (CORE_BY_PHYSICAL.has(name) ? core : rest).push(name);
  }
  return new Set([...core, ...rest, ...hidden]);
}

function addFilters(columns: Record<string, ColumnPruning>, wanted: [string, string[]][], left: number): void {
  const rank = (name: string) => (BLOOM_FIRST.indexOf(name) + 1 || BLOOM_FIRST.length + 1) as number;
  wanted.sort((a, b) => rank(a[0]) - rank(b[0]));
  for (const [name, keys] of wanted) {
    const bloom = buildBloom(keys, Math.min(MAX_BLOOM_BYTES, Math.floor((left * 3) / 4) - 32));
    if (bloom === undefined) continue;
    (columns[name] as ColumnPruning).b = bloom;
    left -= bloom.bits.length + 24;
  }
}

function entryCost(name: string, known: ColumnPruning): number {
  return JSON.stringify(name).length + JSON.stringify(known).length + 2;
}

function textLength(values: readonly string[]): number {
  let length = 0;
  for (const value of values) length += value.length;
  return length;
}

/** More keys than this fill no filter that is of use. */
const MAX_BLOOM_KEYS = (MAX_BLOOM_BYTES * 8) / MIN_BITS_PER_KEY;

/** The entries that rows use; a dictionary may have others, and the same one twice. Of more than `most`, only some. */
function usedEntries({ dict, index }: StringColumn, most: number): string[] {
  const used = new Uint8Array(dict.length);
  const entries: string[] = [];
  const enough = Math.min(dict.length, most + 1);
  for (let row = 0; row < index.length && entries.length < enough; row++) {
    const at = index[row] as number;
    if (at < 0 || used[at] === 1) continue;
    used[at] = 1;
    entries.push(dict[at] as string);
  }
  return entries;
}

function bounds(values: readonly string[]): [string, string] | undefined {
  let min = values[0] as string;
  let max = min;
  for (const value of values) {
    if (value.length > MAX_BOUND_CHARS) return undefined;
    if (value < min) min = value;
    else if (value > max) max = value;
  }
  return [min, max];
}

function numberRange(column: NumberColumn): [number, number] | undefined {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let any = false;
  for (let row = 0; row < column.data.length; row++) {
    const value = column.data[row] as number;
    if (Number.isNaN(value)) continue;
    any = true;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (!any) return undefined;
  // JSON has no infinity.
  return [Math.max(min, -Number.MAX_VALUE), Math.min(max, Number.MAX_VALUE)];
}

/** False only if the segment surely has no row that passes the test. Values compare exactly, case included. */
export function mayMatch(pruning: Pruning, test: PruneTest): boolean {
  const known = Object.hasOwn(pruning.columns, test.column) ? pruning.columns[test.column] : undefined;
  if (known === undefined) return pruning.more === true;
  switch (test.op) {
    case "exists":
      return true;
    case "prefix":
      if (known.m !== undefined)
        return known.m[0].slice(0, test.value.length) <= test.value && test.value <= known.m[1];
      return known.s === undefined || known.s.some((value) => value.startsWith(test.value));
    case "range":
      return rangeMayMatch(known, test.min, test.max);
    case "=":
      return equalMayMatch(known, test.value);
    case "in":
      return anyMayMatch(known, test.values);
  }
}

/** With more values than this, a filter that lets one in a hundred through lets nearly every segment through. */
const MAX_TESTED_VALUES = 200;

function anyMayMatch(known: ColumnPruning, values: ReadonlySet<string>): boolean {
  if (values.size === 0) return false;
  if (known.s !== undefined) return known.s.some((value) => values.has(value));
  if (known.b === undefined || values.size > MAX_TESTED_VALUES) return true;
  const filter = openBloom(known.b);
  for (const value of values) if (filter(value)) return true;
  return false;
}

function rangeMayMatch(known: ColumnPruning, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): boolean {
  // A string column may hold numbers as text; how those compare is the query's business.
  if (known.r === undefined) return true;
  return overlaps(known.r, min, max);
}

function overlaps([low, high]: [number, number], min: number, max: number): boolean {
  // The ends of a range stand for infinity too.
  const lowest = low === -Number.MAX_VALUE ? Number.NEGATIVE_INFINITY : low;
  const highest = high === Number.MAX_VALUE ? Number.POSITIVE_INFINITY : high;
  return lowest <= max && highest >= min;
}

function equalMayMatch(known: ColumnPruning, value: AttributeValue): boolean {
  if (known.r !== undefined) {
    const number = value === "true" ? 1 : value === "false" ? 0 : Number(value);
    return Number.isNaN(number) || overlaps(known.r, number, number);
  }
  const text = String(value);
  if (known.s !== undefined) return known.s.includes(text);
  if (known.m !== undefined && (text < known.m[0] || text > known.m[1])) return false;
  return known.b === undefined || bloomMayContain(known.b, text);
}
