/**
 * Globs of rules: `*` stands for anything, `\*` for a star, case does not matter.
 * The fixed pieces are looked for one after the other, leftmost first, so that a
 * match is found in one walk over the text, whatever the pattern.
 */

/** Longer texts are matched by their start. */
const MAX_TEXT_CHARS = 4_096;

export function compileGlob(pattern: string): (text: string) => boolean {
  const pieces = split(pattern.toLowerCase());
  const first = pieces[0] as string;
  const last = pieces.at(-1) as string;
  if (pieces.length === 1) return (text) => text.toLowerCase() === first;
  const inner = pieces.slice(1, -1).filter((piece) => piece !== "");
  return (whole) => {
    const text = (whole.length > MAX_TEXT_CHARS ? whole.slice(0, MAX_TEXT_CHARS) : whole).toLowerCase();
    const end = text.length - last.length;
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const piece of inner) {
      const found = text.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= end;
  };
}

/** The texts between the stars. */
function split(pattern: string): string[] {
  const pieces = [""];
  for (let i = 0; i < pattern.length; i++) {
    let character = pattern[i] as string;
    const next = pattern[i + 1];
    if (character === "*") {
      pieces.push("");
      continue;
    }
    if (character === "\\" && (next === "*" || next === "\\")) {
      character = next;
      i++;
    }
    pieces[pieces.length - 1] += character;
  }
  return pieces;
}
