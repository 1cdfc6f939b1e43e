/**
 * A source map to its seekable form (SOURCE-MAPS.md), from which a Worker answers
 * for a frame by reading a few KB, whatever the size of the map. Pure, runs in
 * Node (the command) and in workerd. Streams over the mappings: beside the parsed
 * map it holds one block and the compressed output.
 */
import { BlockWriter, type Mapping } from "./block-writer.ts";
import { ByteWriter } from "./bytes.ts";
import { compressBlock } from "./compress.ts";
import { ContentWriter, pageIsFull, type SourceEntry, writeSourcePage } from "./content.ts";
import { FunctionCursor, GuessedPlaces, PlaceCursor, type Places } from "./cursors.ts";
import { type Boundary, type CodeScopes, functionBoundaries, type V8Place } from "./functions.ts";
import {
  HAS_FUNCTIONS,
  HEADER_BYTES,
  type IndexEntry,
  ROOT_BYTES,
  type Root,
  writeHeader,
  writePage,
  writeRoot,
} from "./layout.ts";
import { MAX_NAME_CHARS, MAX_SEEKABLE_BYTES, PAGE_ENTRIES } from "./limits.ts";
import { forEachMapping, MapLimitError } from "./ordered.ts";
import { SourceText } from "./source-text.ts";
import { type ValidMap, validateSourceMap } from "./validate.ts";

export type { CodeScopes } from "./functions.ts";

export type Conversion =
  | {
      ok: true;
      bytes: Uint8Array;
      sources: number;
      sourcesWithContent: number;
      mappings: number;
      /** Functions in the generated code; 0 without scopes. */
      functions: number;
      /** UUID, "" where the map has none. */
      debugId: string;
      /** What the map says the generated file is called; "" where it does not. */
      file: string;
    }
  | { ok: false; problems: string[] };

/** @param map parsed JSON (parse.ts) @param options.scopes functions of the generated code (scopes.ts) */
export function convertSourceMap(map: unknown, options: { scopes?: CodeScopes } = {}): Conversion {
  const valid = validateSourceMap(map);
  if (!valid.ok) return valid;
  try {
    return write(valid.map, options.scopes);
  } catch (error) {
    if (error instanceof MapLimitError) return { ok: false, problems: [error.message] };
    throw error;
  }
}

function write(map: ValidMap, scopes: CodeScopes | undefined): Conversion {
  const boundaries = scopes === undefined ? [] : functionBoundaries(map, scopes);
  const { blocks, keys, mappings } = writeBlocks(map, boundaries, scopes?.places);
  const content = writeContent(map);
  const functions = scopes?.functions.length ?? 0;
  const bytes = assemble({ blocks, keys }, content, {
    mappings,
    sources: map.sources.length,
    functions,
    hasFunctions: scopes !== undefined,
    debugId: map.debugId,
  });
  return {
    ok: true,
    bytes,
    sources: map.sources.length,
    sourcesWithContent: map.sources.filter((source) => source.content !== null).length,
    mappings,
    functions,
    debugId: map.debugId,
    file: map.file,
  };
}

interface Blocks {
  blocks: Uint8Array[];
  keys: { line: number; column: number }[];
}

function writeBlocks(
  map: ValidMap,
  boundaries: Boundary[],
  known: V8Place[] | undefined,
): Blocks & { mappings: number } {
  const blocks: Uint8Array[] = [];
  const keys: Blocks["keys"] = [];
  const writer = new BlockWriter(map.sources);
  const functions = new FunctionCursor(boundaries);
  let mappings = 0;
  const close = (nextLine: number, nextColumn: number) => {
    functions.writeTo(writer, nextLine, nextColumn);
    keys.push({ line: writer.firstLine, column: writer.firstColumn });
    blocks.push(compressBlock(writer.take()));
  };
  const text = new SourceText(map);
  const v8: Places = known === undefined ? new GuessedPlaces(text) : new PlaceCursor(known, text);
  const before = { ...NOTHING };
  const held = { ...NOTHING };
  const release = () => {
    if (held.line === -1) return;
    for (const column of held.source === -1 ? [] : v8.before(held, before)) {
      if (writer.full) close(held.line, column);
      // The first row of a group must be a mapping: what holds there anyway.
      if (writer.beginsGroup)
        writer.add({ ...(before.line === held.line ? before : NOTHING), line: held.line, column });
      writer.addV8Place(held, column);
    }
    if (writer.full) close(held.line, held.column);
    writer.add(held);
    Object.assign(before, held);
    mappings++;
  };
  forEachMapping(map, (line, column, source, originalLine, originalColumn, name) => {
    // Of several mappings of one position the last counts.
    if (line !== held.line || column !== held.column) release();
    held.line = line;
    held.column = column;
    held.source = source;
    held.originalLine = originalLine;
    held.originalColumn = originalColumn;
    held.name = name?.slice(0, MAX_NAME_CHARS);
  });
  release();
  if (writer.count > 0) close(Number.POSITIVE_INFINITY, 0);
  return { blocks, keys, mappings };
}

