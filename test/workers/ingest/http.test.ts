import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { AppendRequest, AppendResult } from "../../../workers/buffer/contract.ts";
import { MapStore } from "../../../workers/errors/maps/lookup.ts";
import { MAX_TEXT_BYTES, MAX_WIRE_BYTES } from "../../../workers/ingest/body.ts";
import { GroupCommit, systemClock } from "../../../workers/ingest/group-commit.ts";
import { Grouper } from "../../../workers/ingest/grouping/grouper.ts";
import { Waits } from "../../../workers/ingest/grouping/waits.ts";
import { ingestBody, ingestTail } from "../../../workers/ingest/http.ts";
import type { Collector } from "../../../workers/ingest/intake.ts";
import { compilePolicy } from "../../../workers/ingest/policy.ts";
import { RateLimiter } from "../../../workers/ingest/rate-limit.ts";
import { DEFAULT_SETTINGS } from "../../../workers/ingest/settings.ts";
import { countsOf, eventsIn, item, uniqueScript } from "./support.ts";

const URL_ = "https://tailrace.test/api/v1/ingest/tail";

function post(body: BodyInit | null, headers: Record<string, string> = {}) {
  return ingestTail(new Request(URL_, { method: "POST", body, headers }), env, createExecutionContext());
}
const gzip = async (body: BodyInit) =>
  new Response(new Response(body).body?.pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
const ndjson = (items: unknown[]) => items.map((i) => JSON.stringify(i)).join("\n");
const GZIP = { "content-encoding": "gzip" };

/** Answers every append with `result`, and remembers the largest amount that was under way at once. */
function collectorThat(result: (request: AppendRequest) => AppendResult | Promise<AppendResult>): Collector {
  const commit = new GroupCommit(
    async (_script, _shard, request) => result(request),
    async () => {},
  );
  const grouper = new Grouper(new MapStore(env), Date.now);
  return { commit, limiter: new RateLimiter(), grouper, waits: new Waits(systemClock), routes: new Map() };
}

test.each(["ndjson", "array", "gzip ndjson", "gzip array"])("%s: what is accepted is durable", async (form) => {
  const script = uniqueScript();
  const items = Array.from({ length: 50 }, (_, n) =>
    item(script, { logs: [{ timestamp: Date.now(), level: "log", message: ["n", { n }] }] }),
  );
  const text = form.includes("array") ? JSON.stringify(items) : ndjson(items);
  const result = form.includes("gzip") ? await post(await gzip(text), GZIP) : await post(text);
  expect(result).toEqual({ ok: true, answer: { accepted: 50, rejected: [], dropped: 0 } });
  const logs = (await eventsIn(script)).filter((e) => e.kind === "log");
  expect(new Set(logs.map((e) => e.attributes?.n)).size).toBe(50);
});

test("bad items are told by index, the good ones are kept", async () => {
  const script = uniqueScript();
  const good = JSON.stringify(item(script));
  const lines = [
    good,
    "{half a line",
    "5",
    JSON.stringify(item("", { scriptName: undefined })),
    good,
    '{"scriptName":"x","logs":5}',
    "",
    good,
  ];
  const result = await post(lines.join("\n"));
  expect(result).toMatchObject({ ok: true, answer: { accepted: 3, dropped: 0 } });
  const rejected = result.answer.rejected;
  expect(rejected.map((r) => r.index)).toEqual([1, 2, 3, 5]);
  expect(rejected.map((r) => r.error)).toEqual([
    "the item is not valid JSON",
    "the item is not an object",
    "scriptName is missing",
    "logs is not a list",
  ]);
  expect((await countsOf(script)).ledger).toMatchObject({ received: 3, kept: 3 });
});

test("nothing is nothing", async () => {
  const nothing = { ok: true, answer: { accepted: 0, rejected: [], dropped: 0 } };
  for (const body of [null, "", "\n\n", "[]"]) expect(await post(body)).toEqual(nothing);
});

test("broken UTF-8 harms only the text it is in", async () => {
  const script = uniqueScript();
  const bytes = new TextEncoder().encode(
    ndjson([item(script, { logs: [{ level: "log", message: ["a?b"] }] }), item(script)]),
  );
  bytes[bytes.indexOf(63)] = 0xff;
  expect(await post(bytes)).toMatchObject({ ok: true, answer: { accepted: 2 } });
  expect((await eventsIn(script)).find((e) => e.kind === "log")?.message).toBe("a\ufffdb");
});

test.each([
  [{}, "cut_off"],
  [{ "content-length": "5000" }, "cut_off"],
  // Broken gzip and gzip that ends too early are one to the decoder.
  [GZIP, "bad_encoding"],
])("a body that is cut off is told so: %o", async (headers, problem) => {
  const script = uniqueScript();
  const text = new TextEncoder().encode(`${ndjson([item(script)])}\n`);
  const cut = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(text),
    pull: (controller) => controller.error(new Error("Network connection lost.")),
  });
  const request = new Request(URL_, { method: "POST", body: cut, headers: headers as Record<string, string> });
  expect(await ingestTail(request, env, createExecutionContext())).toMatchObject({ ok: false, problem });
});

