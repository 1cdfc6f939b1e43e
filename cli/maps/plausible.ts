/**
 * Is a map one of this very code? A map of another build whose name fits (one
 * bundler's `index.js.map` beside the other's `index.js`) is valid in itself and
 * leads every error to a wrong line, so mappings are held against the code:
 * none may lie beyond it, and they begin where tokens begin, hardly ever in the
 * middle of a word. Called by `convert.ts`. Pure.
 */
import { forEachMapping } from "../../workers/errors/source-map/ordered.ts";
import { type ValidMap, validateSourceMap } from "../../workers/errors/source-map/validate.ts";

/** Fewer say nothing. */
const MIN_SEGMENTS = 40;
/** Of the right maps of esbuild, rolldown, rollup, terser and webpack none does, of another bundler's on the same code 46 %. */
const MAX_SHARE = 0.1;

/** `beyond`: it cannot be of this code; `unlikely`: it hardly is. One sentence each. */
type Doubt = { kind: "beyond" | "unlikely"; sentence: string };

/** @returns undefined when nothing speaks against it, or when the map is not valid, which others say */
export function doubtOf(map: unknown, code: string, file: string): Doubt | undefined {
  // Tools do not agree on whether these end a line.
  if (/\r(?!\n)|[\u2028\u2029]/.test(code)) return undefined;
  const valid = validateSourceMap(map);
  if (!valid.ok) return undefined;
  const { beyond, segments, inWords } = hold(valid.map, code);
  if (beyond !== undefined) {
    const { line, column } = beyond;
    const place = `line ${line + 1}, column ${column + 1}`;
    return { kind: "beyond", sentence: `it maps ${place}, which ${file} does not have: they are of two builds` };
  }
  if (segments < MIN_SEGMENTS || inWords / segments <= MAX_SHARE) return undefined;
  const share = Math.round((100 * inWords) / segments);
  return {
    kind: "unlikely",
    sentence: `${share} % of its mappings begin in the middle of a word of ${file}: is it the map of another build?`,
  };
}

interface Held {
  /** The first mapping outside the code, from 0. */
  beyond: { line: number; column: number } | undefined;
  /** Mappings that do not follow another at the next character, as those of every single character do. */
  segments: number;
  inWords: number;
}

function hold(map: ValidMap, code: string): Held {
  const held: Held = { beyond: undefined, segments: 0, inWords: 0 };
  let at = 0;
  let start = 0;
  let end = lineEnd(code, 0);
  // Some tools count bytes. Only where a column needs it, and once per line.
  let bytes = -1;
  let lastColumn = -2;
  forEachMapping(map, (line, column) => {
    if (held.beyond !== undefined) return;
    for (; at < line; at++) {
      lastColumn = -2;
      bytes = -1;
      start = end + 1;
      // Some tools map the line break after the last line, which others take off.
      if (start > code.length && !(start === code.length + 1 && at + 1 === line && column === 0)) {
        held.beyond = { line, column };
        return;
      }
      end = start > code.length ? start : lineEnd(code, start);
    }
    if (column > end - start) {
      if (bytes === -1) bytes = Buffer.byteLength(code.slice(start, end));
      if (column > bytes) held.beyond = { line, column };
      return;
    }
    const follows = column - lastColumn <= 1;
    lastColumn = column;
    if (follows || column >= end - start) return;
    held.segments++;
    if (column > 0 && isWord(code, start + column) && isWord(code, start + column - 1)) held.inWords++;
  });
  return held;
}

function lineEnd(code: string, from: number): number {
  const end = code.indexOf("\n", from);
  return end === -1 ? code.length : end;
}

/** Letters beyond ASCII are taken for none: what is not sure does not count against a map. */
function isWord(code: string, at: number): boolean {
  const char = code.charCodeAt(at);
  return (
    (char >= 97 && char <= 122) ||
    (char >= 65 && char <= 90) ||
    (char >= 48 && char <= 57) ||
    char === 95 ||
    char === 36
  );
}
