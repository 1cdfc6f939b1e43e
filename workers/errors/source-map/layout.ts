/**
 * Where things are in the seekable form (SOURCE-MAPS.md): the header, the roots
 * behind it, and the index pages that they point to. Two tables are indexed the
 * same way: blocks of mappings by position, pages of sources by number.
 */
import { ByteReader, type ByteWriter, SeekableMapError } from "./bytes.ts";
import { MAX_INDEX_PAGES, MAX_POSITION, MAX_SEEKABLE_BYTES, PAGE_ENTRIES } from "./limits.ts";

/** A byte that is no text, the name, and line ends that a transfer as text would change. */
export const MAGIC = Uint8Array.of(0x89, 0x54, 0x52, 0x53, 0x4d, 0x0d, 0x0a, 0x1a);
export const FORMAT_VERSION = 1;
export const HEADER_BYTES = 60;
export const ROOT_BYTES = 20;
/** Flags. */
export const HAS_FUNCTIONS = 1;

export interface Header {
  size: number;
  mappings: number;
  sources: number;
  functions: number;
  flags: number;
  blockPages: number;
  sourcePages: number;
  contentOffset: number;
  /** UUID or "". */
  debugId: string;
}

/** One index page: what it begins with, where it is, and where the first block that it lists is. */
export interface Root {
  line: number;
  column: number;
  pageOffset: number;
  pageLength: number;
  dataOffset: number;
}

export function writeHeader(header: Header, out: ByteWriter): void {
  out.raw(MAGIC);
  out.u32(FORMAT_VERSION);
  for (const value of [
    header.size,
    header.mappings,
    header.sources,
    header.functions,
    header.flags,
    header.blockPages,
    header.sourcePages,
    header.contentOffset,
  ]) {
    out.u32(value);
  }
  for (let i = 0; i < 4; i++)
    out.u32(Number.parseInt(header.debugId.replaceAll("-", "").slice(i * 8, i * 8 + 8) || "0", 16));
}

export function readHeader(head: Uint8Array, size: number): Header {
  if (head.length < HEADER_BYTES || !MAGIC.every((byte, i) => head[i] === byte)) {
    throw new SeekableMapError("not a seekable source map");
  }
  const reader = new ByteReader(head, MAGIC.length);
  const version = reader.u32();
  if (version !== FORMAT_VERSION) throw new SeekableMapError(`version ${version} of the format is not known`);
  const header: Header = {
    size: reader.u32(),
    mappings: reader.u32(),
    sources: reader.u32(),
    functions: reader.u32(),
    flags: reader.u32(),
    blockPages: reader.u32(),
    sourcePages: reader.u32(),
    contentOffset: reader.u32(),
    debugId: "",
  };
  let id = "";
  for (let i = 0; i < 4; i++) id += reader.u32().toString(16).padStart(8, "0");
  if (!/^0+$/.test(id)) header.debugId = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  if (header.size !== size) throw new SeekableMapError(`the blob has ${size} bytes, its header says ${header.size}`);
  if (size > MAX_SEEKABLE_BYTES || header.blockPages > MAX_INDEX_PAGES || header.sourcePages > MAX_INDEX_PAGES) {
    throw new SeekableMapError("the header claims more than the format allows");
  }
  if (header.contentOffset > size) throw new SeekableMapError("the source content is outside the blob");
  return header;
}

export function writeRoot(root: Root, out: ByteWriter): void {
  for (const value of [root.line, root.column, root.pageOffset, root.pageLength, root.dataOffset]) out.u32(value);
}

export function readRoots(head: Uint8Array, at: number, count: number, size: number): Root[] {
  const reader = new ByteReader(head, at);
  const roots: Root[] = [];
  for (let i = 0; i < count; i++) {
    const root = {
      line: reader.u32(),
      column: reader.u32(),
      pageOffset: reader.u32(),
      pageLength: reader.u32(),
      dataOffset: reader.u32(),
    };
    if (root.pageOffset + root.pageLength > size || root.pageLength > MAX_PAGE_BYTES || root.dataOffset > size) {
      throw new SeekableMapError("an index page is outside the blob");
    }
    roots.push(root);
  }
  return roots;
}

/** The count and three numbers of at most five bytes for each entry. */
const MAX_PAGE_BYTES = 5 + PAGE_ENTRIES * 15;

/** What an index page lists: the key of each block, in order, and its length; blocks lie one behind the other. */
export interface IndexEntry {
  line: number;
  column: number;
  length: number;
}

export function writePage(entries: IndexEntry[], out: ByteWriter): void {
  out.varint(entries.length);
  let line = 0;
  let column = 0;
  for (const entry of entries) {
    const down = entry.line - line;
    out.varint(down);
    out.varint(down === 0 ? entry.column - column : entry.column);
    out.varint(entry.length);
    line = entry.line;
    column = entry.column;
  }
}

export interface IndexPage {
  lines: Uint32Array;
  columns: Uint32Array;
  /** One more than there are blocks: the last is the end. */
  offsets: Uint32Array;
}

export function readPage(page: Uint8Array, root: Root, size: number): IndexPage {
  const reader = new ByteReader(page);
  const count = reader.count(PAGE_ENTRIES, 3);
  if (count === 0) throw new SeekableMapError("an index page is empty");
  const lines = new Uint32Array(count);
  const columns = new Uint32Array(count);
  const offsets = new Uint32Array(count + 1);
  let line = 0;
  let column = 0;
  let offset = root.dataOffset;
  for (let i = 0; i < count; i++) {
    const down = reader.varint();
    line += down;
    column = (down === 0 ? column : 0) + reader.varint();
    lines[i] = line;
    columns[i] = column;
    offsets[i] = offset;
    offset += reader.varint();
    if (line > MAX_POSITION || column > MAX_POSITION || offset > size) {
      throw new SeekableMapError("an index page points outside the blob");
    }
  }
  offsets[count] = offset;
  return { lines, columns, offsets };
}

/** Of positions in order, the last that is not behind the given one; −1 when all are. */
export function lastAtOrBefore(lines: Uint32Array, columns: Uint32Array, line: number, column: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = lines[middle] as number;
    if (at < line || (at === line && (columns[middle] as number) <= column)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
