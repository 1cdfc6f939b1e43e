/**
 * A block: some mappings that follow each other, with all that is needed to
 * answer for them (paths of their sources, names, which function the code is in),
 * so that one range read answers for a frame. Rows of differences, in groups that
 * can be read alone; numbers of sources and texts are the block's own, small ones.
 */
import { ByteReader, ByteWriter, SeekableMapError, textOf, utf8 } from "./bytes.ts";
import { lastAtOrBefore } from "./layout.ts";
import { BLOCK_BOUNDARIES, BLOCK_MAPPINGS, GROUP_MAPPINGS, MAX_POSITION } from "./limits.ts";
import type { Source } from "./validate.ts";

/** Where a frame is in the source. Line and column from 1. */
export interface Location {
  /** Number of the source in the map: two sources may look alike. */
  source: number;
  file: string;
  line: number;
  column: number;
  /** What the token there is called in the source, where the map says so. */
  name: string | null;
  /** The function that the code is in; "" for a module's own code, null when the map was stored without functions. */
  function: string | null;
  /** On the map's ignore list: not the team's own code. */
  ignored: boolean;
}

/** For the writer; from 0. `source` is −1 for code that comes from nowhere. */
export interface Mapping {
  line: number;
  column: number;
  source: number;
  originalLine: number;
  originalColumn: number;
  name: string | undefined;
}

/**
 * Whose position it is. `v8`: of a frame, so places count that only V8 knows,
 * where the map was stored with them. `ecma`: as ECMA-426 has it.
 */
export type Rule = "v8" | "ecma";

const IGNORED = 1;
/** What a row has behind its column. */
const NOWHERE = 0;
const PLACE = 1;
const NAMED_PLACE = 2;
/** Only V8 prints this place: the dot before a name, an `await`. */
const V8_PLACE = 3;
/** The head of a row: what it has, and how many lines further down it is; this many and more follow as a number. */
const KIND_BITS = 2;
const KIND_MASK = 3;
const MANY_LINES = 15;
/** Head and column. */
const MIN_ROW_BYTES = 2;

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

/**
 * A block in memory, as it was read: only the group that a position is in is
 * decoded, every time anew. That takes a microsecond, and a block a quarter of
 * the memory that numbers would.
 */
export class MappingBlock {
  readonly bytes: number;
  private readonly raw: Uint8Array;
  private readonly hasFunctions: boolean;
  private readonly rowsAt: number;
  private readonly groups: Places;
  private readonly groupEnds: Uint32Array;
  private readonly boundaries: Places;
  private readonly boundaryTexts: Uint32Array;
  private readonly sourceNumbers: Uint32Array;
  private readonly sourceFlags: Uint32Array;
  private readonly paths: TextTable;
  private readonly texts: TextTable;

  /** `line` and `column` are the block's key in the index. */
  constructor(raw: Uint8Array, line: number, column: number, allSources: number, hasFunctions: boolean) {
    const reader = new ByteReader(raw);
    const count = reader.count(BLOCK_MAPPINGS, MIN_ROW_BYTES);
    if (count === 0) throw new SeekableMapError("a block is empty");
    const sources = reader.count(BLOCK_MAPPINGS, 3);
    const texts = reader.count(BLOCK_MAPPINGS + BLOCK_BOUNDARIES, 1);
    const boundaries = reader.count(BLOCK_BOUNDARIES, 3);
    this.raw = raw;
    this.hasFunctions = hasFunctions;
    this.groups = new Places(Math.ceil(count / GROUP_MAPPINGS));
    this.groupEnds = new Uint32Array(this.groups.count);
    this.groups.read(reader, line, column, this.groupEnds);
    let end = reader.at;
    for (let i = 0; i < this.groupEnds.length; i++) {
      end += this.groupEnds[i] as number;
      if (end > raw.length) throw new SeekableMapError("mappings run past the end of their block");
      this.groupEnds[i] = end;
    }
    this.rowsAt = reader.at;
    reader.at = end;
    this.boundaries = new Places(boundaries);
    this.boundaryTexts = new Uint32Array(boundaries);
    this.boundaries.read(reader, line, column, this.boundaryTexts);
    this.sourceNumbers = new Uint32Array(sources);
    this.sourceFlags = new Uint32Array(sources);
    const pathLengths = new Uint32Array(sources);
    for (let i = 0; i < sources; i++) {
      const number = reader.varint();
      if (number >= allSources) throw new SeekableMapError(`a block names source ${number} of ${allSources}`);
      this.sourceNumbers[i] = number;
      this.sourceFlags[i] = reader.varint();
      pathLengths[i] = reader.varint();
    }
    const textLengths = new Uint32Array(texts);
    for (let i = 0; i < texts; i++) textLengths[i] = reader.varint();
    this.paths = new TextTable(reader, pathLengths);
    this.texts = new TextTable(reader, textLengths);
    // Text that is decoded takes twice its bytes, and something for each.
    const text = (this.paths.bytes + this.texts.bytes) * 2 + (sources + texts) * 24;
    this.bytes = raw.length + this.groups.count * 12 + boundaries * 12 + sources * 8 + text;
  }

