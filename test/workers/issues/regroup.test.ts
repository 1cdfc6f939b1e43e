/** A source map that comes after the errors: stacks are led to the issues they belong to, and nothing is lost on the way. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { IssueDelta } from "../../../workers/errors/delta.ts";
import { fingerprintOf } from "../../../workers/errors/grouping/fingerprint.ts";
import { NO_RULES } from "../../../workers/errors/grouping/rules.ts";
import { changeState } from "../../../workers/errors/issues/change-state.ts";
import { addComment } from "../../../workers/errors/issues/comment.ts";
import { mergeIssues } from "../../../workers/errors/issues/merge.ts";
import { regroupAll } from "../../../workers/errors/issues/regroup.ts";
import { sweepIssues } from "../../../workers/errors/issues/sweep.ts";
import { MapStore } from "../../../workers/errors/maps/lookup.ts";
import { parseStack } from "../../../workers/errors/stack/parse.ts";
import { symbolicate } from "../../../workers/errors/symbolicate/symbolicate.ts";
import { ingester, until, withStores } from "../buffer/support.ts";
import { mapsPath, send } from "../maps/support.ts";
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

const NOW = T0 + 3_600_000;

/** Where the minified bundle's columns come from; every place is a function of its own on line 1 of its source. */
const CART = "src/cart.ts";
const PAY = "src/pay.ts";

/** Base64 VLQ of the Source Map specification. */
function vlq(n: number): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  let text = "";
  for (let rest = n < 0 ? (-n << 1) | 1 : n << 1; ; ) {
    const digit = rest & 31;
    rest >>>= 5;
    text += digits[rest > 0 ? digit | 32 : digit];
    if (rest === 0) return text;
  }
}

/** `places`: from generated column n × 100 on, the source at that index. */
function mapOf(places: readonly string[], names = places.map((_, n) => `fn${n}`)): string {
  let source = 0;
  let name = 0;
  const segments = places.map((_, n) => {
    const text = [n === 0 ? 0 : 100, n - source, 0, 0, n - name].map(vlq).join("");
    source = n;
    name = n;
    return text;
  });
  const sources = [...places];
  return JSON.stringify({ version: 3, sources, names, mappings: segments.join(",") });
}

/** As the Collector makes it: with the map where there is one. */
async function errorAt(
  script: string,
  versionId: string,
  column: number,
  more: Partial<IssueDelta> = {},
): Promise<IssueDelta> {
  const stack = `    at a (index.js:1:${column})\n    at fetch (index.js:1:${column + 5})`;
  const { type, message } = { type: "TypeError", message: "x is not a function" };
  const where = { script, version: versionId };
  const { trace, state } = await symbolicate(parseStack(stack, { type, message }), where, new MapStore(env), {
    context: false,
  });
  const facts = { script, kind: "exception" as const, noise: "", type, message, trace, versionId };
  const grouping = fingerprintOf({ ...facts, waitsForMap: state === "missing" || state === "failed" }, NO_RULES);
  const at = more.lastSeen ?? T0;
  return delta({
    script,
    versionId,
    at,
    exemplar: { invocationId: "b".repeat(32), seq: 1, time: at, type, message, stack },
    ...grouping,
    ...more,
  });
}

async function putMap(script: string, version: string, map: string): Promise<void> {
  const response = await send(`${mapsPath(script, version)}/index.js`, new TextEncoder().encode(map), {
    "content-type": "application/json",
  });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
}

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
    await putMap(script, "v2", mapOf([PAY, CART], ["fn1", "fn0"]));
    await nothingWaits(script);
    expect(await issuesOf(script)).toMatchObject([
      { id: first?.id, merged_into: null, count: 12 },
      { id: second?.id, merged_into: first?.id },
    ]);
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
