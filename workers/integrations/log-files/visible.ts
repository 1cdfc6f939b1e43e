/** Control characters and line breaks of any kind as people write them (`\n`): a line stays one line, and no terminal obeys it. */
const NAMED: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is made visible.
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

export function visible(text: string): string {
  return text
    .toWellFormed()
    .replace(INVISIBLE, (found) => NAMED[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
