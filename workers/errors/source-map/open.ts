/**
 * Reads the seekable form (SOURCE-MAPS.md) by ranges: opening takes one read of
 * 16 KB, a frame one more of about 6 KB, its source context two. What was read
 * stays in a cache that all maps of an isolate share, so a warm frame takes no
 * read and no promise.
 *
 * The blob is not trusted: every offset, length and count is checked, and what
 * is wrong throws SeekableMapError.
 *
 * Concurrent calls do not share a read that is under way: inside workerd it
 * belongs to the request that began it, and ends with it. Whoever has a whole
 * stack asks once, with locateAll.
 */
import type { SourceContext } from "../trace.ts";
import { type Location, MappingBlock } from "./block.ts";
import { SeekableMapError } from "./bytes.ts";
import { BlockCache, type Cached } from "./cache.ts";
import { decompressBlock } from "./compress.ts";
import { ContentChunk, type SourceEntry, SourcePage } from "./content.ts";
import {
  HAS_FUNCTIONS,
  HEADER_BYTES,
  type Header,
  type IndexPage,
  lastAtOrBefore,
  ROOT_BYTES,
  type Root,
  readHeader,
  readPage,
  readRoots,
} from "./layout.ts";
import { HEAD_BYTES, MAX_BLOCK_BYTES, MAX_CONTEXT_RADIUS, PAGE_ENTRIES } from "./limits.ts";

export type { Location } from "./block.ts";
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

/** A part of the blob that is in memory. */
class Slot<T extends { bytes: number }> implements Cached {
  used = false;
  readonly bytes: number;

  readonly value: T;
  private readonly slots: Map<number, Slot<T>>;
  private readonly key: number;

  constructor(value: T, slots: Map<number, Slot<T>>, key: number) {
    this.value = value;
    this.slots = slots;
    this.key = key;
    this.bytes = value.bytes;
  }

  drop(): void {
    this.slots.delete(this.key);
  }
}

export async function openSeekable(source: ByteSource, cache = new BlockCache()): Promise<SeekableMap> {
  const head = await readExactly(source, 0, Math.min(HEAD_BYTES, source.size));
  const header = readHeader(head, source.size);
  const rootsEnd = HEADER_BYTES + (header.blockPages + header.sourcePages) * ROOT_BYTES;
  if (rootsEnd > source.size) throw new SeekableMapError("the index is outside the blob");
  const start = rootsEnd <= head.length ? head : await readExactly(source, 0, rootsEnd);
  const blocks = readRoots(start, HEADER_BYTES, header.blockPages, source.size);
  const sources = readRoots(start, HEADER_BYTES + header.blockPages * ROOT_BYTES, header.sourcePages, source.size);
  return new SeekableMap(source, cache, header, head, new Index(blocks, source.size), new Index(sources, source.size));
}

async function readExactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.length !== length) throw new SeekableMapError(`${bytes.length} bytes were read, ${length} asked for`);
  return bytes;
}

/** One of the two tables: its roots, and those of its pages that were read. They stay: a page of 256 blocks takes 3 KB. */
class Index {
  private readonly lines: Uint32Array;
  private readonly columns: Uint32Array;
  private readonly pages: (IndexPage | undefined)[];
  bytes: number;

  private readonly roots: Root[];
  private readonly size: number;

  constructor(roots: Root[], size: number) {
    this.roots = roots;
    this.size = size;
    this.lines = Uint32Array.from(roots, (root) => root.line);
    this.columns = Uint32Array.from(roots, (root) => root.column);
    this.pages = new Array<IndexPage | undefined>(roots.length).fill(undefined);
    this.bytes = roots.length * 60;
  }

  /** Page that would list the block of this key; −1: it is before all blocks. */
  pageOf(line: number, column: number): number {
    return lastAtOrBefore(this.lines, this.columns, line, column);
  }

  page(i: number): IndexPage | undefined {
    return this.pages[i];
  }

  root(i: number): Root {
    return this.roots[i] as Root;
  }

  keep(i: number, bytes: Uint8Array): IndexPage {
    const page = readPage(bytes, this.root(i), this.size);
    this.pages[i] = page;
    this.bytes += page.lines.length * 12;
    return page;
  }
}

/** A block of a table: its number, its key, where it is. */
interface Place {
  number: number;
  line: number;
  column: number;
  offset: number;
  length: number;
}

export class SeekableMap {
  private readonly blocks = new Map<number, Slot<MappingBlock>>();
  private readonly sourcePages = new Map<number, Slot<SourcePage>>();
  private readonly chunks = new Map<number, Slot<ContentChunk>>();

  /** Made by openSeekable. */
  private readonly source: ByteSource;
  private readonly cache: BlockCache;
  private readonly header: Header;
  private readonly head: Uint8Array;
  private readonly blockIndex: Index;
  private readonly sourceIndex: Index;

