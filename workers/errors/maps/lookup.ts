/**
 * The map of a file of a version, for `errors/symbolicate/`: D1 says which blob,
 * R2 gives a few KB of it. Exact version only: a map of another version leads to
 * wrong lines, which is worse than none. What is known is kept per isolate,
 * bounded, and nobody waits for long: an error whose map cannot be had in time
 * is stored with its raw stack.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { sourceMaps } from "../../db/schema.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import { BlockCache } from "../source-map/cache.ts";
import { openSeekable, type SeekableMap } from "../source-map/open.ts";
import { MAX_FILES_PER_VERSION } from "./limits.ts";
import { matchFile } from "./match.ts";
import { readRanges } from "./ranges.ts";

/** A version without maps is asked about again after this: the upload follows the deployment by seconds. */
const NONE_KEPT_MS = 15_000;
/** A failure of D1 or R2. */
const FAILED_KEPT_MS = 5_000;
/** A map that was replaced by a better one, or deleted, is used for this much longer. */
const KNOWN_KEPT_MS = 30_000;
const D1_TIMEOUT_MS = 2_000;
/** Of all that one look-up waits for. A look-up whose request has ended may never answer; the next begins anew. */
const FIND_TIMEOUT_MS = 5_000;

/** Versions of which an isolate remembers what maps they have: some 200 B each, more for one with many files. */
const MAX_VERSIONS = 500;
const MAX_FILES = 20_000;
/** Names in frames that are remembered per version. */
const MAX_NAMES = 1_000;
/** Open maps, and what they hold in memory: indexes of some 10 KB per MB of map. */
const MAX_OPEN = 64;
const MAX_OPEN_BYTES = 16 << 20;
/** Decoded blocks of all of them. */
const BLOCK_BYTES = 16 << 20;

export type Found = SeekableMap | "none" | "failed";

interface MapRow {
  file: string;
  seekableHash: string;
  seekableBytes: number;
}

/** What D1 said of a version: no rows, no maps. */
interface Version {
  rows: readonly MapRow[];
  /** D1 did not answer, and there is nothing older to go by. */
  failed: boolean;
  /** Which of them each name in a frame meant; the same few names come again and again. */
  matched: Map<string, MapRow | undefined>;
  until: number;
}

interface Failed {
  failedUntil: number;
}

/** Of the isolate: all that is kept is the same for every request. In order of last use. */
const versions = new Map<string, Version>();
const open = new Map<string, SeekableMap | Failed>();
const blocks = new BlockCache(BLOCK_BYTES);
/** What was found last: the frames of a stack are mostly of one file. */
let last: { script: string; version: string; file: string; map: SeekableMap; until: number } | undefined;
/** Counts `forgetVersion`: what was being read before it must not be kept. */
let generation = 0;
const pending = new Map<string, { work: Promise<Found>; since: number }>();

export class MapStore {
  readonly #env: Pick<Env, "DB" | "BUCKET">;

  constructor(env: Pick<Env, "DB" | "BUCKET">) {
    this.#env = env;
  }

  /** At once, from memory: undefined when `find` would have to ask. */
  findCached(script: string, version: string, file: string): SeekableMap | "none" | undefined {
    const now = Date.now();
    if (last?.file === file && last.version === version && last.script === script && now < last.until) return last.map;
    const known = recall(versions, keyOf(script, version));
    if (known === undefined || known.until <= now || known.failed) return undefined;
    const row = match(known, file);
    if (row === undefined) return "none";
    const map = recall(open, row.seekableHash);
    if (map === undefined || "failedUntil" in map) return undefined;
    last = { script, version, file, map, until: known.until };
    return map;
  }

  /** Whether the version has maps of any file, as far as this isolate knows. For what `find` said `none` of. */
  hasAny(script: string, version: string): boolean {
    return (versions.get(keyOf(script, version))?.rows.length ?? 0) > 0;
  }

  /** Never rejects, and answers within seconds. Those who ask for the same at the same time share one look-up. */
  async find(script: string, version: string, file: string): Promise<Found> {
    const cached = this.findCached(script, version, file);
    if (cached !== undefined) return cached;
    const key = `${keyOf(script, version)}\0${file}`;
    const now = Date.now();
    let shared = pending.get(key);
    if (shared === undefined || now - shared.since > FIND_TIMEOUT_MS) {
      shared = { work: this.#look(script, version, file), since: now };
      pending.set(key, shared);
    }
    const mine = shared;
    try {
      return await within(FIND_TIMEOUT_MS, "source map", mine.work);
    } catch (error) {
      console.warn(`source map of ${script} ${version}: ${rootMessage(error)}`);
      return "failed";
    } finally {
      if (pending.get(key) === mine) pending.delete(key);
    }
  }

  async #look(script: string, version: string, file: string): Promise<Found> {
    const known = await this.#version(script, version);
    if (known.failed) return "failed";
    const row = match(known, file);
    return row === undefined ? "none" : this.#open(row);
  }

