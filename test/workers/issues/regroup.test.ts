/** A source map that comes after the errors: stacks are led to the issues they belong to, and nothing is lost on the way. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PLATFORM_SETTINGS_KEY } from "../../../workers/db/schema.ts";
import { type CompiledRules, compileRules } from "../../../workers/errors/grouping/rules.ts";
import { assign } from "../../../workers/errors/issues/assign.ts";
import { changeState } from "../../../workers/errors/issues/change-state.ts";
import { addComment } from "../../../workers/errors/issues/comment.ts";
import { REGROUP_ROWS } from "../../../workers/errors/issues/limits.ts";
import { mergeIssues } from "../../../workers/errors/issues/merge.ts";
import { regroup, regroupAll } from "../../../workers/errors/issues/regroup.ts";
import { sweepIssues } from "../../../workers/errors/issues/sweep.ts";
import { forgetVersion } from "../../../workers/errors/maps/lookup.ts";
import { ingester, until, withStores } from "../buffer/support.ts";
import { CART, errorAt, mapOf, PAY, putMap } from "./bundle.ts";
import {
  activityOf,
  all,
  appendDeltas,
  counts,
  delta,
  everywhere,
  issuesOf,
  notificationsOf,
  occur,
  T0,
} from "./support.ts";

function compiledRules(lines: string[]): CompiledRules {
  const result = compileRules(lines);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.rules;
}

const NOW = T0 + 3_600_000;

const waiting = async (script: string) =>
  (await all<{ n: number }>("SELECT count(*) AS n FROM fingerprints WHERE script = ? AND awaits_map != ''", script))[0]
    ?.n;
const nothingWaits = (script: string) => until(async () => (await waiting(script)) === 0);
const alive = async (script: string) => (await issuesOf(script)).filter((issue) => issue.merged_into === null);

describe("a map that comes after the errors", () => {
  it("names the place, and the issue keeps its history", async () => {
    const script = "regroup-name";
    await occur(script, [await errorAt(script, "v1", 10, { count: 4 })]);
    const [issue] = await issuesOf(script);
    const id = issue?.id ?? 0;
    expect(issue?.culprit).toMatch(/index\.js/);
    expect(await waiting(script)).toBe(1);
    await addComment(env, id, { text: "Looking." }, "ana", NOW);
    await putMap(script, "v1", mapOf([CART, PAY]));
    await nothingWaits(script);
    expect(await issuesOf(script)).toMatchObject([{ id, count: 4, culprit: expect.stringContaining(CART) }]);
    expect((await activityOf(id)).map((a) => a.kind)).toEqual(["first_seen", "commented", "symbolicated"]);

    // What the Collector sends now has the true key, and finds the issue.
    const known = await errorAt(script, "v1", 10, { count: 2 });
    expect(known.awaitsMap).toBe("");
    await occur(script, [known]);
    expect(await issuesOf(script)).toMatchObject([{ id, count: 6 }]);
    expect(await counts(script)).toEqual(everywhere(6));
    expect(await notificationsOf(script)).toHaveLength(1);
  });

  it("splits what only looked alike, without a word to anybody", async () => {
    const script = "regroup-split";
    await occur(script, [
      await errorAt(script, "v1", 10, { count: 4 }),
      await errorAt(script, "v1", 110, { count: 8 }),
    ]);
    const [before] = await issuesOf(script);
    expect(await issuesOf(script)).toHaveLength(1);
    await changeState(env, { ids: [before?.id ?? 0], state: "ignored" }, "ana", NOW);
    await putMap(script, "v1", mapOf([CART, PAY]));
    await nothingWaits(script);
    const issues = await alive(script);
    expect(issues.map((i) => i.count).sort()).toEqual([4, 8]);
    expect(issues.map((i) => i.state)).toEqual(["ignored", "ignored"]);
    expect(issues.map((i) => i.culprit).sort()).toEqual([expect.stringContaining(CART), expect.stringContaining(PAY)]);
    expect(await counts(script)).toEqual(everywhere(12));
    expect(await notificationsOf(script)).toHaveLength(1);
    const other = issues.find((i) => i.id !== before?.id);
    expect(await activityOf(other?.id ?? 0)).toMatchObject([{ kind: "regrouped", detail: { from: before?.id } }]);
    // Each finds its own from now on.
    await occur(script, [await errorAt(script, "v1", 10), await errorAt(script, "v1", 110)]);
    expect((await alive(script)).map((i) => i.count).sort()).toEqual([5, 9]);
  });

  it("joins what only looked different: one version with its map, one without", async () => {
    const script = "regroup-join";
    await putMap(script, "v1", mapOf([CART, PAY]));
    await occur(script, [await errorAt(script, "v1", 10, { count: 4 })]);
    // In the next build everything moved.
    await occur(script, [await errorAt(script, "v2", 110, { count: 8 })]);
    expect(await alive(script)).toHaveLength(2);
    const [first, second] = await issuesOf(script);
    await addComment(env, second?.id ?? 0, { text: "Mine." }, "ben", NOW);
    await assign(env, { ids: [second?.id ?? 0], assignee: "ben" }, "ben", NOW);
    await putMap(script, "v2", mapOf([PAY, CART], ["fn1", "fn0"]));
    await nothingWaits(script);
    expect(await issuesOf(script)).toMatchObject([
      { id: first?.id, merged_into: null, count: 12, assignee: "ben" },
      { id: second?.id, merged_into: first?.id },
    ]);
    expect((await activityOf(first?.id ?? 0)).map((a) => a.kind)).toEqual(["first_seen", "commented", "regrouped"]);
    expect((await activityOf(first?.id ?? 0)).at(-1)).toMatchObject({
      kind: "regrouped",
      detail: { from: second?.id },
    });
    expect(await counts(script)).toEqual(everywhere(12));
    // A Collector that has not seen the map yet still sends the raw key.
    await occur(script, [await errorAt(script, "v2", 110)]);
    expect(await alive(script)).toMatchObject([{ count: 13 }]);
  });

  it("brings a resolved issue back, when what joins it came with a later version", async () => {
    const script = "regroup-regress";
    await putMap(script, "v1", mapOf([CART, PAY]));
    await occur(script, [await errorAt(script, "v1", 10)]);
    const id = (await issuesOf(script))[0]?.id ?? 0;
    await changeState(env, { ids: [id], state: "resolved" }, "ana", NOW);
    const later = { lastSeen: NOW + 60_000, firstSeen: NOW + 60_000 };
    await occur(script, [await errorAt(script, "v2", 110, later), await errorAt(script, "v2", 130, later)]);
    expect(await alive(script)).toMatchObject([{ state: "resolved" }, { state: "unresolved" }]);
    await putMap(script, "v2", mapOf([PAY, CART], ["fn1", "fn0"]));
    await nothingWaits(script);
    expect(await alive(script)).toMatchObject([{ id, state: "regressed", regressions: 1, count: 3 }]);
    const said = (await activityOf(id)).map((a) => a.kind);
    expect(said).toEqual(["first_seen", "resolved", "regrouped", "regressed"]);
    expect((await notificationsOf(script)).map((n) => n.kind)).toEqual(["issue.new", "issue.new", "issue.regressed"]);
  });

  it("leaves what people merged where they put it", async () => {
    const script = "regroup-merged";
    await occur(script, [await errorAt(script, "v1", 10)]);
    await occur(script, [delta({ script, fingerprint: `v1-${script}-other` })]);
    const [a, b] = (await issuesOf(script)).map((i) => i.id) as [number, number];
    await mergeIssues(env, { ids: [a], into: b }, "ana", NOW);
    await putMap(script, "v1", mapOf([CART, PAY]));
    await nothingWaits(script);
    await occur(script, [await errorAt(script, "v1", 10)]);
    expect(await alive(script)).toMatchObject([{ id: b, count: 3, culprit: "addItem (src/cart.ts)" }]);
    expect((await issuesOf(script))[0]?.culprit).toContain("fn0");
  });

  it("leads on from a map that knew less", async () => {
    const script = "regroup-better";
    await putMap(script, "v1", mapOf(["bundle/a.js", "bundle/a.js"]));
    await occur(script, [await errorAt(script, "v1", 10, { count: 4 })]);
    const [issue] = await issuesOf(script);
    await putMap(script, "v1", mapOf([CART, PAY]));
    await until(async () => (await issuesOf(script))[0]?.culprit.includes(CART) === true);
    await occur(script, [await errorAt(script, "v1", 10)]);
    expect(await issuesOf(script)).toMatchObject([{ id: issue?.id, count: 5 }]);
  });

  it("of another version is not asked", async () => {
    const script = "regroup-other-version";
    await occur(script, [await errorAt(script, "v1", 10)]);
    await putMap(script, "v2", mapOf([CART, PAY]));
    await regroupAll(env, script, "v1", NOW);
    expect(await waiting(script)).toBe(1);
    expect((await issuesOf(script))[0]?.culprit).toMatch(/index\.js/);
  });

  it("keeps apart what a rule tells apart by an attribute", async () => {
    const script = "regroup-rules";
    const line = "script:regroup-rules function:* -> {{ default }}, {{ attributes.tenant }}";
    const value = JSON.stringify({ grouping: { fingerprintRules: [line], userAttributes: [] } });
    await env.DB.prepare("INSERT INTO settings (key, value, updated_at) VALUES (?, ?, 0)")
      .bind(PLATFORM_SETTINGS_KEY, value)
      .run();
    try {
      const rules = compiledRules([line]);
      const of = (tenant: string) => errorAt(script, "v1", 10, {}, { rules, tenant });
      await occur(script, [await of("a"), await of("b"), await of("a")]);
      expect((await alive(script)).map((i) => i.count).sort()).toEqual([1, 2]);
      await putMap(script, "v1", mapOf([CART, PAY]));
      await nothingWaits(script);
      expect((await alive(script)).map((i) => i.count).sort()).toEqual([1, 2]);
      await occur(script, [await of("a"), await of("b")]);
      expect((await alive(script)).map((i) => i.count).sort()).toEqual([2, 3]);
    } finally {
      await env.DB.prepare("DELETE FROM settings WHERE key = ?").bind(PLATFORM_SETTINGS_KEY).run();
    }
  });

  it("is found by the flush, when the Collector did not know of it yet", async () => {
    const script = "regroup-flush";
    const unaware = await errorAt(script, "v1", 10);
    await putMap(script, "v1", mapOf([CART, PAY]));
    await occur(script, [unaware]);
    await nothingWaits(script);
    expect((await issuesOf(script))[0]?.culprit).toContain(CART);
  });

  it("that cannot be read for a while holds up neither the flush nor who is to be told, and is read later", async () => {
    const script = "regroup-hangs";
    const unaware = await errorAt(script, "v1", 10);
    // A map that this isolate has not opened for another test.
    await putMap(script, "v1", mapOf([CART, "src/elsewhere.ts"]));
    const stub = ingester(script);
    const hanging = new Proxy(env.BUCKET, { get: () => () => new Promise(() => undefined) });
    await withStores(stub, { BUCKET: hanging });
    await stub.append(appendDeltas(script, [unaware]));
    await until(async () => (await issuesOf(script)).length === 1);
    await stub.append(appendDeltas(script, [delta({ script, fingerprint: `v1-${script}-new` })]));
    const told = async () => (await notificationsOf(script)).filter((n) => n.published_at !== null).length;
    await until(async () => (await told()) === 2, 4_000);
    expect(await waiting(script)).toBe(1);
    await withStores(stub, {});
    await nothingWaits(script);
  });

  it("leads hundreds of stacks, in steps that may stop anywhere and go on", async () => {
    const script = "regroup-steps";
    const columns = Array.from({ length: 2.5 * REGROUP_ROWS }, (_, n) => n + 1);
    await occur(script, await Promise.all(columns.map((column) => errorAt(script, "v1", column))));
    await putMap(script, "v2", mapOf([CART, PAY]));
    await env.DB.prepare("UPDATE source_maps SET version_id = 'v1' WHERE script = ?").bind(script).run();
    const first = await regroup(env, script, "v1", NOW);
    expect(first).toMatchObject({ rows: REGROUP_ROWS, failed: 0, next: expect.any(String) });
    expect(await waiting(script)).toBe(1.5 * REGROUP_ROWS);
    const all = await regroupAll(env, script, "v1", NOW, "waiting");
    expect(all).toEqual({ rows: 1.5 * REGROUP_ROWS, moved: expect.any(Number), failed: 0 });
    expect(await waiting(script)).toBe(0);
    expect(await counts(script)).toEqual(everywhere(columns.length));
    // Of the last five in the first function, the caller five columns on is in the second one.
    expect((await alive(script)).map((i) => i.count).sort((a, b) => a - b)).toEqual([5, 95, 150]);
  });

  it("is found by the sweep, when it could not be read in time", async () => {
    const script = "regroup-sweep";
    await occur(script, [await errorAt(script, "v1", 10)]);
    await putMap(script, "v1", mapOf([CART, PAY]));
    await nothingWaits(script);
    await env.DB.prepare("UPDATE fingerprints SET awaits_map = 'v1' WHERE script = ? AND fingerprint GLOB 'u1-*'")
      .bind(script)
      .run();
    expect(await sweepIssues(env, NOW)).toEqual([]);
    expect(await waiting(script)).toBe(0);
  });

  it("counts rightly while occurrences keep coming, and however often it is done", async () => {
    const script = "regroup-busy";
    const errors = await Promise.all([10, 30, 110, 130].map((column) => errorAt(script, "v1", column)));
    await occur(script, errors);
    await putMap(script, "v1", mapOf([CART, PAY]));
    await Promise.all([
      regroupAll(env, script, "v1", NOW),
      occur(script, errors),
      regroupAll(env, script, "v1", NOW),
      occur(script, errors, `${script}#1`),
    ]);
    await regroupAll(env, script, "v1", NOW);
    await nothingWaits(script);
    expect(await counts(script)).toEqual(everywhere(12));
    expect((await alive(script)).map((i) => i.count)).toEqual([6, 6]);
  });
});

/** Of both versions, by column / 100: what is where. */
const BUILDS = { v1: [CART, PAY], v2: [PAY, CART] } as const;
type Build = keyof typeof BUILDS;
const build = fc.constantFrom<Build>("v1", "v2");
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("fail" as const),
      build,
      place: fc.nat({ max: 1 }),
      offset: fc.constantFrom(10, 30),
      /** The Collector has not seen the map yet. */
      stale: fc.boolean(),
      count: fc.integer({ min: 1, max: 9 }),
      shard: fc.nat({ max: 1 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("map" as const), build }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("sweep" as const) }) },
);

