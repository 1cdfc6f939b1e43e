/** What the errors of a group commit add to issues. */
import { describe, expect, test, vi } from "vitest";
import { MAX_APPEND_BYTES } from "../../../workers/buffer/limits.ts";
import { WINDOW_MS } from "../../../workers/ingest/group-commit.ts";
import { MAX_FINGERPRINTS_PER_MINUTE } from "../../../workers/ingest/grouping/flood.ts";
import { compilePolicy } from "../../../workers/ingest/policy.ts";
import { DEFAULT_SETTINGS } from "../../../workers/ingest/settings.ts";
import { hash32 } from "../../../workers/util/hash.ts";
import { run, STACK, start, thrown } from "./grouping-support.ts";
import { bench, fetchItem, NOW_MS } from "./support.ts";

/** Numbers that no template takes out. */
const letters = (i: number) => String.fromCharCode(...[...String(i)].map((digit) => 97 + Number(digit)));

describe("deltas", () => {
  test("a thousand identical exceptions at once are one delta of one append", async () => {
    const b = bench();
    const calls = Array.from({ length: 1_000 }, (_, i) =>
      start(b, thrown({ logs: [{ timestamp: NOW_MS, level: "log", message: [{ user: { id: `u-${i % 300}` } }] }] })),
    );
    await b.clock.advance(WINDOW_MS);
    await Promise.all(calls);
    expect(b.recorder.calls).toBe(1);
    const [delta, ...more] = b.recorder.issues();
    expect(more).toEqual([]);
    const time = NOW_MS;
    const minute = Math.floor(time / 60_000) * 60;
    expect(delta).toMatchObject({
      count: 1_000,
      firstSeen: time,
      lastSeen: time,
      minutes: [minute, 1_000],
      versionId: "v1",
      versionTag: "blue",
      versionMessage: "First",
      exemplar: { type: "TypeError", message: "no price", stack: STACK, method: "POST", outcome: "exception" },
      distinct: { routes: [hash32("/cart/:id")], colos: [hash32("LHR")], countries: [hash32("GB")] },
    });
    expect(new Set(delta?.distinct.users)).toEqual(new Set(Array.from({ length: 300 }, (_, i) => hash32(`u-${i}`))));
    expect(new Set(b.recorder.events().flatMap((e) => e.fingerprint ?? []))).toEqual(new Set([delta?.fingerprint]));
  });

  test("messages that differ in their variable parts are one, versions are told apart", async () => {
    const b = bench();
    const v2 = { scriptVersion: { id: "v2" } };
    const deltas = await run(
      b,
      thrown({}, { message: "no order 17" }),
      thrown({}, { message: "no order 18" }),
      thrown(v2, { message: "no order 19" }),
    );
    expect(deltas.map(({ versionId, count }) => [versionId, count])).toEqual([
      ["v1", 2],
      ["v2", 1],
    ]);
    expect(new Set(deltas.map(({ group }) => group)).size).toBe(1);
  });

  test("what is sampled weighs as much as it stands for", async () => {
    const worker = { sampling: [{ outcome: "canceled", rate: 0.5 }] };
    const b = bench(compilePolicy({ ...DEFAULT_SETTINGS, platform: { ...DEFAULT_SETTINGS.platform, worker } }));
    const deltas = await run(b, ...Array.from({ length: 400 }, () => fetchItem({ outcome: "canceled" })));
    const kept = b.recorder.events().length;
    expect(deltas).toMatchObject([{ kind: "noise", noise: "client_left", count: 2 * kept }]);
  });

  test("items that may come again say which they are, deaths say where and when", async () => {
    const id = "00000000000000000000000000000abc";
    const cf = { colo: "FRA" };
    const death = fetchItem({
      outcome: "exceededMemory",
      invocationId: id,
      event: { request: { url: "https://a.test/", method: "GET", cf } },
    });
    const [delta] = await run(bench(), death);
    const time = NOW_MS - 1_000;
    expect(delta?.victims).toEqual(["FRA", time]);
    expect(delta?.replayable).toEqual([`${id}/0`, 1, Math.floor(time / 60_000) * 60]);
    const [plain] = await run(bench(), thrown());
    expect(plain).not.toHaveProperty("replayable");
    expect(plain).not.toHaveProperty("victims");
  });

  test("however many Ingesters a Worker has, one of them counts what may come again", async () => {
    const b = bench();
    b.recorder.shards = 8;
    await run(b, fetchItem());
    const invocationId = "00000000000000000000000000000abc";
    await run(b, thrown({ invocationId }), thrown({}, { name: "Other" }));
    const told = b.recorder.appends
      .slice(1)
      .map(({ shard, request }) => [
        shard,
        request.rows,
        request.issues?.map((delta) => [delta.type, delta.replayable?.length ?? 0]),
      ]);
    expect(told).toEqual([
      [4, 4, [["Other", 0]]],
      [0, 0, [["TypeError", 3]]],
    ]);
    await run(b, thrown());
    expect(b.recorder.appends.at(-1)?.shard).toBe(4);
  });

  test("users are told by the team's attribute first, else by known ones, else by address", async () => {
    const grouping = { fingerprintRules: [], userAttributes: ["tenant"] };
    const b = bench(compilePolicy({ ...DEFAULT_SETTINGS, platform: { ...DEFAULT_SETTINGS.platform, grouping } }));
    const request = { url: "https://a.test/", method: "GET", headers: { "cf-connecting-ip": "192.0.2.7" } };
    const item = (message: unknown[]) =>
      thrown({ event: { request }, logs: [{ timestamp: NOW_MS, level: "log", message }] });
    const [delta] = await run(b, item([{ tenant: "acme", userId: "u-1" }]), item([{ userId: "u-1" }]), item(["hi"]));
    expect(delta?.distinct.users).toEqual([hash32("acme"), hash32("u-1"), hash32("192.0.2.7")]);
  });

  test("a stack is sent once a minute, and again if its append was lost", async () => {
    const b = bench();
    b.recorder.script.push(...Array.from({ length: 400 }, () => "overloaded" as const));
    const lost = start(b, thrown());
    await b.clock.advance(30_000);
    expect(await lost).toMatchObject({ kept: 0 });
    b.recorder.script.length = 0;
    const stacks = async () => (await run(b, thrown())).at(-1)?.exemplar.stack;
    expect(await stacks()).toBe(STACK);
    expect(await stacks()).toBeUndefined();
    await b.clock.advance(60_000);
    expect(await stacks()).toBe(STACK);
  });

  test("shedding what is not essential keeps every delta", async () => {
    const b = bench();
    b.recorder.essentialOnly = true;
    const deltas = await run(b, thrown(), fetchItem(), fetchItem({ outcome: "canceled" }));
    expect(deltas.map(({ kind }) => kind)).toEqual(["exception", "noise"]);
    expect(b.recorder.ledger()).toMatchObject({ received: 3, kept: 1, overloaded: 2 });
  });

  test("a retried append is the same append, with the same deltas", async () => {
    const b = bench();
    b.recorder.script.push("fail-after", "fail-after");
    vi.spyOn(console, "warn").mockImplementation(() => {});
    expect(await run(b, thrown())).toMatchObject([{ count: 1 }]);
    vi.restoreAllMocks();
    expect(b.recorder.calls).toBe(3);
  });

  test("many deltas with long stacks are appends of their own, each below what an Ingester takes", async () => {
    const b = bench();
    const long = (i: number) =>
      Array.from({ length: 100 }, (_, n) => `    at f${i}_${n} (file:///${"é".repeat(100)}.js:${i}:${n})`).join("\n");
    const intake = b.intake();
    for (let i = 0; i < 250; i++)
      intake.take(thrown({}, { name: `E${"x".repeat(i % 30)}`, message: "no", stack: long(i) }));
    const settled = intake.settled();
    await b.clock.advance(5_000);
    await settled;
    expect(b.recorder.issues().reduce((sum, { count }) => sum + count, 0)).toBe(250);
    for (const { request } of b.recorder.appends) {
      expect(Buffer.byteLength(JSON.stringify(request))).toBeLessThan(MAX_APPEND_BYTES);
    }
  });

  test("a Worker that makes new errors without end fills its place; further ones share one issue, known ones go on", async () => {
    const b = bench();
    const different = (i: number) =>
      thrown({}, { name: `E${letters(i)}`, stack: `    at ${letters(i)} (index.js:1:1)` });
    const deltas = await run(
      b,
      ...Array.from({ length: MAX_FINGERPRINTS_PER_MINUTE + 500 }, (_, i) => different(i)),
      different(0),
    );
    const fingerprints = new Map<string, number>();
    for (const { fingerprint, count } of deltas)
      fingerprints.set(fingerprint, (fingerprints.get(fingerprint) ?? 0) + count);
    expect(fingerprints.size).toBe(MAX_FINGERPRINTS_PER_MINUTE + 1);
    expect([...fingerprints.values()].sort((a, b) => b - a).slice(0, 3)).toEqual([500, 2, 1]);
    expect(b.recorder.events().filter((e) => e.kind === "exception" && e.fingerprint === undefined)).toEqual([]);
  });

  test("one error in more versions than a Worker has places for stays one issue: the one of its raw frames", async () => {
    const b = bench();
    const of = (i: number) =>
      thrown(
        { scriptVersion: { id: `version-${i}` } },
        { name: "Error", message: "no", stack: "    at f (index.js:1:1)" },
      );
    const deltas = await run(b, ...Array.from({ length: MAX_FINGERPRINTS_PER_MINUTE + 50 }, (_, i) => of(i)));
    expect(new Set(deltas.map(({ group }) => group)).size).toBe(1);
    expect(deltas.reduce((sum, { count }) => sum + count, 0)).toBe(MAX_FINGERPRINTS_PER_MINUTE + 50);
  });
});
