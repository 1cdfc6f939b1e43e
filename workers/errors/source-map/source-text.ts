/**
 * What stands at a place of the original sources, where the map has their text:
 * names that the map leaves out, and a check of what it says.
 */
import { MAX_NAME_CHARS, MAX_TEXT_LINES } from "./limits.ts";
import type { ValidMap } from "./validate.ts";

/** `async function* add`, `export default function add`, from where it begins. */
const DECLARATION =
  /^(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b\s*\*?\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)/u;
/** `async function add(`, up to the first parameter. */
const DECLARED = /(?:^|[^\w$.])function\b\s*\*?\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*(?:<[^()]*>)?\($/u;
/** `const add: Adder = async (`, up to where its arrow function or the first parameter begins. */
const ASSIGNED =
  /(?:^|[\s;{(,])(?:const|let|var)\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*(?::[^=]*)?=\s*(?:async\s*)?\(?$/u;

/** `static async *#add`, from where it begins. */
const PRIVATE_MEMBER =
  /^(?:(?:static|async|get|set|readonly|override|accessor)\s+|\*\s*)*(#[\p{ID_Start}$_][\p{ID_Continue}$]*)/u;

const KEYWORD_AT = /^(?:await|new|throw|yield)\b/;
const KEYWORD_BEFORE = /(?:^|[^\w$.])(?:await|new|throw|yield)\b[\s(*]*$/;

const LINE_END = /\r\n|[\n\r\u2028\u2029]/g;
const SIGNS: [sign: RegExp, characters: number][] = [
  [/\?\.\s*$/, 2],
  [/(?:^|[^.])\.\s*$/, 1],
  [/[\w$)\]]\[\s*$/, 1],
  [/(?:^|[^\w$.])await\s+$/, 6],
];

export class SourceText {
  private readonly lineStarts = new Map<number, Uint32Array>();
  private lines = 0;

  private readonly map: ValidMap;

  constructor(map: ValidMap) {
    this.map = map;
  }

  /** A word, or undefined where there is none or nothing is known. */
  identifierAt(source: number, line: number, column: number): string | undefined {
    const [, after] = this.around(source, line, column);
    return /^#?[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/u.exec(after)?.[0];
  }

  /** What the function is called that begins here; undefined where that is not plain. */
  functionAt(source: number, line: number, column: number): string | undefined {
    const [before, after] = this.around(source, line, column);
    return (DECLARATION.exec(after) ?? ASSIGNED.exec(before) ?? DECLARED.exec(before))?.[1];
  }

  /** The name of the private member of a class that begins here, with or without modifiers. */
  privateMemberAt(source: number, line: number, column: number): string | undefined {
    return PRIVATE_MEMBER.exec(this.around(source, line, column)[1])?.[1];
  }

  /** Whether a keyword of those that V8 notes the place of stands there, or right before; undefined where nothing is known. */
  hasKeyword(where: "at" | "before", source: number, line: number, column: number): boolean | undefined {
    const [before, after] = this.around(source, line, column);
    if (before === "" && after === "") return undefined;
    return where === "at" ? KEYWORD_AT.test(after) : KEYWORD_BEFORE.test(before);
  }

  /** How many characters before the place V8 would print it, by what is written there: `.name`, `?.name`, `[index]`, `await it`; 0 for anything else. */
  signBefore(source: number, line: number, column: number): number {
    const [before] = this.around(source, line, column);
    return SIGNS.find(([sign]) => sign.test(before))?.[1] ?? 0;
  }

  /** Some text on either side, of the same line before it. */
  private around(source: number, line: number, column: number): [before: string, after: string] {
    const content = this.map.sources[source]?.content;
    if (content == null) return ["", ""];
    const start = this.startsOf(source, content)[line];
    if (start === undefined) return ["", ""];
    const at = start + column;
    return [content.slice(Math.max(start, at - MAX_NAME_CHARS), at), content.slice(at, at + MAX_NAME_CHARS)];
  }

  private startsOf(source: number, content: string): Uint32Array {
    let starts = this.lineStarts.get(source);
    if (starts === undefined) {
      // Counted first: a list that grows takes many times the memory.
      let lines = 1;
      for (const _ of content.matchAll(LINE_END)) lines++;
      starts = new Uint32Array(this.lines + lines > MAX_TEXT_LINES ? 0 : lines);
      this.lines += starts.length;
      let line = 1;
      for (const end of starts.length > 1 ? content.matchAll(LINE_END) : []) starts[line++] = end.index + end[0].length;
      this.lineStarts.set(source, starts);
    }
    return starts;
  }
}
