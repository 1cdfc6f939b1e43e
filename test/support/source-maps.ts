/** Source maps for tests: made from segments, converted, opened from memory. */
import { type CodeScopes, convertSourceMap } from "../../workers/errors/source-map/convert.ts";
import { type BlockCache, openSeekable, type SeekableMap } from "../../workers/errors/source-map/open.ts";

/** Column, and where it has an origin: source, line, column, name. From 0, absolute. */
export type Segment = [number] | [number, number, number, number] | [number, number, number, number, number];

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

export function vlq(value: number): string {
  let rest = value < 0 ? -value * 2 + 1 : value * 2;
  let text = "";
  do {
    const digit = rest % 32;
    rest = Math.floor(rest / 32);
    text += DIGITS[rest > 0 ? digit + 32 : digit];
  } while (rest > 0);
  return text;
}

/** `mappings` of lines of segments, in the order given. */
export function encodeMappings(lines: Segment[][]): string {
  const last = [0, 0, 0, 0, 0];
  const encode = (segment: Segment) =>
    segment
      .map((value, i) => {
        const difference = value - (last[i] as number);
        last[i] = value;
        return vlq(difference);
      })
      .join("");
  return lines
    .map((line) => {
      last[0] = 0;
      return line.map(encode).join(",");
    })
    .join(";");
}

export interface RawMap {
  version: number;
  sources: (string | null)[];
  sourcesContent?: (string | null)[];
  names: string[];
  mappings: string;
  [member: string]: unknown;
}

export function rawMap(lines: Segment[][], members: Partial<RawMap> = {}): RawMap {
  return {
    version: 3,
    sources: ["a.js", "b.js", "c.js"],
    names: ["one", "two"],
    mappings: encodeMappings(lines),
    ...members,
  };
}

export function convert(map: unknown, scopes?: CodeScopes): Uint8Array {
  const converted = convertSourceMap(map, { scopes });
  if (!converted.ok) throw new Error(converted.problems.join("\n"));
  return converted.bytes;
}

/** Every read is noted in `reads`: `[offset, length]`. */
export async function openBytes(
  bytes: Uint8Array,
  cache?: BlockCache,
): Promise<{ map: SeekableMap; reads: [number, number][] }> {
  const reads: [number, number][] = [];
  const read = async (offset: number, length: number) => {
    reads.push([offset, length]);
    return bytes.subarray(offset, offset + length);
  };
  return { map: await openSeekable({ size: bytes.length, read }, cache), reads };
}

export async function open(map: unknown, scopes?: CodeScopes): Promise<SeekableMap> {
  return (await openBytes(convert(map, scopes))).map;
}
