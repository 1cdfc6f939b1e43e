/**
 * What generated code tells (functions.ts), walked along with the mappings in
 * order: convert.ts asks for each mapping and for each block what belongs there.
 */
import type { BlockWriter, Mapping } from "./block-writer.ts";
import type { Boundary, V8Place } from "./functions.ts";
import type { SourceText } from "./source-text.ts";

/** Tells which columns before a mapping V8 prints and means it. */
export interface Places {
  before(mapping: Mapping, last: Mapping): number[];
}

/**
 * Without the code: by what stands before the place in the source, where it would
 * be another line otherwise. Minified code has no space there.
 */
export class GuessedPlaces implements Places {
  private readonly text: SourceText;

  constructor(text: SourceText) {
    this.text = text;
  }

  before(mapping: Mapping, last: Mapping): number[] {
    if (last.line !== mapping.line || last.source === -1) return [];
    if (last.source === mapping.source && last.originalLine === mapping.originalLine) return [];
    const characters = this.text.signBefore(mapping.source, mapping.originalLine, mapping.originalColumn);
    const column = mapping.column - characters;
    return characters > 0 && last.column < column ? [column] : [];
  }
}

/** Finds the places of V8 that a mapping stands for. */
export class PlaceCursor implements Places {
  private next = 0;
  private readonly places: V8Place[];
  private readonly text: SourceText;

  constructor(places: V8Place[], text: SourceText) {
    this.places = places;
    this.text = text;
  }

  /** Columns, in order, where nothing is mapped there or between, or something else than stands there. */
  before(mapping: Mapping, last: Mapping): number[] {
    const columns: number[] = [];
    for (let place = this.places[this.next]; place !== undefined; place = this.places[++this.next]) {
      if (place.line > mapping.line || (place.line === mapping.line && place.mappedColumn > mapping.column)) break;
      if (place.line < mapping.line || place.mappedColumn < mapping.column) continue;
      if (place.column >= mapping.column || columns.at(-1) === place.column) continue;
      if (this.standsFor(place, mapping, last)) columns.push(place.column);
    }
    return columns;
  }

  private standsFor({ column, isKeyword }: V8Place, mapping: Mapping, last: Mapping): boolean {
    if (isKeyword && this.keyword("before", mapping) === false) return false;
    if (last.line < mapping.line || last.column < column) return true;
    // The map has the very place: wrong where it leads to another word than the keyword that stands here.
    return (
      isKeyword &&
      last.column === column &&
      this.keyword("at", last) === false &&
      this.keyword("before", mapping) === true
    );
  }

  private keyword(where: "at" | "before", { source, originalLine, originalColumn }: Mapping): boolean | undefined {
    return source === -1 ? undefined : this.text.hasKeyword(where, source, originalLine, originalColumn);
  }
}

/** Hands each block the function that it begins in and the boundaries within it. */
export class FunctionCursor {
  private next = 0;
  private name: string | null = null;

  private readonly boundaries: Boundary[];

  constructor(boundaries: Boundary[]) {
    this.boundaries = boundaries;
  }

  writeTo(block: BlockWriter, endLine: number, endColumn: number): void {
    const { firstLine, firstColumn, lastLine } = block;
    this.skipTo(firstLine, firstColumn);
    if (this.name !== null) block.boundary(firstLine, firstColumn, this.name);
    for (let at = this.boundaries[this.next]; at !== undefined; at = this.boundaries[this.next]) {
      // Lines behind the last mapping have none that could lead anywhere.
      if (at.line > lastLine || at.line > endLine || (at.line === endLine && at.column >= endColumn)) return;
      block.boundary(at.line, at.column, at.name);
      this.name = at.name;
      this.next++;
    }
  }

  private skipTo(line: number, column: number): void {
    for (let at = this.boundaries[this.next]; at !== undefined; at = this.boundaries[this.next]) {
      if (at.line > line || (at.line === line && at.column > column)) return;
      this.name = at.name;
      this.next++;
    }
  }
}
