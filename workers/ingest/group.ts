/**
 * One group commit: what all tail calls of a window have to say about one
 * Worker, in columns, with its rollups and its ledger. `intake.ts` fills it,
 * `group-commit.ts` sends it. Until it is durable it can be cut down to what
 * must not be shed.
 */
import type { AppendRequest } from "../buffer/contract.ts";
import type { IssueDelta } from "../errors/delta.ts";
import { eventAt } from "../event/batch.ts";
import { BatchBuilder } from "../event/batch-builder.ts";
import { decodeBatch } from "../event/batch-wire.ts";
import type { InvocationFields, OwnFields, TailraceEvent } from "../event/event.ts";
import { type LedgerDelta, type LedgerReason, MINUTE_US, RollupBuilder, type RollupDelta } from "../event/rollup.ts";
import { type Affected, DeltaBuilder } from "./grouping/deltas.ts";
import type { Grouped } from "./grouping/grouper.ts";
import type { SentExemplars } from "./grouping/sent-exemplars.ts";

/** Far below what one append may carry (4 MB): JSON escapes make text longer than estimated. */
const MAX_BATCH_BYTES = 3_000_000;
/** Deltas of issues that go with events; where there are more, or the events fill an append, they have appends of their own. */
const MAX_DELTAS_BYTES = 600_000;
/** UTF-8 of one UTF-16 unit. */
const MAX_BYTES_PER_CHAR = 3;

/** What a batch takes before there is anything in it (measured): a body may name a thousand Workers. */
const BUILDER_BYTES = 10_000;
/** JSON of a minute's ledger beside the Worker's name: every reason, with its number. */
const LEDGER_BYTES = 150;

type Counts = Partial<Record<LedgerReason, number>>;

/** Items of one minute. Kept ones are told apart by whether an overload may shed them. */
interface MinuteCounts {
  counts: Counts;
  kept: number;
  essentialKept: number;
  events: number;
  essentialEvents: number;
}

export class Group {
  readonly script: string;
  readonly shard: number;
  /** Over how many shards the Worker was spread when this group began. */
  readonly spread: number;
  /** Made for the first event: most of what a group takes in memory, and groups of nothing but counts need none. */
  private batch: BatchBuilder | undefined;
  /** Of the closed group. */
  private text = "";
  private closedRows = 0;
  private closedBytes = 0;
  private readonly rollups = new RollupBuilder();
  /** Made for the first error. */
  private deltas: DeltaBuilder | undefined;
  private readonly sent: SentExemplars;
  /** Counted, kept or not. */
  items = 0;
  private readonly minutes = new Map<number, MinuteCounts>();
  /** First row and number of rows of each invocation that must not be shed. */
  private readonly essential: number[] = [];
  private essentialRows = 0;

  constructor(script: string, shard: number, spread: number, sent: SentExemplars) {
    this.sent = sent;
    this.script = script;
    this.shard = shard;
    this.spread = spread;
  }

  get rows(): number {
    return (this.batch?.rows ?? 0) + this.closedRows;
  }
  /** Of events and of counts: items that are dropped leave counts, as many as there are minutes and versions. */
  get bytes(): number {
    const ledgerBytes = this.minutes.size * (LEDGER_BYTES + this.script.length);
    const batchBytes = this.batch === undefined ? 0 : BUILDER_BYTES + this.batch.bytes;
    return batchBytes + this.closedBytes + this.rollups.bytes + ledgerBytes + (this.deltas?.bytes ?? 0);
  }
  /** Attribute columns. */
  get width(): number {
    return this.batch?.width ?? 0;
  }
  get sheddable(): boolean {
    return this.essentialRows < this.rows;
  }

  keep(fields: InvocationFields, events: readonly OwnFields[], essential: boolean): void {
    this.batch ??= new BatchBuilder();
    const minute = this.minute((events[0] as OwnFields).time);
    add(minute.counts, "received");
    if (essential) {
      this.essential.push(this.batch.rows, events.length);
      this.essentialRows += events.length;
      minute.essentialKept++;
      minute.essentialEvents += events.length;
    } else {
      minute.kept++;
      minute.events += events.length;
    }
    this.batch.pushInvocation(fields, events);
  }

