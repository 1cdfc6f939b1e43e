/**
 * A block: some mappings that follow each other, with all that is needed to
 * answer for them (paths of their sources, names, which function the code is in),
 * so that one range read answers for a frame. Column after column, as varints of
 * differences; numbers of sources and texts are the block's own, small ones.
 */
import { ByteReader, ByteWriter, SeekableMapError, textOf, utf8 } from "./bytes.ts";
import { lastAtOrBefore } from "./layout.ts";
import { BLOCK_BOUNDARIES, BLOCK_MAPPINGS, MAX_POSITION } from "./limits.ts";
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

const IGNORED = 1;
const COLUMNS_PER_MAPPING = 4;

export class BlockWriter {
  private readonly lines = new Uint32Array(BLOCK_MAPPINGS);
  private readonly columns = new Uint32Array(BLOCK_MAPPINGS);
  private readonly sources = new Int32Array(BLOCK_MAPPINGS);
  private readonly originalLines = new Int32Array(BLOCK_MAPPINGS);
  private readonly originalColumns = new Int32Array(BLOCK_MAPPINGS);
  private readonly names = new Int32Array(BLOCK_MAPPINGS);
  private readonly localSources = new Map<number, number>();
  private readonly texts = new Map<string, number>();
  private boundaries: { line: number; column: number; text: number }[] = [];
  private readonly out = new ByteWriter();
  count = 0;

  private readonly allSources: Source[];

  constructor(allSources: Source[]) {
    this.allSources = allSources;
  }

  get full(): boolean {
    return this.count === BLOCK_MAPPINGS;
  }

  get firstLine(): number {
    return this.lines[0] as number;
  }

  get firstColumn(): number {
    return this.columns[0] as number;
  }

  get lastLine(): number {
    return this.lines[this.count - 1] as number;
  }

  add(line: number, column: number, source: number, originalLine: number, originalColumn: number, name?: string): void {
    const i = this.count++;
    this.lines[i] = line;
    this.columns[i] = column;
    this.sources[i] = source === -1 ? 0 : 1 + local(this.localSources, source);
    this.originalLines[i] = originalLine;
    this.originalColumns[i] = originalColumn;
    this.names[i] = name === undefined ? 0 : 1 + local(this.texts, name);
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
    const { out, count } = this;
    out.clear();
    for (const value of [count, this.localSources.size, this.texts.size, this.boundaries.length]) out.varint(value);
    this.positions();
    for (let i = 0; i < count; i++) out.varint(this.sources[i] as number);
    this.differences(this.originalLines);
    this.differences(this.originalColumns);
    for (let i = 0; i < count; i++) if (this.sources[i] !== 0) out.varint(this.names[i] as number);
    let line = this.firstLine;
    let column = this.firstColumn;
    for (const boundary of this.boundaries) {
      const down = boundary.line - line;
      out.varint(down);
      out.varint(down === 0 ? boundary.column - column : boundary.column);
      out.varint(boundary.text);
      line = boundary.line;
      column = boundary.column;
    }
    this.tables();
    this.count = 0;
    this.localSources.clear();
    this.texts.clear();
    this.boundaries = [];
    return out.take();
  }

  private positions(): void {
    const { out, count, lines, columns } = this;
    for (let i = 1; i < count; i++) out.varint((lines[i] as number) - (lines[i - 1] as number));
    for (let i = 1; i < count; i++) {
      const sameLine = lines[i] === lines[i - 1];
      out.varint((columns[i] as number) - (sameLine ? (columns[i - 1] as number) : 0));
    }
  }

  private differences(values: Int32Array): void {
    let last = 0;
    for (let i = 0; i < this.count; i++) {
      if (this.sources[i] === 0) continue;
      this.out.signed((values[i] as number) - last);
      last = values[i] as number;
    }
  }

