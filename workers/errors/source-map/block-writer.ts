/**
 * Writes a block (block.ts reads it): mappings come in order, then the functions
 * that they are in; what comes out is not compressed yet. One writer makes all
 * blocks of a map.
 */
import { IGNORED, KIND_BITS, MANY_LINES, NAMED_PLACE, NOWHERE, PLACE, V8_PLACE } from "./block.ts";
import { ByteWriter, utf8 } from "./bytes.ts";
import { BLOCK_BOUNDARIES, BLOCK_MAPPINGS, GROUP_MAPPINGS } from "./limits.ts";
import type { Source } from "./validate.ts";

/** From 0. `source` is −1 for code that comes from nowhere. */
export interface Mapping {
  line: number;
  column: number;
  source: number;
  originalLine: number;
  originalColumn: number;
  name: string | undefined;
}

export class BlockWriter {
  private readonly allSources: Source[];
  private readonly rows = new ByteWriter();
  private readonly groups: { line: number; column: number; length: number }[] = [];
  private readonly localSources = new Map<number, number>();
  private readonly texts = new Map<string, number>();
  private boundaries: { line: number; column: number; text: number }[] = [];
  private line = 0;
  private column = 0;
  private source = 0;
  private originalLine = 0;
  private originalColumn = 0;
  private groupStart = 0;
  count = 0;

  constructor(allSources: Source[]) {
    this.allSources = allSources;
  }

  get full(): boolean {
    return this.count === BLOCK_MAPPINGS;
  }

  get firstLine(): number {
    return this.groups[0]?.line ?? 0;
  }

  get firstColumn(): number {
    return this.groups[0]?.column ?? 0;
  }

  get lastLine(): number {
    return this.line;
  }

  /** Whether the next row does. */
  get beginsGroup(): boolean {
    return this.count % GROUP_MAPPINGS === 0;
  }

  /** Each behind the one before. */
  add(mapping: Mapping): void {
    const { line, column, source, name } = mapping;
    if (this.beginsGroup) this.beginGroup(line, column);
    this.head(line, column, source === -1 ? NOWHERE : name === undefined ? PLACE : NAMED_PLACE);
    if (source === -1) return;
    this.place(mapping);
    if (name !== undefined) this.rows.varint(local(this.texts, name));
  }

  /** A place before a mapped one that stands for it: not the first row of a group, which has to hold for everyone. */
  addV8Place(mapping: Mapping, column: number): void {
    if (this.beginsGroup) throw new Error("BUG: a place of V8 begins a group");
    this.head(mapping.line, column, V8_PLACE);
    this.place(mapping);
    this.rows.varint(mapping.name === undefined ? 0 : 1 + local(this.texts, mapping.name));
  }

  /** From here on the code is in this function. */
  boundary(line: number, column: number, name: string | null): void {
    if (this.boundaries.length >= BLOCK_BOUNDARIES) return;
    // What follows the last one that fits is unknown.
    const known = this.boundaries.length < BLOCK_BOUNDARIES - 1 ? name : null;
    this.boundaries.push({ line, column, text: known === null ? 0 : 1 + local(this.texts, known) });
  }

  /** The bytes of the block, before compression; it is empty afterwards. */
  take(): Uint8Array {
    this.endGroup();
    const out = new ByteWriter();
    for (const value of [this.count, this.localSources.size, this.texts.size, this.boundaries.length])
      out.varint(value);
    this.positions(this.groups, out, (group) => out.varint(group.length));
    out.raw(this.rows.view());
    this.positions(this.boundaries, out, (boundary) => out.varint(boundary.text));
    this.tables(out);
    this.rows.clear();
    this.groups.length = 0;
    this.localSources.clear();
    this.texts.clear();
    this.boundaries = [];
    this.count = 0;
    return out.take();
  }

  /** Rows of a group count from its own beginning, so that it can be read alone. */
  private beginGroup(line: number, column: number): void {
    this.endGroup();
    this.groups.push({ line, column, length: 0 });
    this.line = line;
    this.column = column;
    this.source = 0;
    this.originalLine = 0;
    this.originalColumn = 0;
    this.groupStart = this.rows.length;
  }

  private head(line: number, column: number, kind: number): void {
    const { rows } = this;
    const down = line - this.line;
    rows.varint((Math.min(down, MANY_LINES) << KIND_BITS) | kind);
    if (down >= MANY_LINES) rows.varint(down - MANY_LINES);
    rows.varint(down === 0 ? column - this.column : column);
    this.line = line;
    this.column = column;
    this.count++;
  }

  private place({ source, originalLine, originalColumn }: Mapping): void {
    const { rows } = this;
    const number = local(this.localSources, source);
    rows.signed(number - this.source);
    rows.signed(originalLine - this.originalLine);
    rows.signed(originalColumn - this.originalColumn);
    this.source = number;
    this.originalLine = originalLine;
    this.originalColumn = originalColumn;
  }

  private endGroup(): void {
    const group = this.groups.at(-1);
    if (group !== undefined) group.length = this.rows.length - this.groupStart;
  }

  /** Counted from the key of the block, which is where its first group begins. */
  private positions<T extends { line: number; column: number }>(
    entries: T[],
    out: ByteWriter,
    more: (entry: T) => void,
  ): void {
    let line = this.firstLine;
    let column = this.firstColumn;
    for (const entry of entries) {
      const down = entry.line - line;
      out.varint(down);
      out.varint(down === 0 ? entry.column - column : entry.column);
      more(entry);
      line = entry.line;
      column = entry.column;
    }
  }

  private tables(out: ByteWriter): void {
    const paths: Uint8Array[] = [];
    for (const number of this.localSources.keys()) {
      const source = this.allSources[number];
      if (source === undefined) throw new Error(`BUG: a mapping of source ${number} of ${this.allSources.length}`);
      const path = utf8(source.path);
      paths.push(path);
      out.varint(number);
      out.varint(source.ignored ? IGNORED : 0);
      out.varint(path.length);
    }
    const texts = [...this.texts.keys()].map(utf8);
    for (const text of texts) out.varint(text.length);
    for (const path of paths) out.raw(path);
    for (const text of texts) out.raw(text);
  }
}

function local<K>(table: Map<K, number>, key: K): number {
  let number = table.get(key);
  if (number === undefined) {
    number = table.size;
    table.set(key, number);
  }
  return number;
}
