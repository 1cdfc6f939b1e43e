/**
 * Headers that somebody typed: one to a line as `Name: value`, or as OpenTelemetry's
 * environment variables have them (`name=value,name2=value2`, percent-encoded).
 * Browsers make one line of what is pasted into a password field, so both may
 * stand in one line. Pure.
 */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const COLON_PAIR = new RegExp(`^(${TOKEN}):[ \\t]*(.*)$`);
const EQUALS_PAIR = new RegExp(`^(${TOKEN})=(.*)$`);
/** A comma that a further header follows: values may hold commas, too. */
const NEXT_PAIR = new RegExp(`,[ \\t]*(?=${TOKEN}[=:])`);
const MAX_HEADERS = 32;
/** What the body says of itself is not for others to say. */
const OURS = new Set(["content-type", "content-encoding", "content-length", "host", "transfer-encoding", "connection"]);

export type ReadHeaders = { ok: true; headers: Record<string, string> } | { ok: false; problem: string };

export function readHeaders(text: string): ReadHeaders {
  const headers: Record<string, string> = {};
  const pairs = text.split(/\r?\n/).flatMap((line) => line.trim().split(NEXT_PAIR));
  for (const pair of pairs) {
    if (pair.trim() === "") continue;
    const read = readPair(pair.trim());
    if (read === undefined)
      return { ok: false, problem: "Write headers as Name: value, with a comma or a new line between two." };
    const [name, value] = read;
    if (OURS.has(name.toLowerCase())) return { ok: false, problem: `${name} is set by Tailrace: leave it out.` };
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these cannot be in a header.
    if (/[\u0000-\u001f\u007f]|[^\u0000-\u00ff]/.test(value))
      return { ok: false, problem: `The value of ${name} has characters that a header cannot hold.` };
    headers[name] = value;
  }
  if (Object.keys(headers).length > MAX_HEADERS) return { ok: false, problem: `No more than ${MAX_HEADERS} headers.` };
  return { ok: true, headers };
}

function readPair(pair: string): [string, string] | undefined {
  const colon = COLON_PAIR.exec(pair);
  if (colon !== null) return [colon[1] as string, (colon[2] as string).trim()];
  const equals = EQUALS_PAIR.exec(pair);
  return equals === null ? undefined : [equals[1] as string, decoded((equals[2] as string).trim())];
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
