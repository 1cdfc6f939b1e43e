/**
 * A block: some mappings that follow each other, with all that is needed to
 * answer for them (paths of their sources, names, which function the code is in),
 * so that one range read answers for a frame. Rows of differences, in groups that
 * can be read alone; numbers of sources and texts are the block's own, small ones.
 */
import { ByteReader, SeekableMapError, textOf } from "./bytes.ts";
import { lastAtOrBefore } from "./layout.ts";
import { BLOCK_BOUNDARIES, BLOCK_MAPPINGS, GROUP_MAPPINGS, MAX_POSITION } from "./limits.ts";

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

/**
 * Whose position it is. `v8`: of a frame, so places count that only V8 knows,
 * where the map was stored with them. `ecma`: as ECMA-426 has it.
 */
export type Rule = "v8" | "ecma";

export const IGNORED = 1;
/** What a row has behind its column. */
export const NOWHERE = 0;
export const PLACE = 1;
export const NAMED_PLACE = 2;
/** Only V8 prints this place: the dot before a name, an `await`. */
export const V8_PLACE = 3;
/** The head of a row: what it has, and how many lines further down it is; this many and more follow as a number. */
export const KIND_BITS = 2;
const KIND_MASK = 3;
export const MANY_LINES = 15;
/** Head and column. */
const MIN_ROW_BYTES = 2;

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