const NOTHING: Mapping = { line: -1, column: 0, source: -1, originalLine: 0, originalColumn: 0, name: undefined };

interface Content {
  chunks: Uint8Array[];
  pages: Uint8Array[];
  /** Number of the first source of each page. */
  firstSources: number[];
}

function writeContent(map: ValidMap): Content {
  const content = new ContentWriter();
  const groups: SourceEntry[][] = [];
  const firstSources: number[] = [];
  for (const [i, source] of map.sources.entries()) {
    let group = groups.at(-1);
    if (group === undefined || pageIsFull(group)) {
      group = [];
      groups.push(group);
      firstSources.push(i);
    }
    group.push(content.add(source));
  }
  content.flush();
  return { chunks: content.chunks, pages: groups.map((group) => compressBlock(writeSourcePage(group))), firstSources };
}

/** Header, roots and index pages first: a reader has them with one read. */
function assemble(
  { blocks, keys }: Blocks,
  { chunks, pages, firstSources }: Content,
  about: { mappings: number; sources: number; functions: number; hasFunctions: boolean; debugId: string },
): Uint8Array {
  const blockIndex = makeIndex(keys, blocks);
  const sourceIndex = makeIndex(
    firstSources.map((line) => ({ line, column: 0 })),
    pages,
  );
  const indexes = [...blockIndex, ...sourceIndex];
  const pagesAt = HEADER_BYTES + indexes.length * ROOT_BYTES;
  const blocksAt = pagesAt + total(indexes.map((index) => index.page));
  const sourcesAt = blocksAt + total(blocks);
  const contentOffset = sourcesAt + total(pages);
  const size = contentOffset + total(chunks);
  if (size > MAX_SEEKABLE_BYTES)
    throw new MapLimitError(`the seekable form would be larger than ${MAX_SEEKABLE_BYTES} bytes`);

  const out = new ByteWriter();
  writeHeader(
    {
      size,
      mappings: about.mappings,
      sources: about.sources,
      functions: about.functions,
      flags: about.hasFunctions ? HAS_FUNCTIONS : 0,
      blockPages: blockIndex.length,
      sourcePages: sourceIndex.length,
      contentOffset,
      debugId: about.debugId,
    },
    out,
  );
  let pageOffset = pagesAt;
  for (const [i, { first, page, before }] of indexes.entries()) {
    const dataOffset = (i < blockIndex.length ? blocksAt : sourcesAt) + before;
    const root: Root = { line: first.line, column: first.column, pageOffset, pageLength: page.length, dataOffset };
    writeRoot(root, out);
    pageOffset += page.length;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of [out.view(), ...indexes.map((index) => index.page)]) {
    bytes.set(part, at);
    at += part.length;
  }
  for (const parts of [blocks, pages, chunks]) {
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
  }
  if (at !== size) throw new Error(`BUG: ${at} bytes written, ${size} announced`);
  return bytes;
}

/** Index pages of blocks that lie one behind the other. `before`: bytes of the blocks that earlier pages list. */
function makeIndex(
  keys: { line: number; column: number }[],
  blocks: Uint8Array[],
): { first: IndexEntry; page: Uint8Array; before: number }[] {
  const pages: { first: IndexEntry; page: Uint8Array; before: number }[] = [];
  let before = 0;
  for (let from = 0; from < blocks.length; from += PAGE_ENTRIES) {
    const entries = keys
      .slice(from, from + PAGE_ENTRIES)
      .map((key, i) => ({ ...key, length: (blocks[from + i] as Uint8Array).length }));
    const out = new ByteWriter();
    writePage(entries, out);
    pages.push({ first: entries[0] as IndexEntry, page: out.take(), before });
    before += entries.reduce((sum, entry) => sum + entry.length, 0);
  }
  return pages;
}

function total(parts: Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