  constructor(
    source: ByteSource,
    cache: BlockCache,
    header: Header,
    head: Uint8Array,
    blockIndex: Index,
    sourceIndex: Index,
  ) {
    this.source = source;
    this.cache = cache;
    this.header = header;
    this.head = head;
    this.blockIndex = blockIndex;
    this.sourceIndex = sourceIndex;
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
    let bytes = this.head.length + this.blockIndex.bytes + this.sourceIndex.bytes;
    for (const slots of [this.blocks, this.sourcePages, this.chunks]) {
      for (const slot of slots.values()) bytes += slot.bytes;
    }
    return bytes;
  }

  /** Its share of the cache is free for others. */
  close(): void {
    for (const slots of [this.blocks, this.sourcePages, this.chunks]) {
      for (const slot of slots.values()) this.cache.delete(slot);
      slots.clear();
    }
  }

  /** Without reading: "absent" where the block is not in memory. Undefined where the map leads nowhere. */
  locateCached(line: number, column: number): Location | undefined | "absent" {
    if (!isPosition(line, column)) return undefined;
    const i = this.blockIndex.pageOf(line - 1, column - 1);
    if (i < 0) return undefined;
    const page = this.blockIndex.page(i);
    if (page === undefined) return "absent";
    const at = lastAtOrBefore(page.lines, page.columns, line - 1, column - 1);
    if (at < 0) return undefined;
    const slot = this.blocks.get(i * PAGE_ENTRIES + at);
    if (slot === undefined) return "absent";
    slot.used = true;
    return slot.value.locate(line - 1, column - 1);
  }

  /** The mapping at or before the position on the same line; undefined where there is none, or where it leads nowhere. */
  async locate(line: number, column: number): Promise<Location | undefined> {
    const known = this.locateCached(line, column);
    if (known !== "absent") return known;
    const place = await this.find(this.blockIndex, line - 1, column - 1);
    return place === undefined ? undefined : (await this.block(place)).locate(line - 1, column - 1);
  }

  /** Each block is read once, one after the other. */
  async locateAll(positions: Position[]): Promise<(Location | undefined)[]> {
    const locations: (Location | undefined)[] = [];
    // Held here as well: a stack may have more blocks than the cache.
    const held = new Map<number, MappingBlock>();
    for (const { line, column } of positions) {
      const known = this.locateCached(line, column);
      if (known !== "absent") {
        locations.push(known);
        continue;
      }
      const place = await this.find(this.blockIndex, line - 1, column - 1);
      if (place === undefined) {
        locations.push(undefined);
        continue;
      }
      const block = held.get(place.number) ?? (await this.block(place));
      held.set(place.number, block);
      locations.push(block.locate(line - 1, column - 1));
    }
    return locations;
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
      if (end <= first) continue;
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
    let page = use(this.sourcePages, place.number);
    if (page === undefined) {
      const contentBytes = this.header.size - this.header.contentOffset;
      page = new SourcePage(await this.unpack(place.offset, place.length), contentBytes);
      this.keep(this.sourcePages, place.number, page);
    }
    return page.sources[number - place.line];
  }

  private async chunk(offset: number, length: number): Promise<ContentChunk> {
    const known = use(this.chunks, offset);
    if (known !== undefined) return known;
    const chunk = new ContentChunk(await this.unpack(this.header.contentOffset + offset, length));
    this.keep(this.chunks, offset, chunk);
    return chunk;
  }

  private async block(place: Place): Promise<MappingBlock> {
    const known = use(this.blocks, place.number);
    if (known !== undefined) return known;
    const raw = await this.unpack(place.offset, place.length);
    const block = new MappingBlock(raw, place.line, place.column, this.header.sources, this.hasFunctions);
    this.keep(this.blocks, place.number, block);
    return block;
  }

  /** The last block whose key is not behind this one. */
  private async find(index: Index, line: number, column: number): Promise<Place | undefined> {
    const i = index.pageOf(line, column);
    if (i < 0) return undefined;
    const root = index.root(i);
    const page = index.page(i) ?? index.keep(i, await this.read(root.pageOffset, root.pageLength));
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

  private keep<T extends { bytes: number }>(slots: Map<number, Slot<T>>, key: number, value: T): void {
    // Someone else may have read the same meanwhile.
    const before = slots.get(key);
    if (before !== undefined) this.cache.delete(before);
    const slot = new Slot(value, slots, key);
    slots.set(key, slot);
    this.cache.add(slot);
  }

  private async unpack(offset: number, length: number): Promise<Uint8Array> {
    return decompressBlock(await this.read(offset, length));
  }

  private async read(offset: number, length: number): Promise<Uint8Array> {
    if (length > MAX_BLOCK_BYTES || offset + length > this.header.size) {
      throw new SeekableMapError("a block is outside the blob, or too large");
    }
    if (offset + length <= this.head.length) return this.head.subarray(offset, offset + length);
    return readExactly(this.source, offset, length);
  }
}

function use<T extends { bytes: number }>(slots: Map<number, Slot<T>>, key: number): T | undefined {
  const slot = slots.get(key);
  if (slot !== undefined) slot.used = true;
  return slot?.value;
}

function isPosition(line: number, column: number): boolean {
  return Number.isInteger(line) && Number.isInteger(column) && line >= 1 && column >= 1;
}
