/** The large application with its map as an upload would leave it: the seekable form, under its hash. */
import { createHash } from "node:crypto";
import { convertSourceMap } from "../../workers/errors/source-map/convert.ts";
import { readScopes } from "../../workers/errors/source-map/scopes.ts";
import { bigApp } from "./big-app.mjs";

/** What the promise is about. */
const MAP_BYTES = 20e6;

/** @returns {Promise<{ code: string, map: string, seekable: Uint8Array, hash: string }>} */
export async function bigMap() {
  const { code, map } = await bigApp(MAP_BYTES);
  const read = readScopes(code);
  if (!read.ok) throw new Error(`the code was not understood: ${read.problem}`);
  const converted = convertSourceMap(JSON.parse(map), { scopes: read.scopes });
  if (!converted.ok) throw new Error(`the map was refused: ${converted.problems.join("; ")}`);
  const hash = createHash("sha256").update(converted.bytes).digest("hex");
  return { code, map, seekable: converted.bytes, hash };
}
