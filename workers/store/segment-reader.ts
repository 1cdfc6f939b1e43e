/**
 * Reads segments back: the footer first, then only the column chunks that a
 * query names, in as few ranges as pays. Callers: `query/` and compaction. The
 * source is R2 in production and an array in tests.
 */
import type { Column, ColumnBatch } from "../event/batch.ts";
import { type ColumnType, ENTRY_COLUMN, OVERFLOW_COLUMN } from "../event/columns.ts";
import { mergeBatches } from "./merge.ts";
import { unfoldAttributes } from "./overflow.ts";
import { decodeChunk, Unsupported } from "./parquet/decode.ts";
import { type Footer, type FooterChunk, type FooterColumn, type FooterGroup, readFooter } from "./parquet/footer.ts";
import { readForeign } from "./parquet/foreign.ts";
import { OVERFLOW_KEY } from "./segment-writer.ts";

/** Callers count the reads and bytes themselves. */
export interface ByteSource {
  /** Fewer bytes than asked for mean that the object ends there. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface RowGroupInfo {
  rows: number;
  /** Microseconds since the epoch; infinite when the file does not say. */
  minTime: number;
  maxTime: number;
}

export interface Segment {
  rows: number;
  rowGroups: readonly RowGroupInfo[];
  /** Every column, also the attributes that share the overflow column. */
  columns: readonly { name: string; type: ColumnType }[];
  /** Columns as they lie in the file: the overflow column in place of those that share it. ENTRY_COLUMN is read by its name only. */
  stored: readonly string[];
  /**
   * Columns that the segment does not have are missing from the answer. Dictionaries may hold an entry twice.
   * With `only` (ascending), the other rows may come as null: pages without any of them stay packed.
   */
  read(rowGroup: number, names: readonly string[], only?: Int32Array): Promise<ColumnBatch>;
  /** All of `stored`: for compaction. */
  readStored(rowGroup: number): Promise<ColumnBatch>;
  /** The same, and ENTRY_COLUMN where there is one: for delivery. */
  readSealed(rowGroup: number): Promise<ColumnBatch>;
}

/** The object is not a segment that can be read: truncated, damaged, or written by something else. */
export class SegmentError extends Error {
  readonly tag = "segment_unreadable";
}

/** The first read takes so much of the end: most segments' footers, and small segments whole. */
const TAIL_BYTES = 64 * 1024;
/** Reading on over a gap costs less than another round trip to the bucket, up to about here. */
const MAX_GAP_BYTES = 128 * 1024;
/** A damaged length must not ask for more than a Worker has; ours are below 100 KB for a million rows. */
const MAX_FOOTER_BYTES = 8 * 1024 * 1024;
const MAGIC = 0x31524150;

export async function openSegment(source: ByteSource, size: number): Promise<Segment> {
  return guard(async () => {
    const tail = await TailSource.open(source, size);
    const footer = readFooter(tail.footer, size);
    return new ParquetSegment(tail.source, size, footer);
  });
}

/** Serves what the first read brought already. */
class TailSource implements ByteSource {
  private readonly source: ByteSource;
  private readonly tail: Uint8Array;
  private readonly tailStart: number;

  private constructor(source: ByteSource, tail: Uint8Array, tailStart: number) {
    this.source = source;
    this.tail = tail;
    this.tailStart = tailStart;
  }

  static async open(source: ByteSource, size: number): Promise<{ source: ByteSource; footer: Uint8Array }> {
    if (!(size >= 12)) throw new RangeError(`${size} bytes are no Parquet file`);
    const tailStart = Math.max(0, size - TAIL_BYTES);
    const tail = await exactly(source, tailStart, size - tailStart);
    const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
    if (view.getUint32(tail.length - 4, true) !== MAGIC) throw new RangeError("no Parquet magic at the end");
    const length = view.getUint32(tail.length - 8, true);
    if (length > size - 12 || length > MAX_FOOTER_BYTES) throw new RangeError(`footer of ${length} bytes`);
    const start = size - 8 - length;
    const footer =
      start >= tailStart ? tail.subarray(start - tailStart, tail.length - 8) : await exactly(source, start, length);
    // A large segment's tail is not worth keeping: it holds some of the last columns at best.
    if (tailStart > 0) return { source, footer };
    return { source: new TailSource(source, tail, tailStart), footer };
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const at = offset - this.tailStart;
    return at >= 0 ? this.tail.subarray(at, at + length) : this.source.read(offset, length);
  }
}

