/** A blob in R2 as the source of byte ranges that `source-map/open.ts` reads from. */
import { within } from "../../util/within.ts";
import { blobKey } from "./keys.ts";

/** A range of some KB takes 20 to 100 ms; an R2 that hangs must not keep an error from being stored. */
const READ_TIMEOUT_MS = 3_000;

export interface Ranges {
  size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

export function readRanges(bucket: R2Bucket, hash: string, size: number): Ranges {
  const read = async (offset: number, length: number) => {
    const object = await bucket.get(blobKey(hash), { range: { offset, length } });
    if (object === null) throw new Error(`the source map ${hash} is not in the bucket`);
    return new Uint8Array(await object.arrayBuffer());
  };
  return { size, read: (offset, length) => within(READ_TIMEOUT_MS, "R2", read(offset, length)) };
}
