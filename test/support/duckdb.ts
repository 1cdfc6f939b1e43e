/**
 * DuckDB as the stranger who reads the bucket: segments are laid into a folder
 * under their keys, and SQL runs over them. Only in Node.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

export interface Bucket {
  /** Writes an object under its R2 key. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** `read_parquet(…)` of the whole bucket as FORMAT.md says it. */
  readonly events: string;
  /** Rows as plain values: 64-bit integers and decimals are numbers, times are ISO text. */
  sql(query: string): Promise<Record<string, unknown>[]>;
  /** Column → SQL type. */
  types(query: string): Promise<Record<string, string>>;
  close(): void;
}

export async function openBucket(): Promise<Bucket> {
  const folder = mkdtempSync(join(tmpdir(), "tailrace-duckdb-"));
  // What is needed is linked in; DuckDB must not go looking for more over the network.
  const instance = await DuckDBInstance.create(":memory:", {
    threads: "1",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const glob = join(folder, "events/**/*.parquet").replaceAll("'", "''");
  return {
    events: `read_parquet('${glob}', hive_partitioning = true, union_by_name = true)`,
    async put(key, bytes) {
      const path = join(folder, key);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    },
    async sql(query) {
      const reader = await connection.runAndReadAll(query);
      return reader
        .getRowObjectsJS()
        .map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, plain(v)])));
    },
    async types(query) {
      const reader = await connection.runAndReadAll(`DESCRIBE ${query}`);
      return Object.fromEntries(
        reader.getRowObjectsJS().map((row) => [String(row.column_name), String(row.column_type)]),
      );
    },
    close() {
      connection.closeSync();
      instance.closeSync();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  return value instanceof Date ? value.toISOString() : value;
}