  private tables(): void {
    const { out } = this;
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

/** A block in memory. Text is decoded when it is asked for. */
export class MappingBlock {
  readonly bytes: number;
  private readonly lines: Uint32Array;
  private readonly columns: Uint32Array;
  private readonly sources: Uint32Array;
  private readonly originalLines: Uint32Array;
  private readonly originalColumns: Uint32Array;
  private readonly names: Uint32Array;
  private readonly boundaryLines: Uint32Array;
  private readonly boundaryColumns: Uint32Array;
  private readonly boundaryTexts: Uint32Array;
  private readonly sourceNumbers: Uint32Array;
  private readonly sourceFlags: Uint32Array;
  private readonly paths: TextTable;
  private readonly texts: TextTable;

  /** `line` and `column` are the block's key in the index. */
  private readonly hasFunctions: boolean;

  constructor(raw: Uint8Array, line: number, column: number, allSources: number, hasFunctions: boolean) {
    this.hasFunctions = hasFunctions;
    const reader = new ByteReader(raw);
    const count = reader.count(BLOCK_MAPPINGS, COLUMNS_PER_MAPPING - 1);
    if (count === 0) throw new SeekableMapError("a block is empty");
    const sources = reader.count(BLOCK_MAPPINGS, 3);
    const texts = reader.count(BLOCK_MAPPINGS + BLOCK_BOUNDARIES, 1);
    const boundaries = reader.count(BLOCK_BOUNDARIES, 3);
    this.lines = new Uint32Array(count);
    this.columns = new Uint32Array(count);
    readPositions(reader, line, column, this.lines, this.columns);
    this.sources = readNumbers(reader, count, sources);
    this.originalLines = readDifferences(reader, this.sources);
    this.originalColumns = readDifferences(reader, this.sources);
    this.names = new Uint32Array(count);
    for (let i = 0; i < count; i++) if (this.sources[i] !== 0) this.names[i] = below(reader.varint(), texts);
    this.boundaryLines = new Uint32Array(boundaries);
    this.boundaryColumns = new Uint32Array(boundaries);
    this.boundaryTexts = new Uint32Array(boundaries);
    this.readBoundaries(reader, line, column, texts);
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
    // The tables keep all of `raw`, and text that is decoded takes about as much again.
    this.bytes =
      raw.length + count * 24 + boundaries * 12 + (sources + texts) * 24 + (this.paths.bytes + this.texts.bytes) * 2;
  }

  /** From 0. The mapping at or before it on the same line; undefined where there is none, or where it leads nowhere. */
  locate(line: number, column: number): Location | undefined {
    const i = lastAtOrBefore(this.lines, this.columns, line, column);
    if (i < 0 || this.lines[i] !== line) return undefined;
    const source = (this.sources[i] as number) - 1;
    if (source < 0) return undefined;
    const name = this.names[i] as number;
    const within = lastAtOrBefore(this.boundaryLines, this.boundaryColumns, line, column);
    const text = within < 0 ? 0 : (this.boundaryTexts[within] as number);
    return {
      source: this.sourceNumbers[source] as number,
      file: this.paths.get(source),
      line: (this.originalLines[i] as number) + 1,
      column: (this.originalColumns[i] as number) + 1,
      name: name === 0 ? null : this.texts.get(name - 1),
      function: !this.hasFunctions ? null : text === 0 ? "" : this.texts.get(text - 1),
      ignored: ((this.sourceFlags[source] as number) & IGNORED) !== 0,
    };
  }

  private readBoundaries(reader: ByteReader, line: number, column: number, texts: number): void {
    for (let i = 0; i < this.boundaryLines.length; i++) {
      const down = reader.varint();
      line += down;
      column = (down === 0 ? column : 0) + reader.varint();
      if (line > MAX_POSITION || column > MAX_POSITION) throw new SeekableMapError("a function is out of range");
      this.boundaryLines[i] = line;
      this.boundaryColumns[i] = column;
      this.boundaryTexts[i] = below(reader.varint(), texts);
    }
  }
}

function readPositions(
  reader: ByteReader,
  line: number,
  column: number,
  lines: Uint32Array,
  columns: Uint32Array,
): void {
  lines[0] = line;
  columns[0] = column;
  for (let i = 1; i < lines.length; i++) {
    line += reader.varint();
    if (line > MAX_POSITION) throw new SeekableMapError("a mapping is out of range");
    lines[i] = line;
  }
  for (let i = 1; i < lines.length; i++) {
    column = (lines[i] === lines[i - 1] ? column : 0) + reader.varint();
    if (column > MAX_POSITION) throw new SeekableMapError("a mapping is out of range");
    columns[i] = column;
  }
}

function readNumbers(reader: ByteReader, count: number, atMost: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = below(reader.varint(), atMost);
  return numbers;
}

/** 0 stands for none, so the largest is the number of entries. */
function below(value: number, atMost: number): number {
  if (value > atMost) throw new SeekableMapError(`a block names entry ${value} of ${atMost}`);
  return value;
}

/** Only mappings that have a source have these. */
function readDifferences(reader: ByteReader, sources: Uint32Array): Uint32Array {
  const values = new Uint32Array(sources.length);
  let value = 0;
  for (let i = 0; i < sources.length; i++) {
    if (sources[i] === 0) continue;
    value += reader.signed();
    if (value < 0 || value > MAX_POSITION) throw new SeekableMapError("an original position is out of range");
    values[i] = value;
  }
  return values;
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
      text = textOf(this.utf8.subarray(i === 0 ? 0 : this.ends[i - 1], this.ends[i]));
      this.decoded[i] = text;
    }
    return text;
  }
}