let runs = 0;

it("whenever the maps come, in the end every function has one issue with all that it did", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
      const script = `regroup-any-${runs++}`;
      const put = (which: Build) =>
        putMap(script, which, mapOf(BUILDS[which], which === "v1" ? ["fn0", "fn1"] : ["fn1", "fn0"]));
      const mapped = new Set<Build>();
      const expected = new Map<string, number>();
      const stale = new Map<string, Awaited<ReturnType<typeof errorAt>>>();
      for (const which of ["v1", "v2"] as const) {
        for (const column of [10, 30, 110, 130]) stale.set(`${which}/${column}`, await errorAt(script, which, column));
        forgetVersion(script, which);
      }
      for (const s of steps) {
        if (s.do === "fail") {
          const column = s.place * 100 + s.offset;
          const error = s.stale ? stale.get(`${s.build}/${column}`) : await errorAt(script, s.build, column);
          if (error === undefined) throw new Error(`BUG: column ${column}`);
          const shard = s.shard === 0 ? script : `${script}#1`;
          await occur(script, [{ ...error, count: s.count, minutes: [T0 / 1000, s.count] }], shard);
          const source = BUILDS[s.build][s.place] as string;
          expected.set(source, (expected.get(source) ?? 0) + s.count);
        } else if (s.do === "sweep") await sweepIssues(env, NOW);
        else if (!mapped.has(s.build)) {
          mapped.add(s.build);
          await put(s.build);
        }
      }
      for (const which of ["v1", "v2"] as const) if (!mapped.has(which)) await put(which);
      await nothingWaits(script);
      const found = (await alive(script)).filter((issue) => issue.count > 0);
      const bySource = found.map((issue) => [[CART, PAY].find((s) => issue.culprit.includes(s)), issue.count]);
      expect(new Map(bySource as [string, number][])).toEqual(expected);
      expect(found).toHaveLength(expected.size);
      expect(await counts(script)).toEqual(everywhere([...expected.values()].reduce((a, b) => a + b, 0)));
    }),
    { numRuns: 12 },
  );
}, 90_000);
