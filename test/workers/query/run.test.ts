/** The whole query path in workerd: Ingesters, D1 and R2 as they are. */
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { BatchBuilder } from "../../../workers/event/batch-builder.ts";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { fieldValues, listFields, readInvocation, runQuery } from "../../../workers/query/index.ts";

const NOW = Date.UTC(2026, 10, 20, 10, 30);
const options = { now: NOW };

function event(script: string, n: number, more: Partial<TailraceEvent> = {}): TailraceEvent {
  return {
    time: (NOW - 60_000 + n) * 1_000,
    kind: "log",
    script,
    invocation_id: n.toString(16).padStart(32, "0"),
    seq: 0,
    sample_weight: 1,
    message: `message ${n}`,
    ...more,
  };
}

async function append(events: readonly TailraceEvent[], shard = events[0]?.script ?? ""): Promise<void> {
  const builder = new BatchBuilder();
  for (const e of events) builder.push(e);
  const result = await env.INGESTER.getByName(shard).append({
    script: events[0]?.script ?? "",
    batchId: crypto.randomUUID(),
    batch: builder.encode(),
    rows: builder.rows,
    minTime: builder.minTime,
    maxTime: builder.maxTime,
    rollups: [],
    ledger: [],
    essential: false,
  });
  expect(result.ok).toBe(true);
}

const seal = (shard: string) => env.INGESTER.getByName(shard).seal();

async function answer(q: string, more: Record<string, unknown> = {}) {
  const result = await runQuery(env, { q, ...more }, options);
  if (!result.ok) throw new Error(result.error.message);
  return result.answer;
}

describe("an event counts once", () => {
  test("live, sealed, and both together", async () => {
    const script = "once";
    const count = async () => (await answer(`script:${script} | stats count()`)).rows;
    expect(await count()).toEqual([[0]]);
    await append([event(script, 1), event(script, 2)]);
    expect(await count()).toEqual([[2]]);
    await seal(script);
    expect(await count()).toEqual([[2]]);
    await append([event(script, 3)]);
    await append([event(script, 4)]);
    expect(await count()).toEqual([[4]]);
    await seal(script);
    await append([event(script, 5)]);
    const { rows, stats } = await answer(`script:${script} | stats count(), count_distinct(invocation_id) as ids`);
    expect(rows).toEqual([[5, 5]]);
    expect(stats).toMatchObject({ segments: 2, pruned: 0, events: 5 });
    expect(stats.bytes).toBeGreaterThan(0);
    expect(stats.completeness.missing).toBeUndefined();
  });

  test("while it is being sealed", async () => {
    const script = "while";
    for (let round = 0; round < 5; round++) {
      await append([event(script, 2 * round), event(script, 2 * round + 1)]);
      const [, ...counts] = await Promise.all([
        seal(script),
        ...Array.from({ length: 4 }, () => answer(`script:${script} | stats count()`)),
      ]);
      for (const { rows } of counts) expect(rows).toEqual([[2 * (round + 1)]]);
    }
  });

  test("in several shards of one Worker", async () => {
    const script = "sharded";
    await append([event(script, 1)]);
    await append([event(script, 2)], "sharded#1");
    await seal("sharded#1");
    expect((await answer(`script:${script} | stats count()`)).rows).toEqual([[2]]);
  });
});

describe("events", () => {
  test("come newest first, page by page, live and sealed", async () => {
    const script = "pages";
    await append(Array.from({ length: 10 }, (_, i) => event(script, i)));
    await seal(script);
    await append(Array.from({ length: 5 }, (_, i) => event(script, 10 + i)));
    const seen: unknown[] = [];
    let before: string | undefined;
    do {
      const page = await answer(`script:${script} | fields message`, { limit: 4, before });
      seen.push(...page.rows.flat());
      before = page.next;
    } while (before !== undefined);
    expect(seen).toEqual(Array.from({ length: 15 }, (_, i) => `message ${14 - i}`));
  });

  test("carry time as ISO text and attributes as JSON text", async () => {
    const script = "shape";
    await append([event(script, 1, { status: 500, attributes: { "user.id": "u1" } })]);
    const { columns, rows } = await answer(`script:${script}`);
    const cell = (name: string) => rows[0]?.[columns.findIndex((c) => c.name === name)];
    expect(cell("time")).toBe("2026-11-20T10:29:00.001000Z");
    expect(cell("status")).toBe(500);
    expect(JSON.parse(String(cell("attributes")))).toEqual({ "user.id": "u1" });
  });
});

describe("pruning", () => {
  test("leaves out segments that cannot match, and says so", async () => {
    const script = "pruned";
    for (const user of ["a", "b", "c"]) {
      await append([event(script, 1, { attributes: { user } })]);
      await seal(script);
    }
    const { rows, stats } = await answer(`script:${script} user:b | stats count()`);
    expect(rows).toEqual([[1]]);
    expect(stats).toMatchObject({ segments: 1, pruned: 2 });
  });
});

