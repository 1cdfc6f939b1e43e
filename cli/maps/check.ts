/**
 * Reads a map a second time, with the `source-map` package, and compares: what
 * the seekable form answers must be what the original says. A difference would
 * lead every error of the version to a wrong line, so it is looked for here, once.
 */
import { SourceMapConsumer } from "source-map";
import { openSeekable } from "../../workers/errors/source-map/open.ts";

/** Spread over the code; more takes time and finds nothing new. */
const SAMPLES = 256;

type AnyMap = ConstructorParameters<typeof SourceMapConsumer>[0];

/** @returns what is different; undefined when nothing is */
export async function compareWithSourceMap(
  map: unknown,
  seekable: Uint8Array,
  code: string,
): Promise<string | undefined> {
  const read = async (offset: number, length: number) => seekable.subarray(offset, offset + length);
  const ours = await openSeekable({ size: seekable.byteLength, read });
  return SourceMapConsumer.with(map as AnyMap, null, async (theirs) => {
    for (const { line, column } of samplePositions(code, SAMPLES)) {
      const here = await ours.locate(line, column + 1, "ecma");
      const there = theirs.originalPositionFor({ line, column });
      const mine = here === undefined ? "nowhere" : `${here.line}:${here.column}`;
      const other = there.line === null || there.column === null ? "nowhere" : `${there.line}:${there.column + 1}`;
      if (mine !== other)
        return `${line}:${column + 1} leads to ${mine}, and to ${other} as the source-map package reads it`;
    }
    return undefined;
  });
}

/** Evenly through the text, so the same code is looked at in the same places. Line from 1, column from 0. */
export function samplePositions(code: string, count: number): { line: number; column: number }[] {
  const positions: { line: number; column: number }[] = [];
  const step = Math.max(1, Math.floor(code.length / count));
  let line = 1;
  let lineStart = 0;
  let next = Math.floor(step / 2);
  while (next < code.length) {
    const newline = code.indexOf("\n", lineStart);
    if (newline !== -1 && newline < next) {
      line++;
      lineStart = newline + 1;
      continue;
    }
    positions.push({ line, column: next - lineStart });
    next += step;
  }
  return positions;
}
