/** Lines of coloured pieces that never get wider than the terminal: one that wraps could not be taken back. Pure. */
import { CODES, type Paint, type Style } from "../../tail/render/colour.ts";

/** Text, or text with a style or a colour's code. */
export type Piece = string | readonly [style: Style | `38;5;${number}`, text: string];

export function lineOf(pieces: readonly Piece[], paint: Paint, columns: number): string {
  let left = columns;
  let line = "";
  for (const piece of pieces) {
    const [style, text] = typeof piece === "string" ? [undefined, piece] : piece;
    const fitting = cut(text, left);
    left -= widthOf(fitting);
    line += style === undefined ? fitting : paint(style in CODES ? CODES[style as Style] : style, fitting);
    if (fitting !== text) break;
  }
  return line;
}

/** Text on several lines, broken between words; what is left over stays on the last, to be cut there. */
export function wrapped(text: string, columns: number, most: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) as string;
    const longer = line === "" ? word : `${line} ${word}`;
    if (widthOf(longer) <= columns || line === "" || lines.length === most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Characters of East Asian scripts and emoji take two cells; to think so of too many leaves a cell empty, no more. */
const cellsOf = (c: string): number => ((c.codePointAt(0) as number) >= 0x1100 && !isNarrow(c) ? 2 : 1);
/** Punctuation, arrows, blocks and box drawing, of which this program itself makes use. */
const isNarrow = (c: string): boolean => c >= "\u2010" && c <= "\u25ff";
const widthOf = (text: string): number => [...text].reduce((sum, c) => sum + cellsOf(c), 0);

function cut(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text;
  let left = cells - 1;
  let kept = "";
  for (const c of text) {
    left -= cellsOf(c);
    if (left < 0) break;
    kept += c;
  }
  return cells < 1 ? "" : `${kept}…`;
}
