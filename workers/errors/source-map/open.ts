/**
 * Reads the seekable form (SOURCE-MAPS.md) by ranges: opening takes one read of
 * 16 KB, a frame one more of about 6 KB, its source context two. What was read
 * stays in a cache that all maps of an isolate share, so a warm frame takes no
 * read and no promise.
 *
 * The blob is not trusted: every offset, length and count is checked, and what
 * is wrong throws SeekableMapError.
 *
 * Concurrent calls share a read that is under way (shared-reads.ts). Whoever has
 * a whole stack asks once, with locateAll, which reads side by side.
 */
import type { SourceContext } from "../trace.ts";
import { type Location, MappingBlock, type Rule } from "./block.ts";
import { SeekableMapError } from "./bytes.ts";
import { BlockCache } from "./cache.ts";
import { decompressBlock, prepareToDecompress } from "./compress.ts";
import { ContentChunk, type SourceEntry, SourcePage } from "./content.ts";
import { Index } from "./index-table.ts";
import { Kept } from "./kept.ts";
import {
  HAS_FUNCTIONS,
  HEADER_BYTES,
  type Header,
  type IndexPage,
  lastAtOrBefore,
  ROOT_BYTES,
  readHeader,
  readRoots,
} from "./layout.ts";
import {
  HEAD_BYTES,
  MAX_BLOCK_BYTES,
  MAX_CHUNK_BYTES,
  MAX_CONTEXT_RADIUS,
  MAX_STACK_BYTES,
  PAGE_ENTRIES,
} from "./limits.ts";
import { SharedReads } from "./shared-reads.ts";

export type { Location, Rule } from "./block.ts";
export { SeekableMapError } from "./bytes.ts";
export { BlockCache } from "./cache.ts";

/** An object in R2, or a file. `read` gives exactly `length` bytes, or throws. */
export interface ByteSource {
  size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** From 1, as V8 counts. */
export interface Position {
  line: number;
  column: number;
}

export async function openSeekable(source: ByteSource, cache = new BlockCache()): Promise<SeekableMap> {
  const reading = readExactly(source, 0, Math.min(HEAD_BYTES, source.size));
  prepareToDecompress();
  const head = await reading;
  const header = readHeader(head, source.size);
  const rootsEnd = HEADER_BYTES + (header.blockPages + header.sourcePages) * ROOT_BYTES;
  if (rootsEnd > source.size) throw new SeekableMapError("the index is outside the blob");
  const start = rootsEnd <= head.length ? head : await readExactly(source, 0, rootsEnd);
  const blocks = readRoots(start, HEADER_BYTES, header.blockPages, source.size);
  const sources = readRoots(start, HEADER_BYTES + header.blockPages * ROOT_BYTES, header.sourcePages, source.size);
  const blockIndex = new Index(blocks, source.size);
  const sourceIndex = new Index(sources, source.size);
  return new SeekableMap(source, cache, { header, head, blockIndex, sourceIndex });
}

async function readExactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.length !== length) throw new SeekableMapError(`${bytes.length} bytes were read, ${length} asked for`);
  return bytes;
}

/** A block of a table: its number, its key, where it is. */
interface Place {
  number: number;
  line: number;
  column: number;
  offset: number;
  length: number;
}

/** R2 reads of one stack at the same time: a Worker has six connections. */
const READS_AT_ONCE = 6;

export class SeekableMap {
  private readonly source: ByteSource;
  private readonly header: Header;
  private readonly head: Uint8Array;
  private readonly blockIndex: Index;
  private readonly sourceIndex: Index;
  private readonly pages = new SharedReads<IndexPage>();
  private readonly blocks: Kept<MappingBlock>;
  private readonly sourcePages: Kept<SourcePage>;
  private readonly chunks: Kept<ContentChunk>;

