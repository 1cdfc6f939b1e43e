/** Process of its own for clickhouse.mjs: loads Parquet files into a MergeTree table and times queries and inserts. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { median, seconds } from "./numbers.mjs";

const WARM_RUNS = 5;
/** Rows of the timed JSON insert. */
const INSERT_ROWS = 200_000;

const [home, folder, queries] = process.argv.slice(2);
const { Session } = createRequire(join(home, "package.json"))("chdb");
const session = new Session(join(folder, "db"));
const run = (sql, format = "JSONCompact") => session.query(sql, format);
const first = (sql) => JSON.parse(run(sql)).data[0][0];

run("SET max_threads = 1, max_insert_threads = 1, schema_inference_mode = 'union'");
run("CREATE DATABASE bench");
const parquet = `file('${folder}/parquet/*.parquet', Parquet)`;
run(`CREATE TABLE bench.events ENGINE = MergeTree ORDER BY ("faas.name", time) SETTINGS allow_nullable_key = 1
     AS SELECT * FROM ${parquet}`);
run("OPTIMIZE TABLE bench.events FINAL");
const rows = Number(first("SELECT count() FROM bench.events"));
const bytes = Number(first("SELECT sum(bytes_on_disk) FROM system.parts WHERE database = 'bench' AND active"));

const timed = (sql) => {
  const started = performance.now();
  run(sql);
  return seconds(started);
};
const answers = JSON.parse(queries).map(({ sql }) => {
  const cold = timed(sql);
  return { cold, warm: median(Array.from({ length: WARM_RUNS }, () => timed(sql))) };
});

const json = join(folder, "events.ndjson");
run(`SELECT * FROM bench.events LIMIT ${INSERT_ROWS} INTO OUTFILE '${json}' FORMAT JSONEachRow`);
run("CREATE TABLE bench.inserted AS bench.events");
const insert = timed(`INSERT INTO bench.inserted SELECT * FROM file('${json}', JSONEachRow)`);

console.log(
  JSON.stringify({
    version: first("SELECT version()"),
    insertRate: Math.min(rows, INSERT_ROWS) / insert,
    bytesPerEvent: bytes / rows,
    queries: answers,
  }),
);
session.cleanup();
