/**
 * Text that others wrote (titles of errors, messages of versions, reasons of
 * people) as Markdown may have it: it stands there as it is, and means nothing.
 * CommonMark 0.31 and GitHub's tables. Pure.
 */

/** Of one text in the report: a stack in a title would hide the table that it stands in. */
const MAX_CHARS = 500;
/** Control characters, line and paragraph separators, what turns the direction of writing, halves of characters. */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;
/** What means something within a paragraph or a cell; `://`, `www.` and `@` would make links by themselves. */
const PUNCTUATION = /[\\`*_[\]#~$@]|:(?=\/)|(?<=www)\./gi;
/** A pipe as well: whether a backslash before `\|` escapes the backslash or the pipe, renderers do not agree on. */
const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;" };
/** Between `@` and a name: invisible, and nobody is called to a report because of an error's text. */
const WORD_JOINER = "\u2060";

/** A sentence, in a paragraph or a cell. */
export function prose(text: string): string {
  return oneLine(text)
    .replace(/(?<![\p{L}\p{N}_])@(?=\w)/gu, `@${WORD_JOINER}`)
    .replace(PUNCTUATION, "\\$&")
    .replace(/[&<>|]/g, (c) => ENTITIES[c] as string);
}

/** A name, an id, a line of source: in a code span, where nothing has a meaning. */
export function code(text: string): string {
  const line = oneLine(text);
  if (line === "") return "–";
  if (line.includes("\\|")) return prose(line);
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = /^`|`$/.test(line) ? " " : "";
  // Also in a code span a pipe would end the cell.
  return `${fence}${pad}${line.replaceAll("|", "\\|")}${pad}${fence}`;
}

function oneLine(text: string): string {
  const line = text.replace(UNSAFE, " ").replace(/\s+/g, " ").trim();
  return line.length <= MAX_CHARS ? line : `${line.slice(0, MAX_CHARS - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** @param rows cells that are Markdown already */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