  /** Made by openSeekable. */
  constructor(
    source: ByteSource,
    cache: BlockCache,
    parts: { header: Header; head: Uint8Array; blockIndex: Index; sourceIndex: Index },
  ) {
    this.source = source;
    this.header = parts.header;
    this.head = parts.head;
    this.blockIndex = parts.blockIndex;
    this.sourceIndex = parts.sourceIndex;
    this.blocks = new Kept(cache);
    this.sourcePages = new Kept(cache);
    this.chunks = new Kept(cache);
  }

  get mappings(): number {
    return this.header.mappings;
  }

  get sources(): number {
    return this.header.sources;
  }

  /** UUID, "" where the map has none. */
  get debugId(): string {
    return this.header.debugId;
  }

  /** Whether the map was stored with the functions of the generated code. */
  get hasFunctions(): boolean {
    return (this.header.flags & HAS_FUNCTIONS) !== 0;
  }

  /** In memory for this map, its share of the cache included. */
  get bytes(): number {
    const index = this.head.length + this.blockIndex.bytes + this.sourceIndex.bytes;
    return index + this.blocks.bytes + this.sourcePages.bytes + this.chunks.bytes;
  }

  /** Its share of the cache is free for others. */
  close(): void {
    this.blocks.close();
    this.sourcePages.close();
    this.chunks.close();
  }

  /** Without reading: "absent" where locate() has to be asked. Undefined where the map leads nowhere. */
  locateCached(line: number, column: number, rule: Rule = "v8"): Location | undefined | "absent" {
    if (!isPosition(line, column)) return undefined;
    const i = this.blockIndex.pageOf(line - 1, column - 1);
    if (i < 0) return undefined;
    const page = this.blockIndex.page(i);
    if (page === undefined) return "absent";
    const at = lastAtOrBefore(page.lines, page.columns, line - 1, column - 1);
    if (at < 0) return undefined;
    try {
      const block = this.blocks.get(i * PAGE_ENTRIES + at);
      return block === undefined ? "absent" : block.locate(line - 1, column - 1, rule);
    } catch {
      // A broken block: locate() says so.
      return "absent";
    }
  }

  /** The mapping at or before the position on the same line; undefined where there is none, or where it leads nowhere. */
  async locate(line: number, column: number, rule: Rule = "v8"): Promise<Location | undefined> {
    const known = this.locateCached(line, column, rule);
    if (known !== "absent") return known;
    const place = await this.find(this.blockIndex, line - 1, column - 1);
    return place === undefined ? undefined : (await this.block(place)).locate(line - 1, column - 1, rule);
  }

  /** Of a whole stack of V8's: each block is read once, some at the same time. */
  async locateAll(positions: Position[]): Promise<(Location | undefined)[]> {
    const places = new Map<number, Place>();
    const wanted = await atOnce(positions, async ({ line, column }) => {
      if (!isPosition(line, column)) return undefined;
      const place = await this.find(this.blockIndex, line - 1, column - 1);
      if (place !== undefined) places.set(place.number, place);
      return place?.number;
    });
    // Each block is asked while it is here: a stack may have more of them than fit in memory.
    const asked = Map.groupBy(positions.keys(), (i) => wanted[i] ?? -1);
    const found: (Location | undefined)[] = new Array(positions.length).fill(undefined);
    let bytes = 0;
    await atOnce([...places.values()], async (place) => {
      if (bytes > MAX_STACK_BYTES) throw new SeekableMapError("the blocks of one stack unpack to too much");
      const block = await this.block(place);
      bytes += block.bytes;
      for (const i of asked.get(place.number) ?? []) {
        const { line, column } = positions[i] as Position;
        found[i] = block.locate(line - 1, column - 1, "v8");
      }
    });
    return found;
  }