async function exactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.length !== length) throw new RangeError(`read ${bytes.length} of ${length} bytes at ${offset}`);
  return bytes;
}

class ParquetSegment implements Segment {
  readonly rows: number;
  readonly rowGroups: readonly RowGroupInfo[];
  readonly columns: readonly { name: string; type: ColumnType }[];
  readonly stored: readonly string[];
  private readonly source: ByteSource;
  private readonly size: number;
  private readonly footer: Footer;
  private readonly positions = new Map<string, number>();
  /** Attributes in the overflow column; undefined when there are too many to be listed. */
  private readonly overflow: ReadonlyMap<string, ColumnType> | undefined;

  constructor(source: ByteSource, size: number, footer: Footer) {
    this.source = source;
    this.size = size;
    this.footer = footer;
    this.rows = footer.rows;
    this.rowGroups = footer.groups;
    for (const [i, { name }] of footer.columns.entries()) this.positions.set(name, i);
    this.overflow = this.positions.has(OVERFLOW_COLUMN)
      ? parseOverflowList(footer.keyValues.get(OVERFLOW_KEY))
      : new Map();
    const visible = footer.columns.filter(({ name }) => name !== ENTRY_COLUMN);
    this.stored = visible.map(({ name }) => name);
    const own = visible.filter(({ name }) => name !== OVERFLOW_COLUMN);
    const rare = [...(this.overflow ?? [])].filter(([name]) => !this.positions.has(name));
    this.columns = [...own.map(({ name, type }) => ({ name, type })), ...rare.map(([name, type]) => ({ name, type }))];
  }

  async read(rowGroup: number, names: readonly string[], only?: Int32Array): Promise<ColumnBatch> {
    const columns = await guard(() => this.readColumns(rowGroup, names, only));
    return { rows: this.group(rowGroup).rows, columns };
  }

  async readStored(rowGroup: number): Promise<ColumnBatch> {
    const columns = await guard(() => this.readChunks(rowGroup, this.stored));
    return { rows: this.group(rowGroup).rows, columns };
  }

  async readSealed(rowGroup: number): Promise<ColumnBatch> {
    const columns = await guard(() => this.readChunks(rowGroup, [...this.positions.keys()]));
    return { rows: this.group(rowGroup).rows, columns };
  }

  private async readColumns(
    rowGroup: number,
    names: readonly string[],
    only?: Int32Array,
  ): Promise<Map<string, Column>> {
    const hidden = names.filter((name) => this.mayOverflow(name));
    const stored = names.filter((name) => this.positions.has(name));
    if (hidden.length === 0) return this.readChunks(rowGroup, stored, only);
    const columns = await this.readChunks(rowGroup, [...stored, OVERFLOW_COLUMN], only);
    const objects = columns.get(OVERFLOW_COLUMN) as Column;
    if (!names.includes(OVERFLOW_COLUMN)) columns.delete(OVERFLOW_COLUMN);
    if (objects.type !== "string") return columns;
    for (const [name, rare] of unfoldAttributes(objects, hidden)) {
      const own = columns.get(name);
      columns.set(name, own === undefined ? rare : united(own, rare));
    }
    return columns;
  }

  private mayOverflow(name: string): boolean {
    if (name === OVERFLOW_COLUMN) return false;
    return this.overflow === undefined || this.overflow.has(name);
  }

  private group(rowGroup: number): FooterGroup {
    const group = this.footer.groups[rowGroup];
    if (group === undefined) throw new Error(`BUG: row group ${rowGroup} of ${this.footer.groups.length}`);
    return group;
  }

