/**
 * Parsed JSON to a map that is known to be right, or to a list of what is wrong
 * and where (ECMA-426, 8 and 9, with everything an error that the specification
 * says may be reported as one). An index map comes out as its sections, one
 * after the other; a plain map as one section.
 *
 * Taken although the specification does not know them: `x_google_ignoreList`,
 * `debug_id`, and null where a member may be missing, because tools write them.
 */
import { are, decodeMappings } from "./decode.ts";
import { displayPath } from "./display-path.ts";
import { MAX_POSITION, MAX_PROBLEMS, MAX_SECTION_DEPTH, MAX_SECTIONS, MAX_SOURCES } from "./limits.ts";

export interface Source {
  /** As people read it (display-path.ts). */
  path: string;
  ignored: boolean;
  content: string | null;
}

/** A map within the map, and where its generated code begins; from 0. */
export interface Section {
  line: number;
  column: number;
  mappings: string;
  /** Place of its first source among those of the whole map. */
  firstSource: number;
  sources: number;
  names: string[];
  /** Lines of `mappings` whose columns go back: sorted before use. */
  unsorted: Set<number>;
}

export interface ValidMap {
  file: string;
  /** As 32 hexadecimal digits in groups (UUID); "" where there is none, or one that is no UUID. */
  debugId: string;
  sources: Source[];
  sections: Section[];
}

export type Validation = { ok: true; map: ValidMap } | { ok: false; problems: string[] };

type Json = Record<string, unknown>;

export function validateSourceMap(map: unknown): Validation {
  const check = new Check();
  check.whole(map, "", 0, 0, 0);
  if (check.problems.length > 0) return { ok: false, problems: check.problems };
  return {
    ok: true,
    map: { file: check.file, debugId: check.debugId, sources: check.sources, sections: check.sections },
  };
}

class Check {
  readonly problems: string[] = [];
  readonly sources: Source[] = [];
  readonly sections: Section[] = [];
  file = "";
  debugId = "";
  private seen = 0;

  /** `where` is "" for the map itself, else `sections[3].map.` */
  whole(map: unknown, where: string, line: number, column: number, depth: number): void {
    if (!isObject(map)) {
      this.wrong(where === "" ? "a source map" : where.slice(0, -1), "must be a JSON object", map);
      return;
    }
    if (map.version !== 3) {
      const found = map.version === undefined ? "is missing" : `is ${shown(map.version)}`;
      this.problem(`${where}version ${found}, must be the number 3`);
    }
    const file = this.text(map, "file", where);
    const debugId = this.text(map, "debugId", where) || this.text(map, "debug_id", where);
    if (depth === 0) {
      this.file = file;
      this.debugId = UUID.test(debugId) ? debugId.toLowerCase() : "";
    }
    if (map.sections !== undefined) this.index(map, where, line, column, depth);
    else this.plain(map, where, line, column);
  }

  private index(map: Json, where: string, line: number, column: number, depth: number): void {
    if (map.mappings !== undefined) this.problem(`${where}mappings and ${where}sections: a map has one or the other`);
    if (!Array.isArray(map.sections)) {
      this.wrong(`${where}sections`, "must be an array", map.sections);
      return;
    }
    if (depth >= MAX_SECTION_DEPTH) {
      this.problem(`${where}sections: index maps are nested more than ${MAX_SECTION_DEPTH} deep`);
      return;
    }
    let beforeLine = -1;
    let beforeColumn = -1;
    for (const [i, section] of map.sections.entries()) {
      if (this.full) return;
      const here = `${where}sections[${i}]`;
      if (++this.seen > MAX_SECTIONS) {
        this.problem(`${here}: more than ${MAX_SECTIONS} sections`);
        return;
      }
      if (!isObject(section)) {
        this.wrong(here, "must be an object", section);
        continue;
      }
      const offset = this.offset(section.offset, `${here}.offset`);
      if (offset !== undefined) {
        if (offset.line < beforeLine || (offset.line === beforeLine && offset.column <= beforeColumn)) {
          this.problem(
            `${here}.offset: ${offset.line}:${offset.column} is not behind the section before it (${beforeLine}:${beforeColumn})`,
          );
        }
        beforeLine = offset.line;
        beforeColumn = offset.column;
      }
      if (section.map === undefined) {
        this.problem(
          section.url === undefined
            ? `${here}.map is missing`
            : `${here}.url: maps of sections are not fetched, the section must hold its map`,
        );
        continue;
      }
      const at = offset ?? { line: 0, column: 0 };
      // Only the first line of a section is moved sideways.
      const sideways = at.line === 0 ? column + at.column : at.column;
      if (line + at.line > MAX_POSITION || sideways > MAX_POSITION)
        this.problem(`${here}.offset is larger than ${MAX_POSITION}`);
      else this.whole(section.map, `${here}.map.`, line + at.line, sideways, depth + 1);
    }
  }

