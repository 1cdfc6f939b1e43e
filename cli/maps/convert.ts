/**
 * One map, from bytes to the two blobs that are stored: the original, and its
 * seekable form (workers/errors/source-map/SOURCE-MAPS.md) with the functions
 * of the generated code. `check.ts` reads the same map with `source-map`.
 */
import { createHash } from "node:crypto";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { convertSourceMap } from "../../workers/errors/source-map/convert.ts";
import { MAX_SOURCE_MAP_BYTES, parseSourceMap } from "../../workers/errors/source-map/parse.ts";
import { readScopes } from "../../workers/errors/source-map/scopes.ts";
import { size } from "../output.ts";
import { compareWithSourceMap } from "./check.ts";
import { readComments } from "./comments.ts";
import { readText } from "./files.ts";
import type { FoundMap } from "./find.ts";
import { doubtOf } from "./plausible.ts";

export interface HashedBlob {
  /** SHA-256, hex. */
  hash: string;
  bytes: Uint8Array;
}

export interface ConvertedMap {
  file: string;
  original: HashedBlob;
  seekable: HashedBlob;
  debugId: string;
  sources: number;
  mappings: number;
  warnings: string[];
}

export type Conversion = { ok: true; map: ConvertedMap } | { ok: false; problems: string[] };

export async function convertMap(found: FoundMap): Promise<Conversion> {
  const warnings: string[] = [];
  if (found.size > MAX_SOURCE_MAP_BYTES)
    return { ok: false, problems: [`it has ${size(found.size)}; the limit is ${size(MAX_SOURCE_MAP_BYTES)}`] };
  const bytes = found.read();
  const parsed = parseSourceMap(bytes);
  if (!parsed.ok) return parsed;
  const code = found.codePath === undefined ? undefined : readText(found.codePath);
  const scopes = code === undefined ? undefined : readScopes(code);
  if (scopes?.ok === false) warnings.push(`${found.file}: functions are not named: ${scopes.problem}`);
  const map = withoutMachine(parsed.map, found.codePath);
  const converted = convertSourceMap(map, scopes?.ok ? { scopes: scopes.scopes } : {});
  if (!converted.ok) return converted;
  const codeId = code === undefined ? undefined : readComments(code).debugId;
  if (codeId !== undefined && converted.debugId !== "" && codeId.toLowerCase() !== converted.debugId.toLowerCase())
    return {
      ok: false,
      problems: [`its debug id is ${converted.debugId}, that of ${found.file} is ${codeId}: they are of two builds`],
    };
  const doubt = code === undefined ? undefined : doubtOf(parsed.map, code, found.file);
  if (doubt?.kind === "beyond") return { ok: false, problems: [doubt.sentence] };
  if (doubt !== undefined) warnings.push(`${found.file}: ${doubt.sentence}`);
  const difference = code === undefined ? undefined : await compareWithSourceMap(parsed.map, converted.bytes, code);
  if (difference !== undefined) warnings.push(`${found.file}: ${difference}`);
  const { debugId, sources, mappings } = converted;
  const [original, seekable] = [hashed(bytes), hashed(converted.bytes)];
  return { ok: true, map: { file: found.file, original, seekable, debugId, sources, mappings, warnings } };
}

/**
 * wrangler makes the directory of its output the `sourceRoot`, in full when it
 * was asked for in full: the path of a CI machine, which would be part of every
 * file's name. From the project's directory it is the same everywhere.
 */
function withoutMachine(map: unknown, codePath: string | undefined): unknown {
  if (codePath === undefined || typeof map !== "object" || map === null || !("sourceRoot" in map)) return map;
  const { sourceRoot } = map;
  if (typeof sourceRoot !== "string" || !isAbsolute(sourceRoot) || resolve(sourceRoot) !== dirname(resolve(codePath)))
    return map;
  return { ...map, sourceRoot: relative(process.cwd(), sourceRoot).split(sep).join("/") };
}

const hashed = (bytes: Uint8Array): HashedBlob => ({ hash: createHash("sha256").update(bytes).digest("hex"), bytes });
