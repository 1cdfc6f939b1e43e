/**
 * The bytes of a source map to JSON: size, text encoding, the guard line that
 * some servers put before it. What the JSON says is validate.ts' business.
 */
import { MAX_SOURCE_MAP_BYTES } from "./limits.ts";

export { MAX_SOURCE_MAP_BYTES } from "./limits.ts";

export type Parsed = { ok: true; map: unknown } | { ok: false; problems: string[] };

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const MB = 1024 * 1024;

export function parseSourceMap(input: Uint8Array): Parsed {
  if (input.length > MAX_SOURCE_MAP_BYTES) {
    return failed(`the file has ${Math.ceil(input.length / MB)} MB, the limit is ${MAX_SOURCE_MAP_BYTES / MB} MB`);
  }
  let text: string;
  try {
    // A byte order mark is left out by the decoder.
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(withoutGuard(input));
  } catch {
    return failed("the file is not UTF-8 text");
  }
  if (text.trim() === "") return failed("the file is empty");
  try {
    return { ok: true, map: JSON.parse(text) };
  } catch (error) {
    return failed(`not JSON: ${where(error instanceof Error ? error.message : String(error))}`);
  }
}

/** ECMA-426, 10.4: a first line that begins with `)]}'` keeps the file from being run as a script; it is no part of the map. */
function withoutGuard(input: Uint8Array): Uint8Array {
  const bom = input[0] === 0xef && input[1] === 0xbb && input[2] === 0xbf ? 3 : 0;
  const guard = [0x29, 0x5d, 0x7d, 0x27];
  if (!guard.every((byte, i) => input[bom + i] === byte)) return input;
  let at = bom;
  while (at < input.length && input[at] !== NEWLINE && input[at] !== CARRIAGE_RETURN) at++;
  return input.subarray(at);
}

/** V8 quotes the text around the fault, of which a line of a minified file is enough. */
function where(message: string): string {
  return message.length > 200 ? `${message.slice(0, 200)}…` : message;
}

function failed(problem: string): Parsed {
  return { ok: false, problems: [problem] };
}
