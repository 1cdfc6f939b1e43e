/** FORMAT.md is what strangers rely on: it must not lag behind the code. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Column } from "../../../workers/event/batch.ts";
import { CORE_COLUMNS } from "../../../workers/event/columns.ts";
import { MAX_ATTRIBUTE_COLUMNS } from "../../../workers/store/overflow.ts";
import { ROW_GROUP_ROWS, writeSegment } from "../../../workers/store/segment-writer.ts";
import { openBucket } from "../../support/duckdb.ts";

const format = readFileSync("workers/store/FORMAT.md", "utf8");

test("the table of columns is the code's, with the types that DuckDB sees", async () => {
  const columns = new Map<string, Column>();
  for (const { physical, type } of CORE_COLUMNS) {
    if (type === "string") columns.set(physical, { type, dict: ["x"], index: Int32Array.of(0) });
    else columns.set(physical, { type, data: Float64Array.of(1) });
  }
  const bucket = await openBucket();
  try {
    await bucket.put("events/script=s/date=2026-11-20/hour=01/a-1-1.parquet", writeSegment({ rows: 1, columns }).bytes);
    const types = await bucket.types(`SELECT * FROM ${bucket.events}`);
    const expected = CORE_COLUMNS.map(({ physical, unit, doc }) => {
      const type = types[physical]?.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ");
      return `| \`${physical}\` | ${type} | ${unit ?? ""} | ${doc} |`;
    });
    const table = format.split("\n").filter((line) => /^\| `[a-z_.]+` \| [A-Z]+ \|/.test(line));
    expect(table).toEqual(expected);
  } finally {
    bucket.close();
  }
});

test("the limits are the code's", () => {
  expect(format).toContain(`at most ${MAX_ATTRIBUTE_COLUMNS} attribute columns`);
  expect(format).toContain(`| row groups | ${ROW_GROUP_ROWS.toLocaleString("en-US")} rows;`);
});

test("the example queries run", async () => {
  const bucket = await openBucket();
  try {
    const columns = new Map<string, Column>();
    for (const { physical, type } of CORE_COLUMNS) {
      if (type === "string") columns.set(physical, { type, dict: ["x"], index: Int32Array.of(0) });
      else columns.set(physical, { type, data: Float64Array.of(1) });
    }
    columns.set("user.id", { type: "string", dict: ["u1"], index: Int32Array.of(0) });
    columns.set("attributes", { type: "string", dict: ['{"rare":1}'], index: Int32Array.of(0) });
    const { bytes } = writeSegment({ rows: 1, columns });
    await bucket.put("events/script=shop/date=2026-11-20/hour=01/a-1-1.parquet", bytes);
    await bucket.sql(`CREATE VIEW events AS SELECT * FROM ${bucket.events}`);
    const [, , examples] = format.split("```sql");
    const queries = (examples?.split("```")[0] ?? "").split(";").filter((query) => query.includes("SELECT"));
    expect(queries).toHaveLength(3);
    const answers = [];
    for (const query of queries) answers.push(await bucket.sql(query));
    expect(answers).toEqual([[], [], [{ user: "u1", "count_star()": 1 }]]);
  } finally {
    bucket.close();
  }
});
