/** Reads segments whole, by their key, into invocations. An object that is not there, or is damaged, is a value: whoever reads goes on without it. */
import type { ColumnBatch } from "../../event/batch.ts";
import { openSegment, SegmentError } from "../../store/segment-reader.ts";
import { within } from "../../util/within.ts";
import { READ_TIMEOUT_MS } from "./limits.ts";

/** Undefined: it is gone, or cannot be read. Throws when R2 is away. One row group after the other, so that only one is held besides its bytes. */
export async function readGroups(
  bucket: R2Bucket,
  key: string,
  take: (batch: ColumnBatch, group: number) => void,
  only?: number,
): Promise<{ groups: number } | undefined> {
  const object = await within(READ_TIMEOUT_MS, "R2", bucket.get(key));
  try {
    if (object === null) throw new SegmentError("the object is not in the bucket");
    const bytes = new Uint8Array(await within(READ_TIMEOUT_MS, "R2", object.arrayBuffer()));
    const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
    const segment = await openSegment({ read }, bytes.byteLength);
    const groups = segment.rowGroups.length;
    for (let group = only ?? 0; group < (only === undefined ? groups : Math.min(only + 1, groups)); group++) {
      take(await segment.readSealed(group), group);
    }
    return { groups };
  } catch (error) {
    if (!(error instanceof SegmentError)) throw error;
    console.error(`delivery: ${key} cannot be read: ${error.message}`);
    return undefined;
  }
}
