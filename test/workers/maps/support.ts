/** Blobs and maps for tests of their routes, in workerd. */
import { exports } from "cloudflare:workers";
import type { BlobAnswer, RegisterRequest } from "../../../workers/api/contract.ts";
import { convertSourceMap } from "../../../workers/errors/source-map/convert.ts";
import { ADMIN, call, ORIGIN } from "../api/client.ts";

export interface TestBlob {
  hash: string;
  bytes: Uint8Array<ArrayBuffer>;
}

export async function blobOf(bytes: Uint8Array): Promise<TestBlob> {
  const own = new Uint8Array(bytes);
  const digest = await crypto.subtle.digest("SHA-256", own);
  return { hash: Buffer.from(digest).toString("hex"), bytes: own };
}

/** Bytes that compress badly and are the same for the same seed. */
export function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = Math.imul(seed, 2_654_435_761);
  for (let i = 0; i < length; i++) {
    state = Math.imul(state, 1_103_515_245) + 12_345;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

export const announce = (blob: { hash: string; bytes: number }, token = ADMIN) =>
  call("/api/v1/sourcemaps/blobs", { method: "POST", token, body: blob });

export async function announced({ hash, bytes }: TestBlob, token = ADMIN): Promise<BlobAnswer> {
  const response = await announce({ hash, bytes: bytes.byteLength }, token);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}

export const send = (path: string, bytes: Uint8Array, headers: Record<string, string> = {}) =>
  exports.default.fetch(
    new Request(new URL(path, ORIGIN), {
      method: "PUT",
      headers: { authorization: `Bearer ${ADMIN}`, ...headers },
      body: bytes as Uint8Array<ArrayBuffer>,
    }),
  );

export const sendPart = ({ hash, bytes }: TestBlob, part: number, partBytes: number, token = ADMIN) =>
  send(`/api/v1/sourcemaps/blobs/${hash}/${part}`, bytes.subarray((part - 1) * partBytes, part * partBytes), {
    authorization: `Bearer ${token}`,
  });

export async function upload(blob: TestBlob): Promise<void> {
  const { complete, missing, partBytes } = await announced(blob);
  if (complete) return;
  for (const part of missing) {
    const response = await sendPart(blob, part, partBytes);
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  }
}

export function sourceMap(content = "throw new Error('x');\n"): Record<string, unknown> {
  return {
    version: 3,
    sources: ["src/cart.ts"],
    sourcesContent: [content],
    names: ["add"],
    mappings: "AAAAA,IAAI",
  };
}

export interface TestMap {
  original: TestBlob;
  seekable: TestBlob;
  request: RegisterRequest;
}

export async function testMap(file: string, content?: string): Promise<TestMap> {
  const map = sourceMap(content);
  const converted = convertSourceMap(map);
  if (!converted.ok) throw new Error(converted.problems.join());
  const original = await blobOf(new TextEncoder().encode(JSON.stringify(map)));
  const seekable = await blobOf(converted.bytes);
  const request = {
    file,
    hash: original.hash,
    bytes: original.bytes.byteLength,
    seekableHash: seekable.hash,
    seekableBytes: seekable.bytes.byteLength,
    sources: converted.sources,
    mappings: converted.mappings,
  };
  return { original, seekable, request };
}

export const mapsPath = (script: string, version: string) => `/api/v1/workers/${script}/versions/${version}/sourcemaps`;

export const register = (script: string, version: string, request: RegisterRequest) =>
  call(mapsPath(script, version), { method: "POST", token: ADMIN, body: request });

/** Uploaded and registered. */
export async function storeMap(script: string, version: string, file: string, content?: string): Promise<TestMap> {
  const map = await testMap(file, content);
  await upload(map.original);
  await upload(map.seekable);
  const response = await register(script, version, map.request);
  if (response.status >= 300) throw new Error(`${response.status} ${await response.text()}`);
  return map;
}
