/** A secret that an observed Worker leaks is nowhere afterwards: not in an answer, not in a byte on disk. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { probeItem } from "../support/probes.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

/** Unlike anything else; no part of it may turn up. */
const SECRET = "s3cr3tW0mbat9917";
const CARD = "4111 1111 1111 1111";
const SCRIPT = "probe-leaky";

let tailrace: TestStack;
beforeAll(async () => {
  tailrace = await startTestStack();
});
afterAll(() => tailrace.stop());

function leakyItem(): Record<string, unknown> {
  const item = probeItem(SCRIPT, "leak", 1);
  item.event = {
    request: {
      url: `https://user:${SECRET}@probe.example/login?token=${SECRET}&page=2`,
      method: "POST",
      headers: {
        authorization: `Bearer ${SECRET}`,
        cookie: `session=${SECRET}`,
        "x-api-key": SECRET,
        "user-agent": "probe",
      },
      cf: { colo: "LHR", country: "GB" },
    },
    response: { status: 200 },
  };
  const time = Date.now();
  item.logs = [
    { timestamp: time, level: "info", message: [`password=${SECRET} sent`] },
    { timestamp: time, level: "info", message: [`calling upstream, Authorization: Bearer ${SECRET}`] },
    {
      timestamp: time,
      level: "info",
      message: [{ user: { name: "kept", password: SECRET, nested: { apiKey: SECRET } } }],
    },
    { timestamp: time, level: "info", message: [JSON.stringify({ access_token: SECRET })] },
    { timestamp: time, level: "info", message: [`paid with ${CARD}`] },
  ];
  item.exceptions = [
    { timestamp: time, name: "Error", message: `refused: client_secret=${SECRET}`, stack: "at pay (index.js:1:1)" },
  ];
  item.diagnosticsChannelEvents = [{ timestamp: time, channel: "db", message: { secret: SECRET } }];
  return item;
}

/** Every file under the data directory: the write-ahead logs, D1, R2's objects, the Workers' log. */
function filesWith(folder: string, text: string): string[] {
  const wanted = Buffer.from(text);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(wanted));
}

async function everyAnswer(): Promise<string> {
  const { client } = tailrace;
  const events = await client.query(`script:${SCRIPT}`);
  const invocation = await client.query(`script:${SCRIPT} kind:invocation | fields invocation_id`);
  const id = invocation.rows[0]?.[0];
  const detail = await client.call("GET", `/api/v1/invocations/${id}`);
  expect(events.rows.length).toBeGreaterThan(5);
  expect(detail.status).toBe(200);
  return JSON.stringify([events, detail.body]);
}

test("secrets are redacted before anything is stored or shown", async () => {
  const { client, stack, data } = tailrace;
  await client.ingest([leakyItem()]);
  const live = await everyAnswer();
  expect(live).not.toContain(SECRET);
  expect(live).not.toContain(CARD);
  // What is not secret is still there.
  expect(live).toContain("kept");
  expect(live).toContain("page=2");
  expect(filesWith(data, SECRET)).toEqual([]);

  await client.seal();
  const sealed = await everyAnswer();
  expect(sealed).not.toContain(SECRET);
  expect(sealed).not.toContain(CARD);
  expect(filesWith(data, SECRET)).toEqual([]);

  // Columns are compressed: read them, too.
  const folder = mkdtempSync(join(tmpdir(), "tailrace-redaction-"));
  const bucket = await stack.mf.getR2Bucket("BUCKET", "tailrace");
  const { objects } = await bucket.list({ prefix: "events/" });
  expect(objects.length).toBeGreaterThan(0);
  for (const [n, { key }] of objects.entries()) {
    const object = await bucket.get(key);
    writeFileSync(join(folder, `${n}.parquet`), Buffer.from((await object?.arrayBuffer()) ?? new ArrayBuffer(0)));
  }
  const duck = await (await DuckDBInstance.create()).connect();
  const reader = await duck.runAndReadAll(`SELECT * FROM read_parquet('${folder}/*.parquet', union_by_name = true)`);
  const text = JSON.stringify(reader.getRowObjectsJson());
  expect(text).not.toContain(SECRET);
  expect(text).not.toContain(CARD);
  expect(text).toContain("kept");
  rmSync(folder, { recursive: true });
});