  async #version(script: string, version: string): Promise<Version> {
    const key = keyOf(script, version);
    const kept = recall(versions, key);
    if (kept !== undefined && kept.until > Date.now()) return kept;
    const began = generation;
    const known = await this.#readVersion(script, version, kept);
    if (began !== generation) return known;
    remember(versions, key, known);
    let files = 0;
    for (const { rows } of versions.values()) files += rows.length;
    while (versions.size > MAX_VERSIONS || files > MAX_FILES) files -= dropOldest(versions)?.rows.length ?? files;
    return known;
  }

  async #readVersion(script: string, version: string, old: Version | undefined): Promise<Version> {
    try {
      const query = sql`SELECT file, seekable_hash AS seekableHash, seekable_bytes AS seekableBytes FROM ${sourceMaps}
        WHERE script = ${script} AND version_id = ${version} LIMIT ${MAX_FILES_PER_VERSION}`;
      const [rows] = await within(D1_TIMEOUT_MS, "D1", runBatch<[MapRow]>(this.#env.DB, [query]));
      const keptMs = rows.length === 0 ? NONE_KEPT_MS : KNOWN_KEPT_MS;
      return { rows, failed: false, matched: new Map(), until: Date.now() + keptMs };
    } catch (error) {
      console.warn(`source maps of ${script} ${version}: ${rootMessage(error)}`);
      const until = Date.now() + FAILED_KEPT_MS;
      // What was known is still of this version; that there were none may have changed.
      if (old !== undefined && old.rows.length > 0) return { ...old, until };
      return { rows: [], failed: true, matched: new Map(), until };
    }
  }

  async #open({ seekableHash, seekableBytes }: MapRow): Promise<Found> {
    const kept = recall(open, seekableHash);
    if (kept !== undefined && !("failedUntil" in kept)) return kept;
    if (kept !== undefined && kept.failedUntil > Date.now()) return "failed";
    let map: SeekableMap | Failed;
    try {
      map = await openSeekable(readRanges(this.#env.BUCKET, seekableHash, seekableBytes), blocks);
    } catch (error) {
      console.warn(`source map ${seekableHash}: ${rootMessage(error)}`);
      map = { failedUntil: Date.now() + FAILED_KEPT_MS };
    }
    remember(open, seekableHash, map);
    let bytes = 0;
    for (const each of open.values()) bytes += bytesOf(each);
    while (open.size > 1 && (open.size > MAX_OPEN || bytes > MAX_OPEN_BYTES)) bytes -= bytesOf(dropOldest(open));
    return "failedUntil" in map ? "failed" : map;
  }
}

/** Which of these versions have any map. */
export async function hasMaps(
  env: Pick<Env, "DB">,
  script: string,
  versionIds: readonly string[],
): Promise<Set<string>> {
  const [rows] = await runBatch<[{ id: string }]>(env.DB, [
    sql`SELECT DISTINCT version_id AS id FROM ${sourceMaps} WHERE script = ${script}
      AND version_id IN (SELECT value FROM json_each(${JSON.stringify(versionIds)}))`,
  ]);
  return new Set(rows.map((row) => row.id));
}

/** Call after a change, so that this isolate sees it at once. */
export function forgetVersion(script: string, version: string): void {
  generation++;
  versions.delete(keyOf(script, version));
  pending.clear();
  last = undefined;
}

function match(version: Version, file: string): MapRow | undefined {
  const { rows, matched } = version;
  if (rows.length === 0) return undefined;
  if (matched.has(file)) return matched.get(file);
  if (matched.size >= MAX_NAMES) matched.clear();
  const row = matchFile(rows, file);
  matched.set(file, row);
  return row;
}

const keyOf = (script: string, version: string) => `${script}\0${version}`;
const bytesOf = (map: SeekableMap | Failed | undefined) => (map === undefined || "failedUntil" in map ? 0 : map.bytes);

/** Reading makes an entry the youngest. */
function recall<V>(cache: Map<string, V>, key: string): V | undefined {
  const value = cache.get(key);
  if (value !== undefined) remember(cache, key, value);
  return value;
}

function remember<V>(cache: Map<string, V>, key: string, value: V): void {
  cache.delete(key);
  cache.set(key, value);
}

function dropOldest<V>(cache: Map<string, V>): V | undefined {
  const oldest = cache.entries().next();
  if (oldest.done) return undefined;
  cache.delete(oldest.value[0]);
  return oldest.value[1];
}
