/** Decoded segments, kept for the next page of who reads them, and for other destinations that read the same. Of one isolate. */
import type { Found, Invocations } from "./invocations.ts";
import { KEPT_CELLS, KEPT_MS, KEPT_SOURCES } from "./limits.ts";

export interface Decoded {
  source: Invocations;
  list: readonly Found[];
  /** Rows that could not be read. */
  lost: number;
}

/** Oldest use first. */
const kept = new Map<string, { decoded: Decoded; at: number }>();

/** `key` says what it is: segments never change. A failure is not kept. */
export async function keeping<D extends Decoded>(key: string, now: number, decode: () => Promise<D>): Promise<D> {
  // A key says of which kind it is, too.
  const decoded = (kept.get(key)?.decoded as D | undefined) ?? (await decode());
  kept.delete(key);
  kept.set(key, { decoded, at: now });
  let cells = 0;
  for (const [name, { decoded: other, at }] of [...kept].reverse()) {
    cells += other.source.cells;
    const isNewest = name === key;
    if (!isNewest && (cells > KEPT_CELLS || now - at > KEPT_MS)) kept.delete(name);
  }
  for (const name of kept.keys()) {
    if (kept.size <= KEPT_SOURCES) break;
    kept.delete(name);
  }
  return decoded;
}