  /** From 0. The mapping at or before it on the same line; undefined where there is none, or where it leads nowhere. */
  locate(line: number, column: number, rule: Rule): Location | undefined {
    const group = this.groups.find(line, column);
    if (group < 0) return undefined;
    const reader = new ByteReader(
      this.raw,
      group === 0 ? this.rowsAt : this.groupEnds[group - 1],
      this.groupEnds[group],
    );
    let atLine = this.groups.lines[group] as number;
    let atColumn = this.groups.columns[group] as number;
    let source = 0;
    let originalLine = 0;
    let originalColumn = 0;
    let name = 0;
    let foundLine = -1;
    const found = { kind: NOWHERE, source: 0, line: 0, column: 0, name: 0 };
    while (!reader.done) {
      const head = reader.varint();
      const kind = head & KIND_MASK;
      let down = head >>> KIND_BITS;
      if (down >= MANY_LINES) down += reader.varint();
      atLine += down;
      atColumn = (down === 0 ? atColumn : 0) + reader.varint();
      if (atLine > line || (atLine === line && atColumn > column)) break;
      if (kind !== NOWHERE) {
        source += reader.signed();
        originalLine += reader.signed();
        originalColumn += reader.signed();
        name = kind === PLACE ? 0 : kind === NAMED_PLACE ? 1 + reader.varint() : reader.varint();
        if (kind === V8_PLACE && rule === "ecma") continue;
      }
      foundLine = atLine;
      found.kind = kind;
      found.source = source;
      found.line = originalLine;
      found.column = originalColumn;
      found.name = name;
    }
    if (foundLine !== line || found.kind === NOWHERE) return undefined;
    return this.location(found.source, found.line, found.column, found.name, this.functionAt(line, column));
  }

  private location(source: number, line: number, column: number, name: number, within: string | null): Location {
    const number = this.sourceNumbers[source];
    if (number === undefined || line < 0 || line > MAX_POSITION || column < 0 || column > MAX_POSITION) {
      throw new SeekableMapError("a mapping leads out of its source");
    }
    return {
      source: number,
      file: this.paths.get(source),
      line: line + 1,
      column: column + 1,
      name: name === 0 ? null : this.texts.get(name - 1),
      function: within,
      ignored: ((this.sourceFlags[source] as number) & IGNORED) !== 0,
    };
  }

  private functionAt(line: number, column: number): string | null {
    if (!this.hasFunctions) return null;
    const i = this.boundaries.find(line, column);
    const text = i < 0 ? 0 : (this.boundaryTexts[i] as number);
    return text === 0 ? "" : this.texts.get(text - 1);
  }
}

/** Positions in order, each with a number. */
class Places {
  readonly count: number;
  readonly lines: Uint32Array;
  readonly columns: Uint32Array;

  constructor(count: number) {
    this.count = count;
    this.lines = new Uint32Array(count);
    this.columns = new Uint32Array(count);
  }

  read(reader: ByteReader, line: number, column: number, numbers: Uint32Array): void {
    for (let i = 0; i < this.count; i++) {
      const down = reader.varint();
      line += down;
      column = (down === 0 ? column : 0) + reader.varint();
      if (line > MAX_POSITION || column > MAX_POSITION) throw new SeekableMapError("a position is out of range");
      this.lines[i] = line;
      this.columns[i] = column;
      numbers[i] = reader.varint();
    }
  }

  find(line: number, column: number): number {
    return lastAtOrBefore(this.lines, this.columns, line, column);
  }
}

/** Texts one behind the other, each decoded once. */
class TextTable {
  readonly bytes: number;
  private readonly utf8: Uint8Array;
  private readonly ends: Uint32Array;
  private readonly decoded: (string | undefined)[] = [];

  /** `lengths` become the ends. */
  constructor(reader: ByteReader, lengths: Uint32Array) {
    let end = 0;
    for (let i = 0; i < lengths.length; i++) {
      end += lengths[i] as number;
      lengths[i] = end;
    }
    this.utf8 = reader.raw(end);
    this.ends = lengths;
    this.bytes = end;
  }

  get(i: number): string {
    let text = this.decoded[i];
    if (text === undefined) {
      const end = this.ends[i];
      if (end === undefined) throw new SeekableMapError(`a block names text ${i} of ${this.ends.length}`);
      text = textOf(this.utf8.subarray(i === 0 ? 0 : this.ends[i - 1], end));
      this.decoded[i] = text;
    }
    return text;
  }
}
