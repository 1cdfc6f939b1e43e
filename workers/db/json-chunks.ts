/** Many rows for one statement of D1, which `json_each` takes apart again. */

/** Characters of one JSON parameter: at most 3 bytes each, and D1 takes 2 MB. */
const JSON_CHARS = 600_000;

/** Rows as JSON arrays, each one parameter: a statement may have 100 parameters, but any number of rows. */
export function jsonChunks(rows: readonly unknown[]): string[] {
  const chunks: string[] = [];
  let texts: string[] = [];
  let chars = 0;
  const flush = () => {
    if (texts.length > 0) chunks.push(`[${texts.join(",")}]`);
    texts = [];
    chars = 0;
  };
  for (const row of rows) {
    const text = JSON.stringify(row);
    if (chars + text.length > JSON_CHARS) flush();
    texts.push(text);
    chars += text.length + 1;
  }
  flush();
  return chunks;
}
