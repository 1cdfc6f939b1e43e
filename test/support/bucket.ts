/** The bucket of a running stack as a folder on disk: what someone who leaves with their data has. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Stack } from "./stack.ts";

/** Copies every object that the bucket has under its key; returns the keys. */
export async function downloadBucket(stack: Stack, folder: string): Promise<string[]> {
  const bucket = await stack.mf.getR2Bucket("BUCKET", "tailrace");
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bucket.list(cursor === undefined ? {} : { cursor });
    for (const { key } of page.objects) {
      const object = await bucket.get(key);
      if (object === null) continue;
      mkdirSync(dirname(join(folder, key)), { recursive: true });
      writeFileSync(join(folder, key), new Uint8Array(await object.arrayBuffer()));
      keys.push(key);
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return keys;
}
