/**
 * A source map as a build wrote it, sent by something that is not the `tailrace`
 * command: read with a bound, converted here, stored and registered like any
 * other. Without the generated code, so frames get the names that the map has.
 */
import type { SourceMapInfo } from "../../api/contract.ts";
import { convertSourceMap } from "../source-map/convert.ts";
import { parseSourceMap } from "../source-map/parse.ts";
import type { MapsEnv } from "./blobs.ts";
import { blobKey } from "./keys.ts";
import { CONVERTING_MS, MAX_CONVERTING, MAX_RAW_BYTES } from "./limits.ts";
import { registerMap, type VersionOf } from "./register.ts";

export type RawResult =
  | { ok: true; info: SourceMapInfo; change: "none" | "added" | "replaced" }
  | {
      ok: false;
      problem:
        | "too_large"
        | "unreadable"
        | "bad_encoding"
        | "invalid"
        | "busy"
        | "too_many"
        | "unusable"
        | "unread"
        | "incomplete";
      message: string;
      /** Of an invalid map: everything that is wrong with it. */
      problems?: string[];
    };

/** Those that are being converted, with when they came. One whose client hangs up may never get to its end. */
const converting = new Map<symbol, number>();

export async function putRawMap(
  env: MapsEnv,
  version: VersionOf,
  file: string,
  request: Request,
  by: { actor: string; now: number },
): Promise<RawResult> {
  for (const [id, since] of converting) if (since < by.now - CONVERTING_MS) converting.delete(id);
  if (converting.size >= MAX_CONVERTING)
    return refused("busy", "Other source maps are being converted. Try again in some seconds.");
  const id = Symbol();
  converting.set(id, by.now);
  try {
    const body = await readBody(file, request);
    if (!body.ok) return body;
    const stored = await convertAndStore(env, file, body.bytes);
    if (!stored.ok) return stored;
    return await registerMap(env, version, { file, ...stored.blobs }, by);
  } finally {
    converting.delete(id);
  }
}

type Body = { ok: true; bytes: Uint8Array<ArrayBuffer> } | Extract<RawResult, { ok: false }>;

async function readBody(file: string, request: Request): Promise<Body> {
  const encoding = (request.headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  if (!["", "identity", "gzip", "x-gzip"].includes(encoding))
    return refused("bad_encoding", `Content-Encoding ${encoding} is not supported: send gzip, or nothing.`);
  if (Number(request.headers.get("content-length") ?? 0) > MAX_RAW_BYTES) return tooLarge();
  if (request.body === null) return refused("invalid", `The body is empty; it must be the source map of ${file}.`);
  const isPacked = encoding.endsWith("gzip");
  const body: ReadableStream = request.body;
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const unpacked = isPacked ? body.pipeThrough(new DecompressionStream("gzip")) : body;
    for await (const chunk of unpacked as ReadableStream<Uint8Array>) {
      length += chunk.byteLength;
      // Leaving the loop cancels the stream: nothing more is unpacked.
      if (length > MAX_RAW_BYTES) return tooLarge();
      chunks.push(chunk);
    }
  } catch {
    return refused("unreadable", isPacked ? "The body is no whole gzip." : "The body was cut off. Send it again.");
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return { ok: true, bytes };
}

async function convertAndStore(env: MapsEnv, file: string, original: Uint8Array<ArrayBuffer>) {
  const parsed = parseSourceMap(original);
  if (!parsed.ok) return invalid(file, parsed.problems);
  const converted = convertSourceMap(parsed.map);
  if (!converted.ok) return invalid(file, converted.problems);
  const { sources, mappings, debugId } = converted;
  const [hash, seekableHash] = await Promise.all([put(env, original), put(env, converted.bytes)]);
  const blobs = { hash, bytes: original.byteLength, seekableHash, seekableBytes: converted.bytes.byteLength };
  return { ok: true as const, blobs: { ...blobs, sources, mappings, debugId } };
}

async function put(env: MapsEnv, bytes: Uint8Array): Promise<string> {
  const whole = bytes as Uint8Array<ArrayBuffer>;
  const hash = Buffer.from(await crypto.subtle.digest("SHA-256", whole)).toString("hex");
  await env.BUCKET.put(blobKey(hash), whole, { sha256: hash });
  return hash;
}

type Refusal = Extract<RawResult, { ok: false }>;

const refused = (problem: Refusal["problem"], message: string): Refusal => ({ ok: false, problem, message });
const invalid = (file: string, problems: string[]): Refusal => ({
  ok: false,
  problem: "invalid",
  message: `The source map of ${file} is not valid: ${problems[0]}`,
  problems,
});
const tooLarge = () =>
  refused(
    "too_large",
    `A source map of more than ${MAX_RAW_BYTES >> 20} MiB is for the command, which converts it where it was built: npx tailrace sourcemaps upload <dir> --worker <name> --version <id>.`,
  );
