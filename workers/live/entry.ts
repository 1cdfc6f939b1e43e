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

export class OpenEntry {
  /** Undefined when it could not be read: its rows are unchecked. */
  readonly batch: ColumnBatch | undefined;
  private readonly compared = new Map<LiveFilter, Compared>();
  private errorMask: Uint8Array | undefined;
  private hashes: number[] | undefined;
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

  /** The same for all events of an invocation; even over 32 bits. */
  hash(row: number): number {
    const column = this.batch?.columns.get(INVOCATION);
    if (column?.type !== "string") return 0;
    this.hashes ??= [];
    const at = column.index[row] as number;
    if (at < 0) return 0;
    let hash = this.hashes[at];
    if (hash === undefined) {
      hash = hash32(column.dict[at] as string);
      this.hashes[at] = hash;
    }
    return hash;
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

  /** Of the rows of a mask. */
  tally(mask: Uint8Array): Tally {
    const tally = emptyTally();
    const { errors } = this;
    const kinds = this.batch?.columns.get(KIND) as StringColumn | undefined;
    const byKind = new Map<number, number>();
    for (let row = mask.indexOf(1); row >= 0; row = mask.indexOf(1, row + 1)) {
      tally.events += 1;
      tally.errors += errors[row] as number;
      const at = kinds?.index[row] ?? -1;
      byKind.set(at, (byKind.get(at) ?? 0) + 1);
    }
    for (const [at, count] of byKind) {
      const kind = (kinds?.dict[at] ?? "raw") as Kind;
      tally.kinds[kind] = (tally.kinds[kind] ?? 0) + count;
    }
    return tally;
  }
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
