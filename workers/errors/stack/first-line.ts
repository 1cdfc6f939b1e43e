/** First line of a message that says anything: what lists show of it. */
export function firstLine(text: string): string {
  const trimmed = text.trimStart();
  const end = trimmed.indexOf("\n");
  return (end < 0 ? trimmed : trimmed.slice(0, end)).trim();
}

/** What an issue is called after: the first line, or more of it where that one says nothing yet (`[`, `Invalid invocation:`). */
export function headline(text: string): string {
  const line = firstLine(text);
  if (/\p{L}/u.test(line) && !line.endsWith(":")) return line;
  return text.slice(0, MAX_HEADLINE_CHARS).replace(/\s+/g, " ").trim();
}

/** Looked through for white space; lists show fewer. */
const MAX_HEADLINE_CHARS = 1_000;
