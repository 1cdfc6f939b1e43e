/**
 * A pushed entry while it is compared and shown: decoded once, whatever is worth
 * knowing of a row made once, however many audiences look at it. Nothing is made
 * of a row that nobody is shown.
 */
import { type ColumnBatch, cell, type StringColumn } from "../event/batch.ts";
import { decodeBatch } from "../event/batch-wire.ts";
import type { Kind } from "../event/event.ts";
import { EventTexts } from "../query/event-json.ts";
import { evaluate } from "../query/filter/evaluate.ts";
import { fieldOf } from "../query/language/ast.ts";
import { hash32 } from "../util/hash.ts";
import type { LiveExtras } from "./contract.ts";
import type { LiveFilter } from "./filter.ts";
import type { Received } from "./ring.ts";
import { type Compared, compare, type StepBudget } from "./steps.ts";
import { emptyTally, type Tally } from "./tally.ts";

const KIND = fieldOf("kind", 0).physical;
const LEVEL = fieldOf("level", 0).physical;
const INVOCATION = fieldOf("invocation_id", 0).physical;
const SEQ = fieldOf("seq", 0).physical;

/** `hashes[k]` is of `rows[k]`; ascending. */
export interface RowsByHash {
  rows: readonly number[];
  hashes: readonly number[];
}

export class OpenEntry {
  /** Undefined when it could not be read: its rows are unchecked. */
  readonly batch: ColumnBatch | undefined;
  private readonly compared = new Map<LiveFilter, Compared>();
  private errorMask: Uint8Array | undefined;
  private sorted: [others: RowsByHash, errors: RowsByHash] | undefined;
  private texts: EventTexts | undefined;
  private readonly made: string[] = [];
  private parsedExtras: LiveExtras | undefined;

  constructor(readonly raw: Received) {
    this.batch = decode(raw);
  }

  get extras(): LiveExtras | undefined {
    if (this.raw.extras !== "") this.parsedExtras ??= parse(this.raw.extras);
    return this.parsedExtras;
  }

  /** Rows that match. Compared once per filter. */
  compare(filter: LiveFilter, budget: StepBudget): Compared {
    const known = this.compared.get(filter);
    if (known !== undefined) return known;
    const { batch } = this;
    const made =
      batch === undefined || filter.node === undefined
        ? { mask: new Uint8Array(0), unchecked: this.raw.rows }
        : compare(filter.node, batch, budget);
    this.compared.set(filter, made);
    return made;
  }

  /** 1: at level error, or of an invocation that failed. */
  get errors(): Uint8Array {
    this.errorMask ??= this.batch === undefined ? new Uint8Array(0) : errorsOf(this.batch);
    return this.errorMask;
  }

  /** Rows with errors, or the others, by the hash of their invocation: sorted once, however many audiences take a sample. */
  byHash(errors: 0 | 1): RowsByHash {
    this.sorted ??= this.sort();
    return this.sorted[errors];
  }

  private sort(): [others: RowsByHash, errors: RowsByHash] {
    const hashes = this.rowHashes();
    const sides: [number[], number[]] = [[], []];
    for (let row = 0; row < hashes.length; row++) sides[this.errors[row] === 1 ? 1 : 0].push(row);
    const sorted = (rows: number[]): RowsByHash => {
      rows.sort((a, b) => (hashes[a] as number) - (hashes[b] as number) || a - b);
      return { rows, hashes: rows.map((row) => hashes[row] as number) };
    };
    return [sorted(sides[0]), sorted(sides[1])];
  }

  /** The same for all events of an invocation; even over 32 bits. */
  private rowHashes(): number[] {
    const column = this.batch?.columns.get(INVOCATION);
    if (column?.type !== "string") return new Array<number>(this.batch?.rows ?? 0).fill(0);
    const { dict, index } = column;
    const ofName: number[] = [];
    return Array.from(index, (at) => {
      if (at < 0) return 0;
      ofName[at] ??= hash32(dict[at] as string);
      return ofName[at] as number;
    });
  }

  invocation(row: number): string {
    return String(cell(this.batch?.columns.get(INVOCATION), row) ?? "");
  }

  /** The event as JSON text. */
  text(row: number): string {
    const known = this.made[row];
    if (known !== undefined) return known;
    if (this.batch === undefined) throw new Error("BUG: a row of an entry that cannot be read");
    this.texts ??= new EventTexts(this.batch);
    const text = this.texts.text(row, this.mappedStack(row));
    this.made[row] = text;
    return text;
  }

  private mappedStack(row: number): { mapped_stack: string } | undefined {
    const stacks = this.extras?.stacks;
    if (stacks === undefined) return undefined;
    const columns = this.batch?.columns;
    const stack = stacks[`${cell(columns?.get(INVOCATION), row)}.${cell(columns?.get(SEQ), row)}`];
    return stack === undefined ? undefined : { mapped_stack: stack };
  }

  /** Of the rows of a mask. A plain loop: it runs for every audience, and most rows are in most masks. */
  tally(mask: Uint8Array): Tally {
    const tally = emptyTally();
    const { errors } = this;
    const kinds = this.batch?.columns.get(KIND) as StringColumn | undefined;
    const dict = kinds?.dict ?? [];
    const index = kinds?.index ?? new Int32Array(mask.length).fill(-1);
    // In front: those without a kind.
    const counts = new Int32Array(dict.length + 1);
    for (let row = 0; row < mask.length; row++) {
      if (mask[row] !== 1) continue;
      tally.events += 1;
      tally.errors += errors[row] as number;
      const at = (index[row] as number) + 1;
      counts[at] = (counts[at] as number) + 1;
    }
    for (const [k, count] of counts.entries()) {
      if (count === 0) continue;
      const kind = (dict[k - 1] ?? "raw") as Kind;
      tally.kinds[kind] = (tally.kinds[kind] ?? 0) + count;
    }
    return tally;
  }
}

const opened = new WeakMap<Received, WeakRef<OpenEntry>>();

/** One that is kept: hundreds who come again share what is made of it, for as long as they need it. */
export function openEntry(raw: Received): OpenEntry {
  const known = opened.get(raw)?.deref();
  if (known !== undefined) return known;
  const entry = new OpenEntry(raw);
  opened.set(raw, new WeakRef(entry));
  return entry;
}

function decode({ batch, shard, id }: Received): ColumnBatch | undefined {
  try {
    return decodeBatch(batch);
  } catch (error) {
    console.error(`live: entry ${id} of ${shard} cannot be read: ${String(error)}`);
    return undefined;
  }
}

function parse(extras: string): LiveExtras {
  try {
    return JSON.parse(extras) as LiveExtras;
  } catch {
    return {};
  }
}

function errorsOf(batch: ColumnBatch): Uint8Array {
  const mask = evaluate({ kind: "failed" }, batch);
  const level = batch.columns.get(LEVEL);
  if (level?.type !== "string") return mask;
  const { dict, index } = level;
  for (let at = dict.indexOf("error"); at >= 0; at = dict.indexOf("error", at + 1)) {
    for (let row = 0; row < index.length; row++) if (index[row] === at) mask[row] = 1;
  }
  return mask;
}
