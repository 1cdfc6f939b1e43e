/**
 * The mappings of a valid map in the order of the generated code, all sections
 * in one run. Streams: only a line that is out of order is held in memory.
 *
 * A section ends where the next begins: mappings that run on are left out, and
 * code before the first mapping of a section does not belong to the one before.
 */
import { decodeMappings } from "./decode.ts";
import { MAX_POSITION, MAX_UNSORTED_LINE } from "./limits.ts";
import type { Section, ValidMap } from "./validate.ts";

/** From 0. `source` is −1 for code that comes from nowhere; `name` is undefined where there is none. */
export type VisitOrdered = (
  line: number,
  column: number,
  source: number,
  originalLine: number,
  originalColumn: number,
  name: string | undefined,
) => void;

/** Thrown while reading on: a limit that shows only there. */
export class MapLimitError extends Error {
  override name = "MapLimitError";
}

export function forEachMapping(map: ValidMap, visit: VisitOrdered): void {
  for (const [i, section] of map.sections.entries()) readSection(section, map.sections[i + 1], i > 0, visit);
}

function readSection(section: Section, next: Section | undefined, follows: boolean, visit: VisitOrdered): void {
  const endLine = next?.line ?? Number.POSITIVE_INFINITY;
  const endColumn = next?.column ?? 0;
  // The end of what the section before says, until this one says something itself.
  let open = follows;
  const place = (line: number, column: number, source: number, ol: number, oc: number, name: number) => {
    const atLine = section.line + line;
    const atColumn = line === 0 ? section.column + column : column;
    if (atLine > endLine || (atLine === endLine && atColumn >= endColumn)) return;
    if (atLine > MAX_POSITION || atColumn > MAX_POSITION) {
      throw new MapLimitError(`a mapping at ${atLine + 1}:${atColumn + 1} is beyond line or column ${MAX_POSITION}`);
    }
    if (open && (atLine > section.line || atColumn > section.column))
      visit(section.line, section.column, -1, 0, 0, undefined);
    open = false;
    visit(
      atLine,
      atColumn,
      source === -1 ? -1 : source + section.firstSource,
      ol,
      oc,
      name === -1 ? undefined : section.names[name],
    );
  };

  const line = new LineBuffer();
  let pending = -1;
  const flush = () => {
    if (pending === -1) return;
    line.emit(pending, place);
    pending = -1;
  };
  decodeMappings(section.mappings, section.sources, section.names.length, (at, column, source, ol, oc, name) => {
    if (at !== pending) flush();
    if (!section.unsorted.has(at)) {
      place(at, column, source, ol, oc, name);
      return;
    }
    pending = at;
    line.add(column, source, ol, oc, name);
  });
  flush();
  if (open) visit(section.line, section.column, -1, 0, 0, undefined);
}

const FIELDS = 5;

/** One line of mappings, to be sorted. */
class LineBuffer {
  private fields = new Int32Array(1024 * FIELDS);
  private count = 0;

  add(column: number, source: number, originalLine: number, originalColumn: number, name: number): void {
    if (this.count === MAX_UNSORTED_LINE) {
      throw new MapLimitError(`a line with more than ${MAX_UNSORTED_LINE} mappings is not in order`);
    }
    if ((this.count + 1) * FIELDS > this.fields.length) {
      const larger = new Int32Array(this.fields.length * 2);
      larger.set(this.fields);
      this.fields = larger;
    }
    this.fields.set([column, source, originalLine, originalColumn, name], this.count * FIELDS);
    this.count++;
  }

  /** By column; those at the same one stay in their order. */
  emit(
    line: number,
    place: (line: number, column: number, source: number, ol: number, oc: number, name: number) => void,
  ): void {
    const { fields } = this;
    const order = Uint32Array.from({ length: this.count }, (_, i) => i * FIELDS);
    order.sort((a, b) => (fields[a] as number) - (fields[b] as number) || a - b);
    for (const i of order) {
      const [column, source, ol, oc, name] = fields.subarray(i, i + FIELDS) as unknown as [
        number,
        number,
        number,
        number,
        number,
      ];
      place(line, column, source, ol, oc, name);
    }
    this.count = 0;
  }
}
