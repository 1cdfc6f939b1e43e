/**
 * Text from outside, as a terminal may have it. Whoever can make a Worker log
 * can make it log escape sequences: they would move the cursor, rename the
 * window, hide lines or answer questions into the shell. They are shown as
 * what they are (`\x1b`). Pure.
 */

/**
 * Control characters, marks that turn the direction of writing, odd line ends
 * and halves of characters. The joiners of emoji and of Arabic and Indic
 * scripts (U+200C, U+200D) do no harm.
 */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** On one line. */
export const safeLine = (text: string): string =>
  text.replace(UNSAFE, (c) => (c === "\t" ? " " : c === "\n" ? "⏎ " : c === "\r" ? "" : escaped(c)));

/** At most so many characters, the last one a mark that there are more. */
export function cutLine(line: string, chars: number): string {
  if (line.length <= chars) return line;
  // Half of a character outside of the basic plane is none.
  return `${line.slice(0, chars - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

function escaped(c: string): string {
  const code = c.codePointAt(0) as number;
  return code < 0x100 ? `\\x${hex(code, 2)}` : code < 0x10000 ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 5)}}`;
}

/** JSON on one line that means the same, and does nothing to a terminal: JSON itself only escapes what is below U+0020. */
export const safeJson = (value: unknown): string =>
  JSON.stringify(value).replace(UNSAFE, (c) => {
    let text = "";
    for (let i = 0; i < c.length; i++) text += `\\u${hex(c.charCodeAt(i), 4)}`;
    return text;
  });

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, "0");