  private async readChunks(
    rowGroup: number,
    names: readonly string[],
    only?: Int32Array,
  ): Promise<Map<string, Column>> {
    const group = this.group(rowGroup);
    const wanted = [...new Set(names)].map((name) => this.positions.get(name) as number);
    const bytes = await fetchChunks(
      this.source,
      wanted.map((i) => group.chunks[i] as FooterChunk),
    );
    const columns = new Map<string, Column>();
    for (let i = 0; i < wanted.length; i++) {
      const position = wanted[i] as number;
      const column = this.footer.columns[position] as FooterColumn;
      const chunk = group.chunks[position] as FooterChunk;
      columns.set(column.name, await this.decode(rowGroup, column, chunk, bytes[i] as Uint8Array, only));
    }
    return columns;
  }

  private async decode(
    rowGroup: number,
    column: FooterColumn,
    chunk: FooterChunk,
    bytes: Uint8Array,
    only: Int32Array | undefined,
  ) {
    try {
      return decodeChunk(bytes, column, chunk.codec, this.group(rowGroup).rows, only);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
    }
    let rowStart = 0;
    for (let i = 0; i < rowGroup; i++) rowStart += this.group(i).rows;
    const rowEnd = rowStart + this.group(rowGroup).rows;
    return readForeign(this.source, this.size, { name: column.name, type: column.type, rowStart, rowEnd });
  }
}

/** After a compaction an attribute may have a column and still lie in the overflow of other rows. */
function united(own: Column, rare: Column): Column {
  const rows = own.type === "string" ? own.index.length : own.data.length;
  const both = mergeBatches([
    { rows, columns: new Map([["x", own]]) },
    { rows, columns: new Map([["x", rare]]) },
  ]).columns.get("x") as Column;
  if (both.type === "string") {
    const index = both.index.slice(0, rows);
    for (let row = 0; row < rows; row++) if ((index[row] as number) < 0) index[row] = both.index[rows + row] as number;
    return { type: "string", dict: both.dict, index };
  }
  const data = both.data.slice(0, rows);
  for (let row = 0; row < rows; row++) if (Number.isNaN(data[row])) data[row] = both.data[rows + row] as number;
  return { type: both.type, data };
}

function parseOverflowList(text: string | undefined): ReadonlyMap<string, ColumnType> | undefined {
  if (text === undefined) return undefined;
  const types: readonly unknown[] = ["string", "number", "boolean"];
  const list: unknown = JSON.parse(text);
  const valid = (item: unknown): item is [string, ColumnType] =>
    Array.isArray(item) && typeof item[0] === "string" && types.includes(item[1]);
  if (!Array.isArray(list) || !list.every(valid)) throw new RangeError("damaged list of overflow attributes");
  return new Map(list);
}

/** One read per run of chunks that lie close together; the bytes of each chunk, in the given order. */
async function fetchChunks(source: ByteSource, chunks: readonly FooterChunk[]): Promise<Uint8Array[]> {
  const order = chunks
    .map((_, i) => i)
    .sort((a, b) => (chunks[a] as FooterChunk).offset - (chunks[b] as FooterChunk).offset);
  const runs: { start: number; end: number; members: number[] }[] = [];
  for (const i of order) {
    const { offset, length } = chunks[i] as FooterChunk;
    const last = runs[runs.length - 1];
    if (last !== undefined && offset - last.end <= MAX_GAP_BYTES) {
      last.end = Math.max(last.end, offset + length);
      last.members.push(i);
    } else runs.push({ start: offset, end: offset + length, members: [i] });
  }
  const result = new Array<Uint8Array>(chunks.length);
  await Promise.all(
    runs.map(async ({ start, end, members }) => {
      const bytes = await exactly(source, start, end - start);
      for (const i of members) {
        const { offset, length } = chunks[i] as FooterChunk;
        result[i] = bytes.subarray(offset - start, offset - start + length);
      }
    }),
  );
  return result;
}

/** Whatever a damaged file makes the decoders throw becomes one tagged error. Bugs stay bugs. */
async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SegmentError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    if (message.startsWith("BUG:")) throw error;
    throw new SegmentError(message, { cause: error });
  }
}
