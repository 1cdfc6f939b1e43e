/** A blob in R2 as the source of byte ranges that `source-map/open.ts` reads from. */
import { within } from "../../util/within.ts";
import type { ByteSource } from "../source-map/open.ts";
import { blobKey } from "./keys.ts";

/** A range of some KB takes 20 to 100 ms; an R2 that hangs must not keep an error from being stored. */
const READ_TIMEOUT_MS = 3_000;

export function readRanges(bucket: R2Bucket, hash: string, size: number): ByteSource {
  const read = async (offset: number, length: number) => {
    const object = await bucket.get(blobKey(hash), { range: { offset, length } });
    if (object === null) throw new Error(`the source map ${hash} is not in the bucket`);
    const bytes = new Uint8Array(await object.arrayBuffer());
    if (bytes.byteLength !== length) throw new Error(`the source map ${hash} has no ${length} bytes at ${offset}`);
    return bytes;
  };
  return { size, read: (offset, length) => within(READ_TIMEOUT_MS, "R2", read(offset, length)) };
}