test("a small body that unpacks into a huge one is refused before it is unpacked", async () => {
  const line = `${" ".repeat(1023)}\n`;
  const block = new TextEncoder().encode(line.repeat(1024));
  let sent = 0;
  const bomb = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent++ > (MAX_TEXT_BYTES / block.byteLength) * 3) controller.close();
      else controller.enqueue(block);
    },
  });
  const packed = await gzip(bomb);
  expect(packed.byteLength).toBeLessThan(MAX_WIRE_BYTES / 10);
  expect(await post(packed, GZIP)).toMatchObject({ ok: false, problem: "too_large" });
});

test("a body that is too large is refused, declared or not", async () => {
  const big = new Uint8Array(MAX_WIRE_BYTES + 1).fill(10);
  expect(await post(big)).toMatchObject({ ok: false, problem: "too_large" });
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(big);
      controller.close();
    },
  });
  expect(await post(stream)).toMatchObject({ ok: false, problem: "too_large" });
});

test("gzip that is none, or breaks off, is 400; what came before it is kept and told", async () => {
  expect(await post("not gzip at all", GZIP)).toMatchObject({ ok: false, problem: "bad_encoding" });
  const script = uniqueScript();
  const noise = () => Array.from(crypto.getRandomValues(new Uint8Array(200)), (b) => b.toString(16)).join("");
  const items = Array.from({ length: 2_000 }, () => item(script, { logs: [{ level: "log", message: [noise()] }] }));
  const packed = new Uint8Array(await gzip(ndjson(items)));
  const result = await post(packed.slice(0, packed.byteLength / 2), GZIP);
  expect(result).toMatchObject({ ok: false, problem: "bad_encoding" });
  const kept = (await eventsIn(script)).filter((e) => e.kind === "invocation").length;
  expect(kept).toBe(result.answer.accepted);
});

test("an encoding nobody speaks is 415", async () => {
  expect(await post("x", { "content-encoding": "br" })).toMatchObject({ ok: false, problem: "unsupported_encoding" });
});

test("when nothing can be taken, the sender is told to come back", async () => {
  const policy = compilePolicy(DEFAULT_SETTINGS);
  // It stays overloaded for longer than anybody tries.
  const collector = collectorThat(() => ({ ok: false, reason: "overloaded", retryAfterMs: 60_000 }));
  const request = new Request(URL_, { method: "POST", body: ndjson([item("busy"), item("busy")]) });
  const result = await ingestBody(request, policy, collector, createExecutionContext());
  expect(result).toMatchObject({
    ok: false,
    problem: "overloaded",
    retryAfterSeconds: 2,
    answer: { dropped: 2 },
  });
});

test("when only errors can be taken, the rest is dropped and counted", async () => {
  const policy = compilePolicy(DEFAULT_SETTINGS);
  const collector = collectorThat(({ essential }) =>
    essential ? { ok: true, shards: 1 } : { ok: false, reason: "overloaded", retryAfterMs: 100 },
  );
  const body = ndjson([item("busy"), item("busy", { outcome: "exception" }), item("busy")]);
  const result = await ingestBody(
    new Request(URL_, { method: "POST", body }),
    policy,
    collector,
    createExecutionContext(),
  );
  expect(result).toEqual({ ok: true, answer: { accepted: 1, rejected: [], dropped: 2 } });
});

test("a body is read no faster than it is stored", async () => {
  const policy = compilePolicy(DEFAULT_SETTINGS);
  let underWay = 0;
  let most = 0;
  const collector = collectorThat(async ({ batch }) => {
    underWay += batch.length;
    most = Math.max(most, underWay);
    await scheduler.wait(5);
    underWay -= batch.length;
    return { ok: true, shards: 1 };
  });
  const noise = crypto.randomUUID().repeat(200);
  const items = Array.from({ length: 3_000 }, (_, n) =>
    item("slow", { logs: [{ level: "log", message: [`${n} ${noise}`] }] }),
  );
  const request = new Request(URL_, { method: "POST", body: await gzip(ndjson(items)), headers: GZIP });
  const result = await ingestBody(request, policy, collector, createExecutionContext());
  expect(result).toMatchObject({ ok: true, answer: { accepted: 3_000 } });
  expect(most).toBeLessThan(8_000_000);
});
