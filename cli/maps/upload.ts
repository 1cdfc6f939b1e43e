/**
 * The maps of one version to the server: convert, send both blobs, register;
 * several files at once, within bounds. Everything may be repeated: what is
 * there already is not sent again, and registering it again changes nothing.
 */
import type { RegisterRequest, SourceMapInfo } from "../../workers/api/contract.ts";
import type { ApiClient } from "../api/client.ts";
import { ApiFailure } from "../api/failures.ts";
import { CliFailure } from "../failure.ts";
import { sendBlob } from "./blob.ts";
import { type ConvertedMap, convertMap } from "./convert.ts";
import type { FoundMap } from "./find.ts";
import { Gate } from "./gate.ts";

/** Requests with a part in their body. */
const LINES = 6;
/** Maps under way: a build in hundreds of chunks waits for answers, not for the line. */
const MAPS_AT_ONCE = 8;
/** Their bytes; each lies in memory some five times while it is converted. */
const MAP_BYTES_AT_ONCE = 64 << 20;

export interface Version {
  script: string;
  versionId: string;
}

export interface Reporter {
  /** A map is read and converted, which takes a second per 10 MB, and nothing else happens meanwhile. */
  converting(file: string, bytes: number): void;
  /** Bytes of one map's two blobs that the server has. */
  progress(file: string, done: number, total: number): void;
  uploaded(map: UploadedMap): void;
  problem(file: string, problems: string[]): void;
  warn(text: string): void;
}

export interface UploadedMap {
  file: string;
  /** Of the original. */
  bytes: number;
  sources: number;
  mappings: number;
  sent: number;
  found: number;
  total: number;
}

export interface UploadSummary {
  uploaded: UploadedMap[];
  /** Files whose map is not valid. */
  invalid: string[];
}

/** @throws CliFailure when the server cannot be used; maps that are invalid are told and left out */
export async function uploadMaps(
  api: ApiClient,
  version: Version,
  maps: readonly FoundMap[],
  reporter: Reporter,
): Promise<UploadSummary> {
  const lines = new Gate(LINES);
  const memory = new Gate(MAP_BYTES_AT_ONCE);
  const summary: UploadSummary = { uploaded: [], invalid: [] };
  let failure: unknown;
  let next = 0;
  const worker = async () => {
    for (let found = maps[next++]; found !== undefined && failure === undefined; found = maps[next++]) {
      const map = found;
      await memory.run(map.size, () => uploadOne(api, version, map, lines, reporter, summary));
    }
  };
  const guarded = () =>
    worker().catch((error: unknown) => {
      failure ??= error;
    });
  await Promise.all(Array.from({ length: MAPS_AT_ONCE }, guarded));
  if (failure !== undefined) throw failure;
  return summary;
}

async function uploadOne(
  api: ApiClient,
  version: Version,
  found: FoundMap,
  lines: Gate,
  reporter: Reporter,
  summary: UploadSummary,
): Promise<void> {
  reporter.converting(found.file, found.size);
  const converted = await convertMap(found);
  if (!converted.ok) {
    reporter.problem(found.mapName, converted.problems);
    summary.invalid.push(found.mapName);
    return;
  }
  const { map } = converted;
  for (const warning of map.warnings) reporter.warn(warning);
  const { sent, found: there } = await sendAndRegister(api, version, map, lines, reporter);
  const { file, sources, mappings, original, seekable } = map;
  const bytes = original.bytes.byteLength;
  const total = bytes + seekable.bytes.byteLength;
  const uploaded = { file, bytes, sources, mappings, sent, found: there, total };
  summary.uploaded.push(uploaded);
  reporter.uploaded(uploaded);
}

async function sendAndRegister(
  api: ApiClient,
  version: Version,
  map: ConvertedMap,
  lines: Gate,
  reporter: Reporter,
): Promise<{ sent: number; found: number }> {
  const total = map.original.bytes.byteLength + map.seekable.bytes.byteLength;
  // Once more when the server's daily sweep came between sending and registering.
  for (let tried = 1; ; tried++) {
    const done = [0, 0];
    const send = (which: 0 | 1) =>
      sendBlob(api, which === 0 ? map.original : map.seekable, lines, (bytes) => {
        done[which] = bytes;
        reporter.progress(map.file, (done[0] as number) + (done[1] as number), total);
      });
    const [original, seekable] = await both(send(0), send(1));
    try {
      await register(api, version, map);
    } catch (error) {
      if (tried === 1 && error instanceof ApiFailure && error.status === 409) continue;
      throw error;
    }
    return { sent: original.sent + seekable.sent, found: original.found + seekable.found };
  }
}

async function register(api: ApiClient, { script, versionId }: Version, map: ConvertedMap): Promise<void> {
  const { file, original, seekable, debugId, sources, mappings } = map;
  const json: RegisterRequest = {
    file,
    hash: original.hash,
    bytes: original.bytes.byteLength,
    seekableHash: seekable.hash,
    seekableBytes: seekable.bytes.byteLength,
    ...(debugId === "" ? {} : { debugId }),
    sources,
    mappings,
  };
  const info = await api.call<SourceMapInfo>("POST", mapsPath({ script, versionId }), { json });
  if (info?.hash !== original.hash) throw new CliFailure(`${api.url} did not register ${file}; is it Tailrace?`);
}

export const mapsPath = ({ script, versionId }: Version): string =>
  `/api/v1/workers/${encodeURIComponent(script)}/versions/${encodeURIComponent(versionId)}/sourcemaps`;

/** Neither is left running behind when the other fails. */
async function both<T>(a: Promise<T>, b: Promise<T>): Promise<[T, T]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}
