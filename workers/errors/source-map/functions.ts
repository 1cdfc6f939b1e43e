/**
 * Which function code is in, and what that function is called in the source.
 * scopes.ts finds the functions in generated code; here their names are led
 * back through the map, and the nested ranges are laid out flat: a list of
 * places from which on the code is in another function.
 */
import { MAX_NAME_CHARS } from "./limits.ts";
import { forEachMapping } from "./ordered.ts";
import type { ValidMap } from "./validate.ts";

/** A part of a name in generated code: `a` at the place where it stands. Line and column from 0; line −1 where it stands nowhere. */
export interface NamePart {
  text: string;
  line: number;
  column: number;
}

/** A function in generated code, from 0, the end exclusive. */
export interface FunctionRange {
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
  /** `Cart` and `add` of a method. Empty: it has no name of its own. */
  name: NamePart[];
  /** Holds a module of a bundle: what is in it is not in a function. */
  isModule: boolean;
}

/**
 * A read of a property of what a call gave: `find(id).tier`. V8 prints the place
 * of the dot (or of `?.`, or of `[`), maps know that of the name. From 0.
 */
export interface PropertyRead {
  line: number;
  column: number;
  nameColumn: number;
}

/** What generated code tells beyond its map: functions by where they begin, outer ones first; reads in their order. */
export interface CodeScopes {
  functions: FunctionRange[];
  reads: PropertyRead[];
}

/** From this place on, the code is in the function of this name; null: in none. */
export interface Boundary {
  line: number;
  column: number;
  name: string | null;
}

const ANONYMOUS = "<anonymous>";

export function functionBoundaries(map: ValidMap, scopes: CodeScopes): Boundary[] {
  const original = originalNames(map, scopes);
  const boundaries: Boundary[] = [];
  const stack: { range: FunctionRange; name: string | null }[] = [];
  const mark = (line: number, column: number) => {
    const name = stack.at(-1)?.name ?? null;
    const last = boundaries.at(-1);
    if (last !== undefined && last.line === line && last.column === column) last.name = name;
    else if ((last?.name ?? null) !== name) boundaries.push({ line, column, name });
  };
  const leave = (line: number, column: number) => {
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.range.endLine > line || (top.range.endLine === line && top.range.endColumn > column)) return;
      stack.pop();
      mark(top.range.endLine, top.range.endColumn);
    }
  };
  for (const range of scopes.functions) {
    leave(range.line, range.column);
    stack.push({ range, name: nameOf(range, original, stack.at(-1)?.name ?? null) });
    mark(range.line, range.column);
  }
  leave(Number.POSITIVE_INFINITY, 0);
  return boundaries;
}

function nameOf(range: FunctionRange, original: Map<NamePart, string>, outer: string | null): string | null {
  if (range.isModule) return null;
  const parts = range.name.map((part) => original.get(part) ?? part.text).filter((part) => part !== "");
  if (parts.length > 0) return parts.join(".").slice(0, MAX_NAME_CHARS);
  if (outer === null || outer.endsWith(ANONYMOUS)) return outer;
  return `${outer}.${ANONYMOUS}`.slice(0, MAX_NAME_CHARS);
}

/** Each part that the map knows better than the generated code. */
function originalNames(map: ValidMap, scopes: CodeScopes): Map<NamePart, string> {
  const wanted = [...new Set(scopes.functions.flatMap((range) => range.name))].filter((part) => part.line >= 0);
  wanted.sort((a, b) => a.line - b.line || a.column - b.column);
  const names = new Map<NamePart, string>();
  const text = new SourceText(map);
  let next = 0;
  forEachMapping(map, (line, column, source, originalLine, originalColumn, name) => {
    for (let part = wanted[next]; part !== undefined; part = wanted[++next]) {
      if (part.line > line || (part.line === line && part.column > column)) return;
      // Only a mapping of the very identifier says what it is called; one before it is of other code.
      if (part.line === line && part.column === column && source !== -1) {
        const found = originalName(name, text.identifierAt(source, originalLine, originalColumn));
        if (found !== undefined) {
          for (let i = next; wanted[i]?.line === line && wanted[i]?.column === column; i++)
            names.set(wanted[i] as NamePart, found);
        }
        // Not passed yet: of several mappings of one position the last counts.
        return;
      }
    }
  });
  return names;
}

/** The map's own word counts, but for names that a bundler made up where the source has a keyword: `index_default`. */
function originalName(named: string | undefined, identifier: string | undefined): string | undefined {
  if (identifier === "" || (identifier === undefined && named?.endsWith("_default"))) return "";
  return named ?? identifier;
}

/** Words that are in the place of a name where the source has none: `export default { … }`. */
const NOT_A_NAME = new Set([
  "export",
  "default",
  "function",
  "class",
  "async",
  "const",
  "let",
  "var",
  "new",
  "return",
  "module",
  "exports",
  "this",
]);

/** Identifiers of the original source, by their place. */
class SourceText {
  private readonly lineStarts = new Map<number, Uint32Array>();

  private readonly map: ValidMap;

  constructor(map: ValidMap) {
    this.map = map;
  }

  /** "" where the source has a keyword there, undefined where nothing is known. */
  identifierAt(source: number, line: number, column: number): string | undefined {
    const content = this.map.sources[source]?.content;
    if (content == null) return undefined;
    const start = this.startsOf(source, content)[line];
    if (start === undefined) return undefined;
    const word = /^#?[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/u.exec(
      content.slice(start + column, start + column + MAX_NAME_CHARS),
    )?.[0];
    if (word === undefined) return undefined;
    return NOT_A_NAME.has(word) ? "" : word;
  }

  private startsOf(source: number, content: string): Uint32Array {
    let starts = this.lineStarts.get(source);
    if (starts === undefined) {
      const found = [0];
      for (const end of content.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) found.push(end.index + end[0].length);
      starts = Uint32Array.from(found);
      this.lineStarts.set(source, starts);
    }
    return starts;
  }
}