  /** What errors of an invocation that is kept add to issues. */
  addErrors(fields: InvocationFields, errors: readonly Grouped[], affected: Affected, nowMs: number): void {
    this.deltas ??= new DeltaBuilder(this.sent);
    for (const error of errors) this.deltas.add(fields, error, affected, nowMs);
  }

  /** The group is durable, with its errors. */
  stored(nowMs: number): void {
    this.deltas?.stored(nowMs);
  }

  /** Something that could not be read, kept as it came. */
  keepRaw(event: TailraceEvent): void {
    const minute = this.minute(event.time);
    add(minute.counts, "received");
    add(minute.counts, "unreadable");
    minute.kept++;
    minute.events++;
    this.batch ??= new BatchBuilder();
    this.batch.push(event);
  }

  drop(time: number, reason: "sampled_out" | "rate_limited" | "overloaded"): void {
    const { counts } = this.minute(time);
    add(counts, "received");
    add(counts, reason);
  }

  truncated(time: number): void {
    add(this.minute(time).counts, "truncated");
  }

  /** Rollups count every invocation seen, kept or not (docs/decisions/0007-rollups-count-what-was-seen.md). */
  count(fields: InvocationFields, time: number, duration: number | undefined, cpuTime: number | undefined): void {
    this.items++;
    this.rollups.count(fields, time, duration, cpuTime);
  }

  /** All of it, as the appends that carry it: one, unless the text is out of proportion. Nothing may be added after. */
  requests(): AppendRequest[] {
    const { batch } = this;
    if (batch === undefined) return this.toRequests(NO_EVENTS, this.ledger(false), !this.sheddable);
    const { rows, minTime, maxTime } = batch;
    this.text = batch.encode();
    // The text is all that is needed from here on, and several times smaller than the columns.
    this.closedRows = rows;
    this.closedBytes = batch.bytes;
    this.batch = undefined;
    return this.toRequests({ batch: this.text, rows, minTime, maxTime }, this.ledger(false), !this.sheddable);
  }

  /** What an overload leaves: the essential rows; the rest is in the ledger. */
  essentials(): AppendRequest[] {
    const kept = new BatchBuilder();
    if (this.essentialRows > 0) {
      const batch = decodeBatch(this.text);
      for (let i = 0; i < this.essential.length; i += 2) {
        const first = this.essential[i] as number;
        for (let n = 0; n < (this.essential[i + 1] as number); n++) kept.push(eventAt(batch, first + n));
      }
    }
    const { rows, minTime, maxTime } = kept;
    return this.toRequests({ batch: rows === 0 ? "" : kept.encode(), rows, minTime, maxTime }, this.ledger(true), true);
  }

  /** What is left to report when nothing could be stored: the counts. */
  counts(): { rollups: RollupDelta[]; ledger: LedgerDelta[] } {
    const ledger = [...this.minutes].map(([minute, { counts, kept, essentialKept }]) => ({
      minute,
      script: this.script,
      counts: plus(counts, { overloaded: kept + essentialKept }),
    }));
    return { rollups: this.rollups.build(), ledger };
  }

  private toRequests(part: Part, ledger: LedgerDelta[], essential: boolean): AppendRequest[] {
    const parts = part.rows === 0 ? [NO_EVENTS] : isTooLong(part.batch) ? split(part.batch) : [part];
    const rollups = this.rollups.build();
    const { deltas, again } = this.issues();
    // Beside events that fill an append there is no room for them.
    if (deltas.length > 0 && (parts[0] as Part).batch.length * MAX_BYTES_PER_CHAR > MAX_BATCH_BYTES) deltas.unshift([]);
    while (parts.length < deltas.length) parts.push(NO_EVENTS);
    while (deltas.length < parts.length) deltas.push([]);
    for (const chunk of again) {
      parts.push(NO_EVENTS);
      deltas.push(chunk);
    }
    return parts.map((one, i) => ({
      script: this.script,
      essential,
      spread: this.spread,
      batchId: crypto.randomUUID(),
      ...one,
      rollups: i === 0 ? rollups : [],
      ledger: i === 0 ? ledger : [],
      ...((deltas[i] as IssueDelta[]).length === 0 ? {} : { issues: deltas[i] }),
    }));
  }