describe("what goes wrong is a value", () => {
  test.each([
    [{ q: "status:" }, "bad_query", "expected a value after 'status:' at column 8"],
    [{ q: "message:/(/" }, "bad_query", "expected a regular expression"],
    [{ q: "| stats count() by a | sort nope" }, "bad_query", "expected one of the columns a, count"],
    [{ q: "", from: "soon" }, "bad_request", "'from' must be"],
    [{ q: "", from: "now", to: "-1h" }, "bad_request", "'from' must be before 'to'"],
    [{ q: "", limit: "-1" }, "bad_request", "'limit' must be"],
    [{ q: "", before: "x" }, "bad_request", "'before' must be"],
  ])("%j", async (params, code, message) => {
    const result = await runQuery(env, params, options);
    expect(result).toMatchObject({ ok: false, error: { code } });
    if (!result.ok) expect(result.error.message).toContain(message);
  });

  test("a query that was cancelled", async () => {
    const result = await runQuery(env, { q: "" }, { ...options, signal: AbortSignal.abort() });
    expect(result).toMatchObject({ ok: false, error: { code: "cancelled" } });
  });

  test("an Ingester that fails is named, and the rest is answered", async () => {
    await append([event("here", 1)]);
    await append([event("broken", 1)]);
    const INGESTER = {
      getByName: (name: string) =>
        name === "broken"
          ? {
              unsealed: () => Promise.reject(new Error("gone")),
              unsealedRollups: () => Promise.reject(new Error("gone")),
            }
          : env.INGESTER.getByName(name),
    } as unknown as Env["INGESTER"];
    const result = await runQuery(
      { ...env, INGESTER },
      { q: "script:(here OR broken) | stats count() by script" },
      options,
    );
    if (!result.ok) throw new Error(result.error.message);
    expect(result.answer.rows).toEqual([["here", 1]]);
    expect(result.answer.stats.completeness.missing?.join()).toContain("broken: gone");
  });

  test("a segment that is gone is named, and the rest is answered", async () => {
    const script = "lost";
    for (let i = 0; i < 2; i++) {
      await append([event(script, i)]);
      await seal(script);
    }
    const { objects } = await env.BUCKET.list({ prefix: `events/script=${script}/` });
    await env.BUCKET.delete(objects[0]?.key ?? "");
    const { rows, stats } = await answer(`script:${script} | stats count()`);
    expect(rows).toEqual([[1]]);
    expect(stats.completeness.missing?.join()).toContain("is gone");
  });
});

describe("completion", () => {
  test("lists core fields and the attributes of live and sealed events", async () => {
    const script = "fields";
    await append([event(script, 1, { attributes: { "cart.size": 3 } })]);
    await seal(script);
    await append([event(script, 2, { attributes: { "cart.id": "c1" } })]);
    const result = await listFields(env, { script, prefix: "cart" }, options);
    expect(result).toMatchObject({
      ok: true,
      answer: {
        fields: [
          { name: "cart.id", type: "string", core: false },
          { name: "cart.size", type: "number" },
        ],
      },
    });
    const all = await listFields(env, { script, prefix: "stat" }, options);
    expect(all.ok && all.answer.fields.map((f) => f.name)).toEqual(["status"]);
  });

  test("lists the values of a field by how often they occur", async () => {
    const script = "values";
    await append(["a", "b", "b", "ab"].map((tag, i) => event(script, i, { version_tag: tag })));
    const ask = async (prefix?: string) => {
      const result = await fieldValues(env, "tag", { script, prefix }, options);
      return result.ok && result.answer.values;
    };
    expect(await ask()).toEqual([
      { value: "b", count: 2 },
      { value: "a", count: 1 },
      { value: "ab", count: 1 },
    ]);
    expect(await ask("a")).toEqual([
      { value: "a", count: 1 },
      { value: "ab", count: 1 },
    ]);
  });
});

test("an invocation is read with all its events in order", async () => {
  const script = "invocation";
  const id = "f".repeat(32);
  await append([event(script, 1), event(script, 3, { invocation_id: id, seq: 1, attributes: { a: 1 } })]);
  await seal(script);
  await append([event(script, 2, { invocation_id: id, kind: "invocation", seq: 0 })]);
  const result = await readInvocation(env, id, { around: NOW }, options);
  if (!result.ok) throw new Error(result.error.message);
  expect(result.answer.events.map((e) => [e.seq, e.kind, e.attributes])).toEqual([
    [0, "invocation", {}],
    [1, "log", { a: 1 }],
  ]);
  const anywhere = await readInvocation(env, id, {}, options);
  expect(anywhere).toMatchObject({ ok: true, answer: { events: [{ seq: 0 }, { seq: 1 }] } });
  const elsewhere = await readInvocation(env, id, { around: NOW - 86_400_000 }, options);
  expect(elsewhere).toMatchObject({ ok: true, answer: { events: [] } });
  const nowhere = await readInvocation(env, "0".repeat(31), {}, options);
  expect(nowhere).toMatchObject({ ok: true, answer: { events: [] } });
});

test("progress tells how many segments are done", async () => {
  const script = "progress";
  for (let i = 0; i < 3; i++) {
    await append([event(script, i)]);
    await seal(script);
  }
  const seen: number[] = [];
  await runQuery(
    env,
    { q: `script:${script} | stats count()` },
    { ...options, onProgress: ({ done, total }) => seen.push(done, total) },
  );
  expect(seen).toEqual([1, 3, 2, 3, 3, 3]);
});

test("an id that begins with its time is found by it, and also if the time is not its own", async () => {
  const script = "timed";
  const idOf = (ms: number) => ms.toString(16).padStart(16, "0").padEnd(32, "a");
  const [own, other] = [idOf(NOW - 60_000), idOf(NOW - 10 * 86_400_000)];
  await append([event(script, 1, { invocation_id: own }), event(script, 2, { invocation_id: other })]);
  for (const id of [own, other]) {
    const result = await readInvocation(env, id, {}, options);
    expect(result).toMatchObject({ ok: true, answer: { events: [{ invocation_id: id }] } });
  }
});