  /** Lines around a location's; undefined where the map has no content for it. */
  async context(location: Pick<Location, "source" | "line">, radius: number): Promise<SourceContext | undefined> {
    const entry = await this.sourceEntry(location.source);
    const line = location.line - 1;
    if (entry === undefined || line < 0 || line >= entry.lines) return undefined;
    const around = Math.min(Math.max(0, radius), MAX_CONTEXT_RADIUS);
    const first = Math.max(0, line - around);
    const last = Math.min(entry.lines - 1, line + around);
    const lines: string[] = [];
    for (const [i, piece] of entry.pieces.entries()) {
      const end = entry.pieces[i + 1]?.line ?? entry.lines;
      // Without a line of its own it need not be read.
      if (end <= first || end <= piece.line) continue;
      if (piece.line > last) break;
      const chunk = await this.chunk(piece.offset, piece.length);
      for (let n = Math.max(first, piece.line); n <= last && n < end; n++) {
        const inChunk = piece.lineInChunk + n - piece.line;
        if (inChunk >= chunk.count) throw new SeekableMapError("a line is not in its chunk");
        lines.push(chunk.line(inChunk));
      }
    }
    if (lines.length !== last - first + 1) throw new SeekableMapError("lines of a source are missing");
    return { firstLine: first + 1, lines };
  }

  /** Display path and where the content is; undefined when there is no such source. */
  private async sourceEntry(number: number): Promise<SourceEntry | undefined> {
    if (!Number.isInteger(number) || number < 0 || number >= this.header.sources) return undefined;
    const place = await this.find(this.sourceIndex, number, 0);
    if (place === undefined) return undefined;
    const contentBytes = this.header.size - this.header.contentOffset;
    const page = await this.sourcePages.load(
      place.number,
      async () => new SourcePage(await this.unpack(place.offset, place.length), contentBytes),
    );
    return page.sources[number - place.line];
  }

  private chunk(offset: number, length: number): Promise<ContentChunk> {
    const at = this.header.contentOffset + offset;
    return this.chunks.load(offset, async () => new ContentChunk(await this.unpack(at, length, MAX_CHUNK_BYTES)));
  }

  private block({ number, line, column, offset, length }: Place): Promise<MappingBlock> {
    return this.blocks.load(number, async () => {
      const raw = await this.unpack(offset, length);
      return new MappingBlock(raw, line, column, this.header.sources, this.hasFunctions);
    });
  }

  /** The last block whose key is not behind this one. */
  private async find(index: Index, line: number, column: number): Promise<Place | undefined> {
    const i = index.pageOf(line, column);
    if (i < 0) return undefined;
    const page = index.page(i) ?? (await this.page(index, i));
    const at = lastAtOrBefore(page.lines, page.columns, line, column);
    if (at < 0) return undefined;
    const offset = page.offsets[at] as number;
    return {
      number: i * PAGE_ENTRIES + at,
      line: page.lines[at] as number,
      column: page.columns[at] as number,
      offset,
      length: (page.offsets[at + 1] as number) - offset,
    };
  }

  private page(index: Index, i: number): Promise<IndexPage> {
    const { pageOffset, pageLength } = index.root(i);
    return this.pages.get(pageOffset, async () => index.keep(i, await this.read(pageOffset, pageLength)));
  }

  private async unpack(offset: number, length: number, maxBytes = MAX_BLOCK_BYTES): Promise<Uint8Array> {
    return decompressBlock(await this.read(offset, length), maxBytes);
  }

  private async read(offset: number, length: number): Promise<Uint8Array> {
    if (length > MAX_BLOCK_BYTES || offset + length > this.header.size) {
      throw new SeekableMapError("a block is outside the blob, or too large");
    }
    if (offset + length <= this.head.length) return this.head.subarray(offset, offset + length);
    return readExactly(this.source, offset, length);
  }
}

async function atOnce<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const done = new Array<R>(items.length);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) done[i] = await work(items[i] as T);
  };
  await Promise.all(Array.from({ length: Math.min(READS_AT_ONCE, items.length) }, worker));
  return done;
}

function isPosition(line: number, column: number): boolean {
  return Number.isInteger(line) && Number.isInteger(column) && line >= 1 && column >= 1;
}
