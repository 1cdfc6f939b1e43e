/**
 * The distinct-value sketches that this shard keeps in D1, the ones used last in
 * memory. Only this shard writes them, so what is here is what is there; after a
 * failed flush nobody knows, and they are read again.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../db/batch.ts";
import { fingerprintSketches } from "../db/schema.ts";
import type { DistinctSum } from "../errors/issues/aggregate.ts";
import { DIMENSIONS, DistinctSketch } from "../errors/issues/distinct.ts";
import { MAX_SKETCHES } from "./limits.ts";

export class SketchCache {
  /** Used last is last. */
  private readonly sketches = new Map<string, DistinctSketch>();

  constructor(private readonly shard: string) {}

  /** The sketches that know more than before, whole, as D1 is to have them. */
  async add(d1: D1Database, sums: readonly DistinctSum[]): Promise<{ fingerprint: string; sketch: string }[]> {
    await this.load(d1, sums);
    const grown: { fingerprint: string; sketch: string }[] = [];
    for (const { fingerprint, hashes } of sums) {
      const sketch = this.sketches.get(fingerprint) ?? new DistinctSketch();
      const news = DIMENSIONS.filter((d) => sketch.add(d, hashes[d])).length > 0;
      this.sketches.delete(fingerprint);
      this.sketches.set(fingerprint, sketch);
      if (news) grown.push({ fingerprint, sketch: sketch.encode() });
    }
    for (const key of this.sketches.keys()) {
      if (this.sketches.size <= MAX_SKETCHES) break;
      this.sketches.delete(key);
    }
    return grown;
  }

  forget(): void {
    this.sketches.clear();
  }

  private async load(d1: D1Database, sums: readonly DistinctSum[]): Promise<void> {
    const missing = sums.map((s) => s.fingerprint).filter((f) => !this.sketches.has(f));
    if (missing.length === 0) return;
    const [rows] = await runBatch<[{ fingerprint: string; sketch: string }]>(d1, [
      sql`SELECT s.fingerprint AS fingerprint, s.sketch AS sketch FROM json_each(${JSON.stringify(missing)}) j
        JOIN ${fingerprintSketches} s ON s.fingerprint = j.value AND s.shard = ${this.shard}`,
    ]);
    for (const { fingerprint, sketch } of rows) {
      const known = new DistinctSketch();
      known.unite(sketch);
      this.sketches.set(fingerprint, known);
    }
  }
}
