/**
 * A pushed entry → trace items, one per invocation, in the order in which they
 * were stored. The item is the one that came along (`LiveExtras.items`), else it
 * is made again of the events (`rebuild.ts`). Lazily: what no filter looks at and
 * nobody is sent is neither parsed nor made.
 */
import { type ColumnBatch, cell } from "../../event/batch.ts";
import { isFailure } from "../../event/failure.ts";
import { fieldOf } from "../../query/language/ast.ts";
import type { LiveExtras, TailFilter } from "../contract.ts";
import { rebuild } from "./rebuild.ts";

export interface TraceItem {
  invocationId: string;
  /** Failed, threw, or said something at level error. */
  failed: boolean;
  /** Events of it. */
  rows: number;
  item: Record<string, unknown>;
  /** JSON of it. */
  text(): string;
  /** What its console calls print, one text each. */
  printed(): readonly string[];
}

const INVOCATION = fieldOf("invocation_id", 0).physical;
const OUTCOME = fieldOf("outcome", 0).physical;
const STATUS = fieldOf("status", 0).physical;
const LEVEL = fieldOf("level", 0).physical;

export function traceItems(batch: ColumnBatch, extras: LiveExtras | undefined): TraceItem[] {
  const items: TraceItem[] = [];
  for (const [id, rows] of rowsByInvocation(batch)) items.push(new LazyItem(id, rows, batch, extras));
  return items;
}

/** For a tail with `debug`: what a filter would have left out, with that filter beside it. */
export function withBlocker({ item }: TraceItem, filter: TailFilter): string {
  return JSON.stringify({ ...item, filteredBy: filter });
}

function rowsByInvocation(batch: ColumnBatch): Map<string, number[]> {
  const column = batch.columns.get(INVOCATION);
  const found = new Map<string, number[]>();
  for (let row = 0; row < batch.rows; row++) {
    const id = String(cell(column, row) ?? "");
    const rows = found.get(id);
    if (rows === undefined) found.set(id, [row]);
    else rows.push(row);
  }
  return found;
}

class LazyItem implements TraceItem {
  readonly rows: number;
  private made: Record<string, unknown> | undefined;
  private written: string | undefined;
  private lines: string[] | undefined;
  private readonly at: readonly number[];

  constructor(
    readonly invocationId: string,
    rows: readonly number[],
    private readonly batch: ColumnBatch,
    private readonly extras: LiveExtras | undefined,
  ) {
    this.at = rows;
    this.rows = rows.length;
  }

  get failed(): boolean {
    const { columns } = this.batch;
    const first = this.at[0] as number;
    const outcome = cell(columns.get(OUTCOME), first);
    const status = cell(columns.get(STATUS), first);
    if (isFailure(outcome as string | undefined, status as number | undefined)) return true;
    const level = columns.get(LEVEL);
    return this.at.some((row) => cell(level, row) === "error");
  }

  get item(): Record<string, unknown> {
    this.made ??= this.given() ?? rebuild(this.batch, this.at, this.extras?.stacks);
    return this.made;
  }

  text(): string {
    this.written ??= this.givenText ?? JSON.stringify(this.item);
    return this.written;
  }

  /** Once, however many tails search in it. */
  printed(): readonly string[] {
    this.lines ??= linesOf(this.item);
    return this.lines;
  }

  private get givenText(): string | undefined {
    const items = this.extras?.items;
    return items !== undefined && Object.hasOwn(items, this.invocationId) ? items[this.invocationId] : undefined;
  }

  private given(): Record<string, unknown> | undefined {
    const text = this.givenText;
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
  }
}

/** Texts as they are, other values as JSON. */
export function linesOf({ logs }: Record<string, unknown>): string[] {
  if (!Array.isArray(logs)) return [];
  return logs.flatMap((log: unknown) => {
    const message: unknown = typeof log === "object" && log !== null && "message" in log ? log.message : undefined;
    if (message === undefined) return [];
    const parts: unknown[] = Array.isArray(message) ? message : [message];
    return [parts.map((part) => (typeof part === "string" ? part : (JSON.stringify(part) ?? ""))).join(" ")];
  });
}
