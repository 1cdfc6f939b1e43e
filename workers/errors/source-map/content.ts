/**
 * Source content in chunks of whole lines, and the table that says for each
 * source in which chunks its lines are. Small sources share a chunk. Text is
 * kept as one run with the length of each line, so that a line is a slice.
 */
import { ByteReader, ByteWriter, SeekableMapError, textOf, utf8 } from "./bytes.ts";
import { compressBlock } from "./compress.ts";
import { CHUNK_BYTES, MAX_BLOCK_BYTES, MAX_LINE_CHARS, MAX_POSITION, PAGE_PIECES, PAGE_SOURCES } from "./limits.ts";
import type { Source } from "./validate.ts";

const IGNORED = 1;
const HAS_CONTENT = 2;

/** Lines of one source within one chunk. Numbers from 0. */
export interface Piece {
  /** First of its lines. */
  line: number;
  /** Of the chunk, from where the content begins. */
  offset: number;
  length: number;
  /** Line of the chunk that is `line`. */
  lineInChunk: number;
}

export interface SourceEntry {
  path: string;
  ignored: boolean;
  hasContent: boolean;
  lines: number;
  pieces: Piece[];
}

/** Chunks of all content, and for each source where its lines went. */
export class ContentWriter {
  readonly chunks: Uint8Array[] = [];
  private readonly lengths = new ByteWriter();
  private lines: string[] = [];
  private chars = 0;
  private offset = 0;
  /** Pieces whose chunk is not written yet, so its length not known. */
  private open: Piece[] = [];

  add(source: Source): SourceEntry {
    const entry: SourceEntry = {
      path: source.path,
      ignored: source.ignored,
      hasContent: source.content !== null,
      lines: 0,
      pieces: [],
    };
    if (source.content === null) return entry;
    let piece: Piece | undefined;
    for (const line of linesOf(source.content)) {
      if (piece === undefined || this.chars >= CHUNK_BYTES) {
        if (this.chars >= CHUNK_BYTES) this.flush();
        piece = { line: entry.lines, offset: this.offset, length: 0, lineInChunk: this.lines.length };
        this.open.push(piece);
        entry.pieces.push(piece);
      }
      this.lines.push(line);
      // Empty lines count too: a chunk of nothing but them has to end as well.
      this.chars += line.length + 1;
      entry.lines++;
    }
    return entry;
  }

  flush(): void {
    if (this.lines.length === 0) return;
    const raw = this.lengths;
    raw.clear();
    raw.varint(this.lines.length);
    for (const line of this.lines) raw.varint(line.length);
    raw.raw(utf8(this.lines.join("")));
    const chunk = compressBlock(raw.view());
    for (const piece of this.open) piece.length = chunk.length;
    this.chunks.push(chunk);
    this.offset += chunk.length;
    this.open = [];
    this.lines = [];
    this.chars = 0;
  }
}

/** Cut to a length that is read; ECMA-262's line terminators, as V8 and the makers of maps count them. */
function* linesOf(content: string): Generator<string> {
  const end = /\r\n|[\n\r\u2028\u2029]/g;
  let from = 0;
  for (let match = end.exec(content); match !== null; match = end.exec(content)) {
    yield content.slice(from, Math.min(match.index, from + MAX_LINE_CHARS));
    from = end.lastIndex;
  }
  yield content.slice(from, from + MAX_LINE_CHARS);
}

/** Lines of one chunk in memory. */
export class ContentChunk {
  readonly bytes: number;
  private readonly text: string;
  private readonly ends: Uint32Array;

  constructor(raw: Uint8Array) {
    const reader = new ByteReader(raw);
    const count = reader.count(MAX_BLOCK_BYTES, 1);
    this.ends = new Uint32Array(count);
    let end = 0;
    for (let i = 0; i < count; i++) {
      end += reader.varint();
      this.ends[i] = end;
    }
    this.text = textOf(raw.subarray(reader.at));
    if (this.text.length !== end) throw new SeekableMapError("the lines of a chunk are not as long as its text");
    this.bytes = this.text.length * 2 + count * 4;
  }

  get count(): number {
    return this.ends.length;
  }

  line(i: number): string {
    return this.text.slice(i === 0 ? 0 : this.ends[i - 1], this.ends[i]);
  }
}

/** Whether one more source would make a page too large. */
export function pageIsFull(page: SourceEntry[]): boolean {
  if (page.length >= PAGE_SOURCES) return true;
  return page.reduce((sum, source) => sum + source.pieces.length, 0) >= PAGE_PIECES;
}

export function writeSourcePage(page: SourceEntry[]): Uint8Array {
  const out = new ByteWriter();
  out.varint(page.length);
  const paths = page.map((source) => utf8(source.path));
  for (const [i, source] of page.entries()) {
    out.varint((source.ignored ? IGNORED : 0) | (source.hasContent ? HAS_CONTENT : 0));
    out.varint((paths[i] as Uint8Array).length);
    out.varint(source.lines);
    out.varint(source.pieces.length);
    let line = 0;
    for (const piece of source.pieces) {
      out.varint(piece.line - line);
      out.varint(piece.offset);
      out.varint(piece.length);
      out.varint(piece.lineInChunk);
      line = piece.line;
    }
  }
  for (const path of paths) out.raw(path);
  return out.take();
}

/** A page of the table of sources in memory. */
export class SourcePage {
  readonly bytes: number;
  readonly sources: SourceEntry[] = [];

  constructor(raw: Uint8Array, contentBytes: number) {
    const reader = new ByteReader(raw);
    const count = reader.count(PAGE_SOURCES, 4);
    const pathLengths: number[] = [];
    let allPieces = 0;
    for (let i = 0; i < count; i++) {
      const flags = reader.varint();
      pathLengths.push(reader.varint());
      const lines = reader.varint();
      const pieces = readPieces(reader, contentBytes);
      allPieces += pieces.length;
      this.sources.push({
        path: "",
        ignored: (flags & IGNORED) !== 0,
        hasContent: (flags & HAS_CONTENT) !== 0,
        lines,
        pieces,
      });
    }
    for (const [i, source] of this.sources.entries()) source.path = textOf(reader.raw(pathLengths[i] as number));
    this.bytes = raw.length * 2 + count * 100 + allPieces * 60;
  }
}

function readPieces(reader: ByteReader, contentBytes: number): Piece[] {
  const count = reader.count(MAX_BLOCK_BYTES, 4);
  const pieces: Piece[] = [];
  let line = 0;
  for (let i = 0; i < count; i++) {
    line += reader.varint();
    const piece = { line, offset: reader.varint(), length: reader.varint(), lineInChunk: reader.varint() };
    if (line > MAX_POSITION || piece.offset + piece.length > contentBytes) {
      throw new SeekableMapError("source content is outside the blob");
    }
    pieces.push(piece);
  }
  return pieces;
}