  private plain(map: Json, where: string, line: number, column: number): void {
    if (!Array.isArray(map.sources)) {
      this.wrong(`${where}sources`, "must be an array", map.sources);
      return;
    }
    const before = this.problems.length;
    const root = this.text(map, "sourceRoot", where);
    const contents = this.list(map, "sourcesContent", where, isTextOrNull, "a string or null") as (string | null)[];
    const names = this.list(map, "names", where, isText, "a string") as string[];
    const ignored = this.ignoreList(map, where, map.sources.length);
    const firstSource = this.sources.length;
    if (firstSource + map.sources.length > MAX_SOURCES) {
      this.problem(`${where}sources: more than ${MAX_SOURCES}`);
      return;
    }
    for (const [i, source] of map.sources.entries()) {
      if (!isTextOrNull(source)) {
        this.wrong(`${where}sources[${i}]`, "must be a string or null", source);
        if (this.full) return;
        continue;
      }
      this.sources.push({ path: displayPath(source, root), ignored: ignored.has(i), content: contents[i] ?? null });
    }
    if (typeof map.mappings !== "string") {
      this.wrong(`${where}mappings`, "must be a string", map.mappings);
      return;
    }
    // Numbers of sources and names cannot be judged by lists that are wrong.
    if (this.problems.length > before) return;
    const unsorted = new Set<number>();
    const problem = decodeMappings(map.mappings, map.sources.length, names.length, unsortedLines(unsorted));
    if (problem !== undefined) this.problem(`${where}mappings, ${problem}`);
    this.sections.push({
      line,
      column,
      mappings: map.mappings,
      firstSource,
      sources: map.sources.length,
      names,
      unsorted,
    });
  }

  private offset(offset: unknown, where: string): { line: number; column: number } | undefined {
    if (!isObject(offset)) {
      this.wrong(where, "must be an object", offset);
      return undefined;
    }
    const { line, column } = offset;
    if (!isIndex(line)) this.wrong(`${where}.line`, "must be a whole number from 0", line);
    if (!isIndex(column)) this.wrong(`${where}.column`, "must be a whole number from 0", column);
    return isIndex(line) && isIndex(column) ? { line, column } : undefined;
  }

  private ignoreList(map: Json, where: string, sources: number): Set<number> {
    const member = map.ignoreList == null ? "x_google_ignoreList" : "ignoreList";
    const list = this.list(map, member, where, isIndex, "a whole number from 0") as number[];
    for (const [i, index] of list.entries()) {
      if (index >= sources) this.problem(`${where}${member}[${i}] is ${index}, but there ${are(sources, "source")}`);
    }
    return new Set(list);
  }

  private text(map: Json, member: string, where: string): string {
    const value = map[member];
    if (value == null) return "";
    if (typeof value === "string") return value;
    this.wrong(where + member, "must be a string", value);
    return "";
  }

  /** Empty when it is missing or wrong. */
  private list(map: Json, member: string, where: string, is: (value: unknown) => boolean, what: string): unknown[] {
    const value = map[member];
    if (value == null) return [];
    if (!Array.isArray(value)) {
      this.wrong(where + member, "must be an array", value);
      return [];
    }
    const bad = value.findIndex((entry) => !is(entry));
    if (bad === -1) return value;
    this.wrong(`${where}${member}[${bad}]`, `must be ${what}`, value[bad]);
    return [];
  }

  private get full(): boolean {
    return this.problems.length >= MAX_PROBLEMS;
  }

  private wrong(where: string, rule: string, found: unknown): void {
    this.problem(found === undefined ? `${where} is missing` : `${where} ${rule}, is ${shown(found)}`);
  }

  private problem(text: string): void {
    if (!this.full) this.problems.push(text);
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function unsortedLines(unsorted: Set<number>): Parameters<typeof decodeMappings>[3] {
  let lastLine = -1;
  let lastColumn = 0;
  return (line, column) => {
    if (line === lastLine && column < lastColumn) unsorted.add(line);
    lastLine = line;
    lastColumn = column;
  };
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function isIndex(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_POSITION;
}

/** Short enough for a line of a terminal. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "string")
    return value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}…` : JSON.stringify(value);
  return String(value);
}
