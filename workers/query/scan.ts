/**
 * Carries out a plan: reads batches, finds the rows that match, and hands them
 * to the sink. Live batches and row groups of segments look the same here.
 *
 * A row group is read in stages (cheap filters, text filters, then what the
 * sink needs), and a stage that leaves no row spares the rest. A few batches
 * are under way at once, so that one waits for R2 while another is computed.
 */
import type { ColumnBatch, NumberColumn } from "../event/batch.ts";
import { OVERFLOW_COLUMN } from "../event/columns.ts";
import type { CatalogSegment } from "../store/catalog.ts";
import { unfoldAttributes } from "../store/overflow.ts";
import type { Budget } from "./budget.ts";
import { QueryFailure } from "./errors.ts";
import { columnsOf, type Node, stagesOf } from "./filter/compile.ts";
import { evaluate, rowsOf } from "./filter/evaluate.ts";
import { matchSlowly } from "./filter/slow-match.ts";
import { type IssueLookup, withIssues } from "./issues.ts";
import { SEGMENTS_AT_ONCE, SMALL_SEGMENT_BYTES, SMALL_SEGMENTS_AT_ONCE } from "./limits.ts";
import type { LiveBatch } from "./live.ts";
import { all, Places } from "./places.ts";
import type { Plan, TimeRange } from "./plan.ts";
import type { SealedGroup, SealedReader } from "./sealed.ts";
import { reading, type Sink } from "./sink.ts";

/** Share of rows below which most pages hold none of them: a page has some thousand rows. */
const FEW = 1 / 1_000;

export interface Scan {
  plan: Plan;
  sink: Sink;
  budget: Budget;
  live: readonly LiveBatch[];
  /** In the order of `sink.order`. */
  segments: readonly CatalogSegment[];
  reader: SealedReader;
  /** For the column `issue`, which no batch has. */
  issues?: IssueLookup;
  onProgress?: ((done: number, total: number) => void) | undefined;
  /** Stop after so many events: for answers that may look at a part only. */
  maxEvents?: number;
}

/** What could not be read, in words. */
export async function runScan(scan: Scan): Promise<string[]> {
  const { sink, budget } = scan;
  const missing: string[] = [];
  const stages = stagesOf(scan.plan.filter);
  for (const live of inOrder(scan.live, sink.order)) {
    budget.check();
    await budget.giveWay();
    if (sink.wants(live.minTime, live.maxTime)) await scanBatch(scan, stages, liveGroup(live));
  }
  let done = 0;
  let next = 0;
  let failures = 0;
  const count = width(scan);
  const places = new Places(count);
  const worker = async () => {
    while (next < scan.segments.length) {
      const segment = scan.segments[next++] as CatalogSegment;
      if (!sink.wants(segment.minTime, segment.maxTime) || enough(scan)) continue;
      const unread = await reading(() => scanSegment(scan, stages, segment, places));
      if (unread !== undefined) {
        failures++;
        missing.push(`${segment.key}: ${unread}`);
      }
      scan.onProgress?.(++done, scan.segments.length);
    }
  };
  // When one fails, the others must not go on.
  const stop = (error: unknown) => {
    next = scan.segments.length;
    budget.stop(error);
    throw error;
  };
  await all(Array.from({ length: count }, () => worker().catch(stop)));
  missing.push(...(await sink.finish()));
  if (failures > 0 && failures === budget.segments) {
    throw new QueryFailure({ code: "unavailable", message: `No segment could be read: ${missing[0]}. Try again.` });
  }
  return missing;
}

/** Newest first with a limit is often answered by the first segment: reading ahead would be for nothing. */
function width({ sink, segments }: Scan): number {
  if (sink.order !== "any") return 2;
  const bytes = segments.reduce((sum, s) => sum + s.bytes, 0);
  return bytes <= segments.length * SMALL_SEGMENT_BYTES ? SMALL_SEGMENTS_AT_ONCE : SEGMENTS_AT_ONCE;
}

