/** The sealed events as files: what the catalog lists, downloaded; and what gzip NDJSON of the same events weighs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Events of the gzip sample: more change its ratio by less than a percent. */
const SAMPLE = 100_000;

/** Writes the segments into `folder`; the folders of their keys are left out, as those columns are in the files. */
export async function downloadSegments(stack, folder) {
  mkdirSync(folder, { recursive: true });
  const db = await stack.mf.getD1Database("DB", "tailrace");
  const bucket = await stack.mf.getR2Bucket("BUCKET", "tailrace");
  const { results } = await db.prepare("SELECT key FROM segments").all();
  for (const [n, { key }] of results.entries()) {
    const object = await bucket.get(key);
    writeFileSync(join(folder, `${n}.parquet`), new Uint8Array(await object.arrayBuffer()));
  }
}

/** Bytes per event of the same events as NDJSON, one object each without empty fields, gzip. */
export async function gzipNdjsonBytes(stack) {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const folder = mkdtempSync(join(tmpdir(), "tailrace-segments-"));
  try {
    await downloadSegments(stack, folder);
    const duck = await (await DuckDBInstance.create()).connect();
    const files = `read_parquet('${folder}/*.parquet', union_by_name = true)`;
    const reader = await duck.runAndReadAll(`SELECT * FROM ${files} ORDER BY time LIMIT ${SAMPLE}`);
    const rows = reader.getRowObjectsJson();
    const lines = rows.map((row) => JSON.stringify(row, (_, value) => (value === null ? undefined : value)));
    duck.closeSync();
    return gzipSync(lines.join("\n")).length / rows.length;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
