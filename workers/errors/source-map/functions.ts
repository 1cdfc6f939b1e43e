/**
 * Which function code is in, and what that function is called in the source.
 * scopes.ts finds the functions in generated code; here their names are led
 * back through the map, and the nested ranges are laid out flat: a list of
 * places from which on the code is in another function.
 */
import { MAX_NAME_CHARS } from "./limits.ts";
import { forEachMapping } from "./ordered.ts";
import { SourceText } from "./source-text.ts";
import type { ValidMap } from "./validate.ts";

/**
 * A part of a name in generated code: `a` at the place where it stands. Line and
 * column from 0; line −1 where it stands nowhere. `declared`: no name stands here,
 * but a function begins (or its parameters do), which may have had one in the
 * source before a minifier put it where it is called.
 */
export interface NamePart {
  text: string;
  declared?: true;
  /** Of a private member: where it begins with its modifiers, `static async`. terser maps that and not the name. */
  member?: NamePart;
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
 * A place that V8 prints and maps leave out, and the place behind it on the same
 * line that they know: the dot and the name of `find(id).tier`, `await` and what
 * is awaited. From 0.
 */
export interface V8Place {
  line: number;
  column: number;
  mappedColumn: number;
  /** `await`, `new`, `throw`, `yield`. Minifiers that put `await find()` in the place of a variable map it as the variable. */
  isKeyword: boolean;
}

/** What generated code tells beyond its map: functions by where they begin, outer ones first; places by where they are mapped. */
export interface CodeScopes {
  functions: FunctionRange[];
  places: V8Place[];
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
  const found = range.name.map((part) => original.get(part) ?? part.text).filter((part) => part !== "");
  const parts = range.name[0]?.declared === true ? found.slice(0, 1) : found;
  if (parts.length > 0) return parts.join(".").slice(0, MAX_NAME_CHARS);
  if (outer === null || outer.endsWith(ANONYMOUS)) return outer;
  return `${outer}.${ANONYMOUS}`.slice(0, MAX_NAME_CHARS);
}

/** Each part that the map knows better than the generated code. */
function originalNames(map: ValidMap, scopes: CodeScopes): Map<NamePart, string> {
  const parts = new Set(scopes.functions.flatMap((range) => range.name));
  const members = new Map<NamePart, NamePart>();
  for (const part of parts) if (part.member !== undefined) members.set(part.member, part);
  const wanted = [...parts, ...members.keys()].filter((part) => part.line >= 0);
  wanted.sort((a, b) => a.line - b.line || a.column - b.column);
  const names = new Map<NamePart, string>();
  const text = new SourceText(map);
  let next = 0;
  forEachMapping(map, (line, column, source, originalLine, originalColumn, name) => {
    for (let part = wanted[next]; part !== undefined; part = wanted[++next]) {
      if (part.line > line || (part.line === line && part.column > column)) return;
      // Only a mapping of the very identifier says what it is called; one before it is of other code.
      if (part.line === line && part.column === column && source !== -1) {
        for (let i = next; wanted[i]?.line === line && wanted[i]?.column === column; i++) {
          const wants = wanted[i] as NamePart;
          const member = members.get(wants);
          const found =
            member !== undefined
              ? text.privateMemberAt(source, originalLine, originalColumn)
              : wants.declared === true
                ? text.functionAt(source, originalLine, originalColumn)
                : originalName(name, text.identifierAt(source, originalLine, originalColumn));
          // It begins before its name, which counts for more.
          if (found !== undefined) names.set(member ?? wants, found);
        }
        // Not passed yet: of several mappings of one position the last counts.
        return;
      }
    }
  });
  return names;
}

/**
 * What stands in the source is the name. Where it is a keyword, or where there is
 * no source, the map's own word counts, but for those that bundlers make up for
 * what has no name: `index_default`.
 */
function originalName(named: string | undefined, identifier: string | undefined): string | undefined {
  if (identifier !== undefined && !KEYWORDS.has(identifier)) return identifier;
  if (named?.endsWith("_default") || (named === undefined && identifier !== undefined && NAMELESS.has(identifier)))
    return "";
  return named;
}

/** Stand before a name, or in its place. */
const KEYWORDS = new Set(
  (
    "abstract async await class const declare default export extends function get let new override private protected public " +
    "readonly return set static this throw var void yield module exports"
  ).split(" "),
);
/** `export default { … }`: there is no name. */
const NAMELESS = new Set(["export", "default", "module", "exports"]);
