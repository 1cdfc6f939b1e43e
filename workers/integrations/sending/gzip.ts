/**
 * Bodies made smaller before they are sent or put away. Level 1: telemetry repeats
 * itself, so that it finds most of what there is to find; level 6 takes nearly four
 * times as long for bodies 8 to 16 % smaller (docs/decisions/0029).
 */
import { gzipSync } from "node:zlib";

const LEVEL = 1;

export function gzip(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const packed = gzipSync(body, { level: LEVEL });
  // Small results are slices of Node's pool.
  return new Uint8Array(packed.buffer as ArrayBuffer, packed.byteOffset, packed.byteLength);
}