  /** What errors add, as much as fits into an append at a time. `again`: what belongs to `shardOf`'s first shard. */
  private issues(): { deltas: IssueDelta[][]; again: IssueDelta[][] } {
    if (this.deltas === undefined) return { deltas: [], again: [] };
    const { bytes } = this.deltas;
    const all = this.deltas.build();
    if (this.shard === 0 || all.every((delta) => delta.replayable === undefined)) {
      return { deltas: chunksOf(all, bytes), again: [] };
    }
    const here = all.filter((delta) => delta.replayable === undefined);
    const elsewhere = all.filter((delta) => delta.replayable !== undefined);
    return { deltas: chunksOf(here, bytes), again: chunksOf(elsewhere, bytes) };
  }

  /**
   * Where a request goes. Occurrences that may come again are told to the first
   * shard alone, wherever their events lie: it knows which ones it has counted.
   */
  shardOf({ rows, issues }: AppendRequest): number {
    return rows === 0 && issues?.some((delta) => delta.replayable !== undefined) ? 0 : this.shard;
  }

  private ledger(shed: boolean): LedgerDelta[] {
    return [...this.minutes].map(([minute, m]) => ({
      minute,
      script: this.script,
      counts: plus(m.counts, {
        kept: m.essentialKept + (shed ? 0 : m.kept),
        events: m.essentialEvents + (shed ? 0 : m.events),
        overloaded: shed ? m.kept : 0,
      }),
    }));
  }

  private minute(time: number): MinuteCounts {
    const at = Math.floor(time / MINUTE_US) * 60;
    let minute = this.minutes.get(at);
    if (minute === undefined) {
      minute = { counts: {}, kept: 0, essentialKept: 0, events: 0, essentialEvents: 0 };
      this.minutes.set(at, minute);
    }
    return minute;
  }
}

function add(counts: Counts, reason: LedgerReason): void {
  counts[reason] = (counts[reason] ?? 0) + 1;
}

function plus(counts: Counts, more: Counts): Counts {
  const sum: Counts = { ...counts };
  for (const reason of Object.keys(more) as LedgerReason[]) {
    const value = (sum[reason] ?? 0) + (more[reason] ?? 0);
    if (value > 0) sum[reason] = value;
  }
  return sum;
}

function isTooLong(text: string): boolean {
  return text.length * MAX_BYTES_PER_CHAR > MAX_BATCH_BYTES && Buffer.byteLength(text) > MAX_BATCH_BYTES;
}

/** As many as fit into an append, in order. `estimate`: characters, each of which JSON may write as six. */
function chunksOf(deltas: IssueDelta[], estimate: number): IssueDelta[][] {
  if (deltas.length === 0) return [];
  if (estimate * 6 <= MAX_DELTAS_BYTES) return [deltas];
  const chunks: IssueDelta[][] = [];
  let bytes = MAX_DELTAS_BYTES;
  for (const delta of deltas) {
    const own = Buffer.byteLength(JSON.stringify(delta));
    if (bytes + own > MAX_DELTAS_BYTES) {
      chunks.push([]);
      bytes = 0;
    }
    (chunks[chunks.length - 1] as IssueDelta[]).push(delta);
    bytes += own;
  }
  return chunks;
}

type Part = Pick<AppendRequest, "batch" | "rows" | "minTime" | "maxTime">;
const NO_EVENTS: Part = { batch: "", rows: 0, minTime: 0, maxTime: 0 };

/** Halves until each part fits. Text that grows sixfold by escaping is made to annoy, so this may be slow. */
function split(text: string): Part[] {
  const { rows, ...batch } = decodeBatch(text);
  const half = Math.ceil(rows / 2);
  return [
    [0, half],
    [half, rows],
  ].flatMap(([from, to]) => {
    const builder = new BatchBuilder();
    for (let row = from as number; row < (to as number); row++) builder.push(eventAt({ rows, ...batch }, row));
    const part = builder.encode();
    const { minTime, maxTime } = builder;
    return isTooLong(part) && builder.rows > 1 ? split(part) : [{ batch: part, rows: builder.rows, minTime, maxTime }];
  });
}