function enough({ budget, maxEvents }: Scan): boolean {
  return maxEvents !== undefined && budget.events >= maxEvents;
}

function inOrder<T extends { minTime: number; maxTime: number }>(items: readonly T[], order: Sink["order"]): T[] {
  return [...items].sort((a, b) => (order === "oldest" ? a.minTime - b.minTime : b.maxTime - a.maxTime));
}

function liveGroup({ batch, minTime, maxTime }: LiveBatch): SealedGroup {
  const names = [...batch.columns.keys()];
  return { rows: batch.rows, minTime, maxTime, names, read: async (wanted) => unfolded(batch, wanted) };
}

/** Where a batch has more attributes than columns, the rest lies in one JSON column. */
function unfolded(batch: ColumnBatch, names: readonly string[]): ColumnBatch {
  const rest = batch.columns.get(OVERFLOW_COLUMN);
  if (rest?.type !== "string") return batch;
  const hidden = names.filter((name) => !batch.columns.has(name));
  return { rows: batch.rows, columns: new Map([...unfoldAttributes(rest, hidden), ...batch.columns]) };
}

async function scanSegment(
  scan: Scan,
  stages: readonly Node[],
  segment: CatalogSegment,
  places: Places,
): Promise<void> {
  const { sink, budget, plan } = scan;
  budget.segments++;
  await budget.giveWay();
  budget.check();
  const groups = (await scan.reader.open(segment)).filter(
    (g) => g.maxTime >= plan.range.from && g.minTime < plan.range.to,
  );
  const scanGroup = async (group: SealedGroup) => {
    if (!sink.wants(group.minTime, group.maxTime) || enough(scan)) return;
    await budget.giveWay();
    budget.check();
    await scanBatch(scan, stages, group);
  };
  if (sink.order === "any") await all(groups.map((group) => places.run(() => scanGroup(group))));
  else for (const group of inOrder(groups, sink.order)) await scanGroup(group);
}

async function scanBatch(scan: Scan, stages: readonly Node[], stored: SealedGroup): Promise<void> {
  const { plan, sink, budget, issues } = scan;
  const { range } = plan;
  const group = issues === undefined ? stored : withIssues(stored, issues);
  budget.events += group.rows;
  const inside = group.minTime >= range.from && group.maxTime < range.to;
  let mask: Uint8Array | undefined;
  if (!inside) {
    mask = timeMask(await group.read(["time"]), range);
    if (!mask.includes(1)) return;
  }
  for (const stage of stages) {
    const batch = await group.read([...columnsOf(stage)]);
    await matchSlowly(stage, batch, budget.pause);
    const matches = evaluate(stage, batch);
    if (mask !== undefined)
      for (let row = 0; row < matches.length; row++) matches[row] = (matches[row] as number) & (mask[row] as number);
    mask = matches;
    if (!mask.includes(1)) return;
  }
  let rows = mask === undefined ? Int32Array.from({ length: group.rows }, (_, row) => row) : rowsOf(mask);
  if (sink.first.length > 0) {
    rows = sink.narrow(await group.read(sink.first, fewOf(rows, group)), rows);
    if (rows.length === 0) return;
  }
  const batch = await group.read(sink.columns, fewOf(rows, group));
  for (const filter of sink.filters ?? []) await matchSlowly(filter, batch, budget.pause);
  sink.take(batch, rows, { names: group.names, read: (names, only) => group.read(names, only) });
}

/** Few rows: read the pages that hold them. Many: read, and keep for the next query, whole columns. */
function fewOf(rows: Int32Array, group: SealedGroup): Int32Array | undefined {
  return rows.length <= group.rows * FEW ? rows : undefined;
}

function timeMask(batch: ColumnBatch, { from, to }: TimeRange): Uint8Array {
  const mask = new Uint8Array(batch.rows);
  const time = batch.columns.get("time") as NumberColumn | undefined;
  if (time === undefined) return mask;
  for (let row = 0; row < mask.length; row++) {
    const t = time.data[row] as number;
    if (t >= from && t < to) mask[row] = 1;
  }
  return mask;
}
