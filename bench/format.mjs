/**
 * The segment format alone, in this Node: encode and decode against
 * hyparquet-writer and hyparquet on the same events, bytes per event against
 * gzip NDJSON of the trace items they came from. `node bench/format.mjs [events]`
 * prints a table.
 */
import { pathToFileURL } from "node:url";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { cell } from "../workers/event/batch.ts";
import { BatchBuilder } from "../workers/event/batch-builder.ts";
import { decodeBatch } from "../workers/event/batch-wire.ts";
import { compileNormalizer } from "../workers/ingest/normalize/normalize.ts";
import { RouteTable } from "../workers/ingest/normalize/route.ts";
import { compileRedactor } from "../workers/ingest/redact/redact.ts";
import { mergeBatches, sortByTime } from "../workers/store/merge.ts";
import { decompress } from "../workers/store/parquet/zstd.ts";
import { openSegment } from "../workers/store/segment-reader.ts";
import { writeSegment } from "../workers/store/segment-writer.ts";
import { dictIncludes } from "../workers/store/text-column.ts";
import { bodies } from "./items.mjs";

const START_MS = 1_790_000_000_000;
/** Items of a group commit under load. */
const ITEMS_PER_BATCH = 500;
const RUNS = 3;

/** Batches as the Collector makes them, and the gzip size of the same trace items. */
export function makeBatches(events) {
  const normalizer = compileNormalizer(compileRedactor({ keys: [], except: [], cardNumbers: true, emails: false }));
  const routes = new RouteTable();
  const around = { nowMs: START_MS, defaults: {}, routes: () => routes };
  const batches = [];
  const text = [];
  let rows = 0;
  const load = bodies({ count: events, perBody: ITEMS_PER_BATCH, from: START_MS, spanMs: 3_000_000 });
  for (const { body } of load) {
    const builder = new BatchBuilder();
    for (const line of body.split("\n")) {
      if (line === "") continue;
      const invocation = normalizer.read(JSON.parse(line), around);
      builder.pushInvocation(invocation.fields, normalizer.events(invocation, START_MS));
    }
    rows += builder.rows;
    text.push(body);
    batches.push(builder.encode());
    if (rows >= events) break;
  }
  return { batches, rows, gzipBytes: gzipSync(text.join("")).length, textBytes: batches.join("").length };
}

/** CPU seconds, the least of some runs: the machine may have other work. */
async function best(work) {
  let least = Number.POSITIVE_INFINITY;
  let result;
  for (let run = 0; run < RUNS; run++) {
    const started = process.cpuUsage();
    result = await work();
    const { user, system } = process.cpuUsage(started);
    least = Math.min(least, (user + system) / 1e6);
  }
  return { seconds: least, result };
}

/** What one would do without an own encoder: cells as values, the library does the rest. */
function writeWithLibrary(batch) {
  const type = { string: "STRING", number: "DOUBLE", boolean: "BOOLEAN", time: "INT64" };
  const columnData = [...batch.columns].map(([name, column]) => ({
    name,
    type: type[column.type],
    nullable: true,
    data: Array.from({ length: batch.rows }, (_, row) => {
      const value = cell(column, row);
      return value === undefined ? null : column.type === "time" ? BigInt(value) : value;
    }),
  }));
  const compressors = { ZSTD: (page) => new Uint8Array(zstdCompressSync(page)) };
  return parquetWriteBuffer({ columnData, codec: "ZSTD", compressors, rowGroupSize: 65_536 });
}

const sourceOf = (bytes) => ({ read: async (offset, length) => bytes.subarray(offset, offset + length) });

async function readColumns(bytes, names) {
  const segment = await openSegment(sourceOf(bytes), bytes.length);
  const groups = [];
  for (let group = 0; group < segment.rowGroups.length; group++) groups.push(await segment.read(group, names));
  return groups;
}

async function readWithLibrary(bytes, columns) {
  const file = { byteLength: bytes.length, slice: (a, b) => bytes.slice(a, b).buffer };
  return parquetReadObjects({ file, columns, compressors: { ZSTD: decompress } });
}

/** count by route and status: indexes only, no string per row. */
async function groupBy(bytes) {
  const counts = new Map();
  for (const { rows, columns } of await readColumns(bytes, ["http.route", "http.response.status_code"])) {
    const route = columns.get("http.route");
    const status = columns.get("http.response.status_code").data;
    for (let row = 0; row < rows; row++) {
      const at = route.index[row];
      if (at < 0) continue;
      const key = at * 1000 + (status[row] | 0);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts.size;
}

async function search(bytes, column, needle) {
  let hits = 0;
  for (const { rows, columns } of await readColumns(bytes, [column])) {
    const text = columns.get(column);
    const matches = dictIncludes(text, needle, true);
    for (let row = 0; row < rows; row++) hits += text.index[row] >= 0 ? matches[text.index[row]] : 0;
  }
  return hits;
}

export async function benchFormat(events) {
  const { batches, rows, gzipBytes } = makeBatches(events);
  const rate = (seconds) => `${(rows / seconds / 1e6).toFixed(2)} M per CPU second`;
  const perEvent = (bytes) => `${(bytes / rows).toFixed(1)} B`;

  const decoded = await best(() => batches.map(decodeBatch));
  const merged = await best(() => sortByTime(mergeBatches(decoded.result)));
  const batch = merged.result;
  const encoded = await best(() => writeSegment(batch));
  const segment = encoded.result;
  const bytes = segment.bytes.slice();
  const library = await best(() => writeWithLibrary(batch));
  const names = [...batch.columns.keys()];
  const all = await best(() => readColumns(bytes, names));
  const two = ["http.route", "http.response.status_code"];
  const grouped = await best(() => groupBy(bytes));
  const libraryTwo = await best(() => readWithLibrary(bytes, two));
  const found = await best(() => search(bytes, "message", "leather"));
  const ids = await best(() => search(bytes, "requestId", "abcde"));
  return {
    segment,
    bytes,
    batch,
    figures: {
      encodePerSecond: rows / encoded.seconds,
      bytesPerEvent: bytes.length / rows,
      gzipPerEvent: gzipBytes / rows,
    },
    table: [
      ["events, columns", `${rows}, ${names.length}`, ""],
      ["decode batches", rate(decoded.seconds), ""],
      ["merge and sort", rate(merged.seconds), ""],
      ["encode a segment", rate(encoded.seconds), `hyparquet-writer ${rate(library.seconds)}`],
      [
        "bytes per event",
        perEvent(bytes.length),
        `hyparquet-writer ${perEvent(library.result.byteLength)}, gzip NDJSON ${perEvent(gzipBytes)}`,
      ],
      ["pruning in the catalog", `${JSON.stringify(segment.pruning).length} B`, ""],
      ["read all columns", rate(all.seconds), ""],
      [
        "count by route and status",
        rate(grouped.seconds),
        `hyparquet, the two columns as objects ${rate(libraryTwo.seconds)}`,
      ],
      [`search messages (${found.result} hits)`, rate(found.seconds), ""],
      [`search unique ids (${ids.result} hits)`, rate(ids.seconds), ""],
    ],
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { table } = await benchFormat(Number(process.argv[2] ?? 200_000));
  for (const row of table) console.log(`| ${row.join(" | ")} |`);
}
