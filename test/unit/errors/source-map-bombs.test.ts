/** Blobs whose blocks unpack to much more than they are: one stack, or one look at a source, costs a bounded part of them. */
import { expect, test } from "vitest";
import { ByteWriter } from "../../../workers/errors/source-map/bytes.ts";
import { compressBlock } from "../../../workers/errors/source-map/compress.ts";
import { type SourceEntry, writeSourcePage } from "../../../workers/errors/source-map/content.ts";
import {
  HEADER_BYTES,
  ROOT_BYTES,
  writeHeader,
  writePage,
  writeRoot,
} from "../../../workers/errors/source-map/layout.ts";
import { MAX_STACK_BYTES } from "../../../workers/errors/source-map/limits.ts";
import { SeekableMapError } from "../../../workers/errors/source-map/open.ts";
import { openBytes } from "../../support/source-maps.ts";

const MEGABYTE = 2 ** 20;

/** A block of one mapping, and a name of so many bytes. */
function block(nameBytes: number): Uint8Array {
  const out = new ByteWriter();
  // One mapping, one source, one text, no boundaries; one group of five bytes; the mapping itself.
  for (const value of [1, 1, 1, 0, 0, 0, 5, 1, 0, 0, 0, 0, 0, 0, 1, nameBytes]) out.varint(value);
  out.raw(new TextEncoder().encode("a"));
  out.raw(new Uint8Array(nameBytes));
  return compressBlock(out.take());
}

/** A chunk of content with one line of so many characters. */
function chunk(chars: number): Uint8Array {
  const out = new ByteWriter();
  out.varint(1);
  out.varint(chars);
  out.raw(new Uint8Array(chars).fill(0x20));
  return compressBlock(out.take());
}

/** A map of a block for each line, and of one source. */
function blob(blocks: Uint8Array[], source: SourceEntry, chunks: Uint8Array[]): Uint8Array {
  const pages = [compressBlock(writeSourcePage([source]))];
  const indexes = [blocks, pages].map((list) => {
    const out = new ByteWriter();
    writePage(
      list.map((entry, line) => ({ line, column: 0, length: entry.length })),
      out,
    );
    return out.take();
  });
  const sum = (list: Uint8Array[]) => list.reduce((bytes, part) => bytes + part.length, 0);
  const blocksAt = HEADER_BYTES + 2 * ROOT_BYTES + sum(indexes);
  const contentOffset = blocksAt + sum(blocks) + sum(pages);
  const counts = { mappings: blocks.length, sources: 1, functions: 0, flags: 0, blockPages: 1, sourcePages: 1 };
  const out = new ByteWriter();
  writeHeader({ ...counts, size: contentOffset + sum(chunks), contentOffset, debugId: "" }, out);
  let pageOffset = HEADER_BYTES + 2 * ROOT_BYTES;
  for (const [i, index] of indexes.entries()) {
    const dataOffset = i === 0 ? blocksAt : blocksAt + sum(blocks);
    writeRoot({ line: 0, column: 0, pageOffset, pageLength: index.length, dataOffset }, out);
    pageOffset += index.length;
  }
  for (const part of [...indexes, ...blocks, ...pages, ...chunks]) out.raw(part);
  return out.take();
}

const NO_CONTENT: SourceEntry = { path: "a", ignored: false, hasContent: false, lines: 0, pieces: [] };
const lines = (count: number) => Array.from({ length: count }, (_, i) => ({ line: i + 1, column: 1 }));

test("a stack whose frames lie in blocks of an ordinary size is led back whole", async () => {
  const { map } = await openBytes(blob(Array(200).fill(block(30_000)), NO_CONTENT, []));
  expect((await map.locateAll(lines(200))).every((place) => place?.file === "a")).toBe(true);
});

test("a stack in a hundred blocks that unpack to megabytes is given up after some of them", async () => {
  const huge = block(8 * MEGABYTE);
  const { map, reads } = await openBytes(blob(Array(100).fill(huge), NO_CONTENT, []));
  await expect(map.locateAll(lines(100))).rejects.toThrow(SeekableMapError);
  const read = reads.filter(([, length]) => length === huge.length).length;
  expect(read * 8 * MEGABYTE).toBeLessThan(MAX_STACK_BYTES + 6 * 8 * MEGABYTE);
});

test("pieces of a source without lines in them are not read", async () => {
  const part = chunk(10);
  const pieces = Array.from({ length: 1_000 }, (_, i) => ({
    line: i < 3 ? i : Math.max(3, i - 987),
    offset: i * part.length,
    length: part.length,
    lineInChunk: 0,
  }));
  const source = { ...NO_CONTENT, hasContent: true, lines: 13, pieces };
  const { map, reads } = await openBytes(blob([block(1)], source, Array(1_000).fill(part)));
  const before = reads.length;
  expect((await map.context({ source: 0, line: 8 }, 5))?.lines).toHaveLength(11);
  expect(reads.length - before).toBeLessThan(20);
});

test("a chunk of content that unpacks to more than any writer makes is refused", async () => {
  const part = chunk(8 * MEGABYTE);
  const pieces = [{ line: 0, offset: 0, length: part.length, lineInChunk: 0 }];
  const source = { ...NO_CONTENT, hasContent: true, lines: 1, pieces };
  const { map } = await openBytes(blob([block(1)], source, [part]));
  await expect(map.context({ source: 0, line: 1 }, 5)).rejects.toThrow(SeekableMapError);
});
