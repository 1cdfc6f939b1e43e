/**
 * A second reader of the seekable form, written after SOURCE-MAPS.md alone: it
 * reads everything there is, and finds what `source-map` finds in the map.
 */
import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import { build as esbuild } from "esbuild";
import { type RawSourceMap, SourceMapConsumer } from "source-map";
import { expect, test } from "vitest";
import { displayPath } from "../../../workers/errors/source-map/display-path.ts";
import * as limits from "../../../workers/errors/source-map/limits.ts";
import { readScopes } from "../../../workers/errors/source-map/scopes.ts";
import { convert } from "../../support/source-maps.ts";

class Bytes {
  at = 0;
  private readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  varint(): number {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
  signed(): number {
    const value = this.varint();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }
  move(from: { line: number; column: number }): { line: number; column: number } {
    const down = this.varint();
    const column = this.varint();
    return { line: from.line + down, column: down === 0 ? from.column + column : column };
  }
  text(length: number): string {
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
  times<T>(count: number, read: () => T): T[] {
    return Array.from({ length: count }, read);
  }
}

interface Row {
  line: number;
  column: number;
  kind: number;
  place?: { path: string; line: number; column: number; name: string | null };
}

function readAll(blob: Uint8Array) {
  const view = new DataView(blob.buffer, blob.byteOffset);
  const u32 = (at: number) => view.getUint32(at, true);
  const unpack = (offset: number, length: number) => {
    const raw = inflateRawSync(blob.subarray(offset + 4, offset + length));
    expect(raw.length).toBe(u32(offset));
    return new Bytes(raw);
  };
  expect([...blob.subarray(0, 8)]).toEqual([0x89, 0x54, 0x52, 0x53, 0x4d, 0x0d, 0x0a, 0x1a]);
  expect([u32(8), u32(12)]).toEqual([1, blob.length]);
  const entries = (first: number, count: number) =>
    Array.from({ length: count }, (_, i) => {
      const root = 60 + (first + i) * 20;
      const page = new Bytes(blob.subarray(u32(root + 8), u32(root + 8) + u32(root + 12)));
      let key = { line: 0, column: 0 };
      let offset = u32(root + 16);
      const found = page.times(page.varint(), () => {
        key = page.move(key);
        const length = page.varint();
        offset += length;
        return { key, offset: offset - length, length };
      });
      expect(found[0]?.key).toEqual({ line: u32(root), column: u32(root + 4) });
      return found;
    }).flat();

  const rows: Row[] = [];
  const boundaries: { line: number; column: number; name: string }[] = [];
  for (const { key, offset, length } of entries(0, u32(32))) {
    const block = unpack(offset, length);
    const [count, sourceCount, textCount, boundaryCount] = block.times(4, () => block.varint()) as [
      number,
      number,
      number,
      number,
    ];
    let at = key;
    const groups = block.times(Math.ceil(count / 64), () => {
      at = block.move(at);
      return { start: at, bytes: block.varint() };
    });
    const found: (Row & { source: number; text: number; ol: number; oc: number })[] = [];
    for (const [g, { start, bytes }] of groups.entries()) {
      const end = block.at + bytes;
      const row = { ...start, source: 0, ol: 0, oc: 0 };
      for (let n = 0; n < Math.min(64, count - g * 64); n++) {
        const head = block.varint();
        const lines = head >> 2 === 15 ? 15 + block.varint() : head >> 2;
        const column = block.varint();
        row.column = lines === 0 ? row.column + column : column;
        row.line += lines;
        const kind = head & 3;
        let text = 0;
        if (kind !== 0) {
          row.source += block.signed();
          row.ol += block.signed();
          row.oc += block.signed();
          text = kind === 1 ? 0 : kind === 2 ? block.varint() + 1 : block.varint();
        }
        if (n === 0) expect([head >> 2, column, kind === 3]).toEqual([0, 0, false]);
        found.push({ ...row, kind, text });
      }
      expect(block.at).toBe(end);
    }
    at = key;
    const marks = block.times(boundaryCount, () => {
      at = block.move(at);
      return { at, text: block.varint() };
    });
    const sources = block.times(sourceCount, () => ({
      number: block.varint(),
      flags: block.varint(),
      bytes: block.varint(),
    }));
    const textBytes = block.times(textCount, () => block.varint());
    const paths = sources.map(({ bytes }) => block.text(bytes));
    const texts = textBytes.map((bytes) => block.text(bytes));
    for (const { line, column, kind, source, ol, oc, text } of found) {
      const place = {
        path: paths[source] as string,
        line: ol,
        column: oc,
        name: text === 0 ? null : (texts[text - 1] as string),
      };
      rows.push(kind === 0 ? { line, column, kind } : { line, column, kind, place });
    }
    for (const { at, text } of marks) boundaries.push({ ...at, name: text === 0 ? "" : (texts[text - 1] as string) });
  }

  const content = u32(40);
  const sources = entries(u32(32), u32(36)).flatMap(({ offset, length }) => {
    const page = unpack(offset, length);
    const found = page.times(page.varint(), () => {
      const flags = page.varint();
      const bytes = page.varint();
      const lines = page.varint();
      let first = 0;
      const pieces = page.times(page.varint(), () => {
        first += page.varint();
        return { first, offset: page.varint(), length: page.varint(), inChunk: page.varint() };
      });
      const all = pieces.flatMap((piece, i) => {
        const chunk = unpack(content + piece.offset, piece.length);
        const lengths = chunk.times(chunk.varint(), () => chunk.varint());
        const text = chunk.text(1e9);
        const starts = lengths.map((_, n) => lengths.slice(0, n).reduce((sum, one) => sum + one, 0));
        const count = (pieces[i + 1]?.first ?? lines) - piece.first;
        const range = Array.from({ length: count }, (_, n) => piece.inChunk + n);
        return range.map((n) => text.slice(starts[n], (starts[n] as number) + (lengths[n] as number)));
      });
      return { flags, bytes, lines, all };
    });
    return found.map(({ flags, bytes, lines, all }) => ({ flags, lines, all, path: page.text(bytes) }));
  });
  return { mappings: u32(16), sourceCount: u32(20), functions: u32(24), flags: u32(28), rows, boundaries, sources };
}

test("another reader finds every mapping, function and line", async () => {
  const built = await esbuild({
    stdin: { contents: 'export * as hono from "hono"; export * as valibot from "valibot";', resolveDir: process.cwd() },
    bundle: true,
    format: "esm",
    minify: true,
    sourcemap: "external",
    outfile: "/bundle.js",
    write: false,
  });
  const text = (end: string) => built.outputFiles.find((file) => file.path.endsWith(end))?.text ?? "";
  const raw: RawSourceMap = JSON.parse(text(".map"));
  const scopes = readScopes(text(".js"));
  const all = readAll(convert({ ...raw, ignoreList: [1] }, scopes.ok ? scopes.scopes : undefined));

  const expected: Row[] = [];
  await SourceMapConsumer.with(raw, null, (consumer) =>
    consumer.eachMapping(({ generatedLine, generatedColumn, source, originalLine, originalColumn, name }) => {
      const at = { line: generatedLine - 1, column: generatedColumn };
      if (source === null) expected.push({ ...at, kind: 0 });
      else {
        const place = {
          path: displayPath(source, ""),
          line: (originalLine ?? 0) - 1,
          column: originalColumn ?? 0,
          name,
        };
        expected.push({ ...at, kind: name === null ? 1 : 2, place });
      }
    }),
  );
  const known = new Set(expected.map(({ line, column }) => `${line}:${column}`));
  const ours = all.rows.filter(({ kind }) => kind !== 3);
  expect(ours.filter(({ line, column }) => known.has(`${line}:${column}`))).toEqual(expected);
  expect(ours.length - expected.length).toBeLessThan(expected.length / 64);
  expect(all.mappings).toBe(expected.length);
  expect(all.rows.filter(({ kind }) => kind === 3).length).toBeGreaterThan(100);

  expect(all).toMatchObject({ sourceCount: raw.sources.length, flags: 1 });
  expect(all.functions).toBeGreaterThan(500);
  expect(new Set(all.boundaries.map(({ name }) => name)).size).toBeGreaterThan(400);
  expect(all.sources.map(({ path }) => path)).toEqual(raw.sources.map((source) => displayPath(source, "")));
  expect(all.sources.map(({ flags }) => flags)).toEqual(raw.sources.map((_, i) => (i === 1 ? 3 : 2)));
  for (const [i, { all: lines, lines: count }] of all.sources.entries()) {
    const content = (raw.sourcesContent?.[i] ?? "").split("\n");
    expect(count).toBe(content.length);
    expect(lines).toEqual(content.map((line) => line.slice(0, limits.MAX_LINE_CHARS)));
  }
});

test("the page states the limits that the code has", () => {
  const page = readFileSync("workers/errors/source-map/SOURCE-MAPS.md", "utf8");
  const stated = [
    `Up to ${limits.BLOCK_MAPPINGS.toLocaleString("en")} rows`,
    `⌈rows / ${limits.GROUP_MAPPINGS}⌉ times`,
    `at most ${limits.BLOCK_BOUNDARIES.toLocaleString("en")}`,
    `${limits.PAGE_ENTRIES} entries make an index page`,
    `Up to ${limits.PAGE_SOURCES} sources`,
    `Some ${limits.CHUNK_BYTES / 1024} KB of lines`,
    `after ${limits.MAX_LINE_CHARS.toLocaleString("en")} code units`,
    `with ${limits.HEAD_BYTES / 1024} KB it has`,
    `${limits.MAX_MAPPINGS / 1e6} million mappings, ${limits.MAX_SOURCES.toLocaleString("en")} sources, ${limits.MAX_SECTIONS.toLocaleString("en")} sections`,
    `${limits.MAX_SOURCE_MAP_BYTES / 1024 / 1024} MB of JSON`,
    `cut after ${limits.MAX_NAME_CHARS} characters, a path after ${limits.MAX_PATH_CHARS.toLocaleString("en")}`,
  ];
  for (const text of stated) expect(page).toContain(text);
});
