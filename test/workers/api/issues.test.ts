/** What the API tells about issues that are there. */
import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import type {
  FingerprintAnswer,
  IssueAnswer,
  IssuesAnswer,
  NotificationsAnswer,
  OccurrencesAnswer,
} from "../../../workers/api/contract.ts";
import { database, schema } from "../../../workers/db/client.ts";
import { DistinctSketch } from "../../../workers/errors/issues/distinct.ts";
import { appendOf, ingester, invocation } from "../buffer/support.ts";
import { ADMIN, call, errorCode } from "./client.ts";
import { addFingerprint, addIssue, addMinute, addVersion } from "./issues-support.ts";

const MINUTE = 60_000;
const NOW = Math.floor(Date.now() / MINUTE) * MINUTE;

async function get<T>(path: string): Promise<T> {
  const response = await call(path, { token: ADMIN });
  const text = await response.text();
  expect(response.status, `${path}: ${text}`).toBe(200);
  return JSON.parse(text) as T;
}
const list = (params: Record<string, string> = {}) =>
  get<IssuesAnswer>(`/api/v1/issues?${new URLSearchParams(params)}`);

const ids: Record<string, number> = {};
const named = (answer: IssuesAnswer) =>
  answer.issues.map((i) => Object.keys(ids).find((name) => ids[name] === i.id) ?? String(i.id));

beforeAll(async () => {
  const make = async (name: string, more: Parameters<typeof addIssue>[0] = {}) => {
    ids[name] = await addIssue({ title: name, lastSeen: NOW - MINUTE, firstSeen: NOW - 2 * MINUTE, ...more });
  };
  await make("newest", { lastSeen: NOW, count: 5 });
  await make("regressed", { state: "regressed", count: 50, firstSeen: NOW - 60 * MINUTE, regressions: 1 });
  await make("resolved", { state: "resolved", count: 500, assignee: "me" });
  await make("ignored", { state: "ignored", ignoreCount: 100, type: "RangeError", title: "100% of_it" });
  await make("noisy", { kind: "noise", noise: "network" });
  await make("cart", { script: "cart", firstVersion: "v9", culprit: "add (src/weird.ts)" });
  await make("old", { lastSeen: NOW - 3 * 86_400_000, firstSeen: NOW - 4 * 86_400_000 });
  await make("gone", { fingerprints: [], mergedInto: ids.newest ?? 0 });
});

describe("the list", () => {
  it("shows what is open and is no noise, the latest first, and counts the states", async () => {
    const answer = await list();
    expect(named(answer)).toEqual(["newest", "cart", "regressed"]);
    expect(answer.states).toEqual({ unresolved: 2, regressed: 1, resolved: 1, ignored: 1 });
    expect(answer.noise).toBe(1);
    expect(answer.next).toBeUndefined();
  });

  it.each([
    [{ state: "all" }, ["newest", "cart", "ignored", "resolved", "regressed"]],
    [{ state: "ignored" }, ["ignored"]],
    [{ state: "resolved", kind: "all" }, ["resolved"]],
    [{ kind: "noise" }, ["noisy"]],
    [{ kind: "all" }, ["newest", "cart", "noisy", "regressed"]],
    [{ script: "cart" }, ["cart"]],
    [{ state: "all", assignee: "me" }, ["resolved"]],
    [{ assignee: "" }, ["newest", "cart", "regressed"]],
    [{ new_in: "v9" }, ["cart"]],
    [{ q: "WEIRD" }, ["cart"]],
    [{ state: "all", q: "range 100%" }, ["ignored"]],
    [{ state: "all", q: "of_it" }, ["ignored"]],
    [{ state: "all", q: "1_0" }, []],
    [{ q: "nothing like it" }, []],
    [{ sort: "count" }, ["regressed", "newest", "cart"]],
    [{ sort: "first_seen" }, ["cart", "newest", "regressed"]],
    [{ from: "-7d" }, ["newest", "cart", "regressed", "old"]],
    [{ from: "-7d", to: "-1d" }, ["old"]],
  ])("%j", async (params, expected) => {
    const { states: _, ...answer } = await list(params as unknown as Record<string, string>);
    expect(named(answer as IssuesAnswer)).toEqual(expected);
  });

  it("is searched for words of any length, taken as they are", async () => {
    const long = `${"Ä".repeat(30)}${"x%_\\'".repeat(10)}`;
    ids.long = await addIssue({ title: `a ${long} b`, lastSeen: NOW, firstSeen: NOW });
    expect(named(await list({ q: long.toUpperCase() }))).toEqual(["long"]);
    expect(named(await list({ q: `${long}y` }))).toEqual([]);
    const everything = { state: "all", script: "shop", version: "v", new_in: "v1", assignee: "", cursor: "1_1" };
    expect(named(await list({ ...everything, q: "12345 ".repeat(30) }))).toEqual([]);
    await database(env.DB).delete(schema.issues).where(eq(schema.issues.id, ids.long));
    delete ids.long;
  });

  it("finds an issue by its number", async () => {
    expect(named(await list({ q: `#${ids.cart}` }))).toEqual(["cart"]);
  });

  it.each(["last_seen", "first_seen", "count", "users"])(
    "goes page by page, sorted by %s, and misses none",
    async (sort) => {
      const all = named(await list({ state: "all", kind: "all", sort }));
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await list({ state: "all", kind: "all", sort, limit: "2", ...(cursor ? { cursor } : {}) });
        seen.push(...named(page));
        cursor = page.next;
      } while (cursor !== undefined);
      expect(seen).toEqual(all);
      expect(seen).toHaveLength(6);
    },
  );

  it("says what is wrong with a question", async () => {
    for (const params of ["state=odd", "sort=odd", "limit=0", "limit=101", "cursor=x", "from=soon", "kind=odd"]) {
      const response = await call(`/api/v1/issues?${params}`, { token: ADMIN });
      expect([params, response.status, await errorCode(response)]).toEqual([params, 400, "bad_request"]);
    }
  });
});

describe("an issue", () => {
  let id = 0;
  beforeAll(async () => {
    id = await addIssue({
      script: "page",
      fingerprints: ["v1-p1"],
      firstVersion: "v1",
      lastVersion: "v2",
      count: 30,
      lastSeen: NOW,
    });
    await addFingerprint(id, "u1-p2", {
      script: "page",
      awaitsMap: "v2",
      count: 3,
      homeIssueId: 77,
      lastSeen: NOW + 1,
    });
    await addVersion("v1-p1", "v1", { lastSeen: NOW - 9 * MINUTE, count: 20, tag: "one" });
    await addVersion("v1-p1", "v2", { lastSeen: NOW - 5 * MINUTE, count: 7, tag: "two" });
    await addVersion("u1-p2", "v2", {
      lastSeen: NOW,
      count: 3,
      tag: "two",
      exemplar: { message: "the latest", stack: "secret" },
    });
    await addMinute("v1-p1", NOW - 9 * MINUTE, 20, "v1");
    await addMinute("v1-p1", NOW - 5 * MINUTE, 7, "v2");
    await addMinute("u1-p2", NOW, 3, "v2");
    await addMinute("u1-p2", NOW - 86_400_000, 99, "v2");
    const db = database(env.DB);
    for (const [fingerprint, users] of [
      ["v1-p1", [1, 2, 3]],
      ["u1-p2", [3, 4]],
    ] as const) {
      const sketch = new DistinctSketch();
      sketch.add("users", users);
      sketch.add("colos", [1]);
      await db.insert(schema.fingerprintSketches).values({ fingerprint, shard: "page", sketch: sketch.encode() });
    }
    await db.insert(schema.versions).values([
      { script: "page", versionId: "v1", tag: "one", message: "first", firstSeen: 1, lastSeen: 2 },
      { script: "page", versionId: "v2", tag: "two", message: "second", firstSeen: 1, lastSeen: 2 },
    ]);
    await db.insert(schema.issueActivity).values([
      { issueId: id, at: 1, actor: "", kind: "first_seen", detail: "{}" },
      { issueId: id, at: 2, actor: "me", kind: "commented", detail: '{"text":"hm"}' },
    ]);
    await db.insert(schema.incidents).values({
      ...{ fingerprint: "v1-p1", versionId: "v2", colo: "LHR", startedAt: 1, endedAt: 2, victims: 12 },
    });
  });

  it("is told with its versions, counts, people and history", async () => {
    const answer = await get<IssueAnswer>(`/api/v1/issues/${id}?from=-1h`);
    expect(answer.issue).toMatchObject({
      ...{ id, script: "page", count: 30, countInRange: 30, users: 4, awaitsMap: true },
      firstVersion: { id: "v1", tag: "one", message: "first" },
      lastVersion: { id: "v2", tag: "two", message: "second" },
    });
    expect(answer.affected).toEqual({ users: 4, routes: 0, colos: 1, countries: 0 });
    expect(answer.versions.map((v) => [v.id, v.tag, v.count, v.hasSourceMap, v.exemplar.message])).toEqual([
      ["v2", "two", 10, false, "the latest"],
      ["v1", "one", 20, false, "x is undefined"],
    ]);
    const sums = answer.series.map((s) => [s.version, s.counts.reduce((a, b) => a + b, 0)]);
    expect(Object.fromEntries(sums)).toEqual({ v1: 20, v2: 10 });
    expect(answer.fingerprints.map((f) => [f.fingerprint, f.homeIssueId, f.awaitsMap])).toEqual([
      ["u1-p2", 77, "v2"],
      ["v1-p1", id, ""],
    ]);
    expect(answer.activity.map((a) => [a.kind, a.detail])).toEqual([
      ["first_seen", {}],
      ["commented", { text: "hm" }],
    ]);
    expect(answer.incidents).toEqual([
      { version: { id: "v2", tag: "two", message: "second" }, colo: "LHR", startedAt: 1, endedAt: 2, victims: 12 },
    ]);
    expect(answer.query).toBe(`issue:${id}`);
    expect(JSON.stringify(answer)).not.toContain("secret");
    const bars = answer.issue.sparkline;
    expect(bars).toHaveLength((answer.to - answer.from) / answer.bucketMs);
    expect(bars[(NOW - 5 * MINUTE - answer.from) / answer.bucketMs]).toBe(7);
  });

  it("is in the list with the same counts", async () => {
    const { issues } = await list({ script: "page", from: "-1h" });
    expect(issues).toMatchObject([{ id, count: 30, countInRange: 30, users: 4, awaitsMap: true }]);
  });

  it("that was merged says so, and one that is nowhere is 404", async () => {
    expect((await get<IssueAnswer>(`/api/v1/issues/${ids.gone}`)).mergedInto).toBe(ids.newest);
    for (const path of ["/api/v1/issues/99999999", "/api/v1/fingerprints/v1-nowhere"])
      expect((await call(path, { token: ADMIN })).status).toBe(404);
    for (const path of ["/api/v1/issues/x", "/api/v1/issues/0", "/api/v1/issues/1.5"])
      expect((await call(path, { token: ADMIN })).status).toBe(400);
  });

  it("that is resolved in a version tells which, of the next one once it is there", async () => {
    const { versions, issues } = schema;
    const db = database(env.DB);
    const of = await addIssue({ script: "fixed", state: "resolved", resolvedIn: "next", stateAt: 100 });
    const add = (versionId: string, firstSeen: number) =>
      db
        .insert(versions)
        .values({ script: "fixed", versionId, tag: `tag ${versionId}`, message: "", firstSeen, lastSeen: firstSeen });
    const fix = async () => (await get<IssueAnswer>(`/api/v1/issues/${of}`)).resolvedInVersion;
    await add("before", 50);
    expect(await fix()).toBeNull();
    await add("later", 300);
    await add("first after", 200);
    expect(await fix()).toEqual({ id: "first after", tag: "tag first after", message: "" });
    await db.update(issues).set({ resolvedIn: "before" }).where(eq(issues.id, of));
    expect((await fix())?.id).toBe("before");
    await db.update(issues).set({ resolvedIn: "" }).where(eq(issues.id, of));
    expect(await fix()).toBeNull();
  });

  it("is found by a fingerprint", async () => {
    expect(await get<FingerprintAnswer>("/api/v1/fingerprints/u1-p2")).toEqual({ fingerprint: "u1-p2", issueId: id });
  });

  it("lists what was sent twice once", async () => {
    const of = await addIssue({ script: "twice", fingerprints: ["v1-twice"] });
    const event = { kind: "exception", fingerprint: "v1-twice", message: "m", seq: 1 } as const;
    const events = [invocation("twice", NOW * 1000, event), invocation("twice", NOW * 1000 - 9, event)];
    for (let n = 0; n < 2; n++) await ingester("twice").append(appendOf("twice", events));
    const { occurrences } = await get<OccurrencesAnswer>(`/api/v1/issues/${of}/occurrences`);
    expect(occurrences.map((o) => o.invocationId)).toEqual(events.map((e) => e.invocation_id));
  });

  it("lists its events, newest first, page by page", async () => {
    const events = [0, 1, 2, 3].map((n) =>
      invocation("page", (NOW - n * 1000) * 1000, {
        ...{ kind: "exception", fingerprint: n === 3 ? "v1-other" : n === 1 ? "u1-p2" : "v1-p1", message: `m${n}` },
        ...{ seq: n, colo: "LHR", route: "/a", method: "GET", version_id: n === 2 ? 'v"1' : "v2" },
      }),
    );
    await ingester("page").append(appendOf("page", events));
    const seen: unknown[] = [];
    let before = "";
    for (;;) {
      const path = `/api/v1/issues/${id}/occurrences?limit=2&before=${encodeURIComponent(before)}`;
      const page = await get<OccurrencesAnswer>(path);
      seen.push(...page.occurrences.map((o) => o.message));
      if (page.next === undefined) break;
      before = page.next;
    }
    expect(seen).toEqual(["m0", "m1", "m2"]);
    const ofVersion = encodeURIComponent('v"1');
    const { occurrences } = await get<OccurrencesAnswer>(`/api/v1/issues/${id}/occurrences?version=${ofVersion}`);
    expect(occurrences).toEqual([
      {
        ...{ time: NOW - 2000, invocationId: events[2]?.invocation_id, seq: 2, message: "m2", weight: 1 },
        version: { id: 'v"1', tag: "", message: "" },
        ...{ method: "GET", route: "/a", status: 200, outcome: "ok", entrypoint: null, colo: "LHR", country: null },
      },
    ]);
  });
});

describe("notifications", () => {
  const detail = { type: "TypeError", title: "x", culprit: "", version: { id: "v1", tag: "", message: "" } };
  beforeAll(async () => {
    const rows = [1, 2, 3].map((n) => ({
      at: n,
      kind: "issue.new",
      issueId: n,
      occasion: 0,
      script: "shop",
      detail: JSON.stringify(detail),
    }));
    await database(env.DB).insert(schema.notifications).values(rows);
  });

  it("are listed, newest first, and from where one left off", async () => {
    const { notifications } = await get<NotificationsAnswer>("/api/v1/notifications?limit=2");
    expect(notifications.map((n) => [n.issueId, n.kind, n.detail])).toEqual([
      [3, "issue.new", detail],
      [2, "issue.new", detail],
    ]);
    const later = await get<NotificationsAnswer>(`/api/v1/notifications?after=${notifications[1]?.id}`);
    expect(later.notifications.map((n) => n.issueId)).toEqual([3]);
  });
});

describe("an ignore whose time has passed", () => {
  const UNTIL = NOW - 5_000;
  const script = "ignore-over";
  let over = 0;
  beforeAll(async () => {
    const ignored = { script, state: "ignored", lastSeen: NOW - MINUTE, firstSeen: NOW - 2 * MINUTE } as const;
    over = await addIssue({ ...ignored, stateBy: "ana", ignoreUntil: UNTIL, ignoreCount: 100 });
    await addIssue({ ...ignored, ignoreUntil: NOW + 60 * MINUTE });
    await addIssue({ ...ignored, ignoreCount: 100 });
  });

  it("is over in the list and its counts, before anything new happened", async () => {
    const states = { unresolved: 1, resolved: 0, regressed: 0, ignored: 2 };
    for (const state of ["open", "unresolved"]) {
      const answer = await list({ script, state });
      expect(answer.states).toEqual(states);
      expect(answer.issues.map((i) => [i.id, i.state])).toEqual([[over, "unresolved"]]);
    }
    const still = await list({ script, state: "ignored" });
    expect(still.issues.map((i) => i.state)).toEqual(["ignored", "ignored"]);
    expect(still.issues.map((i) => i.id)).not.toContain(over);
    expect((await list({ script, state: "all" })).issues).toHaveLength(3);
    expect((await list({ script, state: "regressed" })).issues).toEqual([]);
  });

  it("is over on its page", async () => {
    const { issue, ignored } = await get<IssueAnswer>(`/api/v1/issues/${over}`);
    expect([issue.state, ignored]).toEqual(["unresolved", null]);
  });

  it("is over for who changes something else about it", async () => {
    const response = await call("/api/v1/issues/assignee", {
      method: "POST",
      token: ADMIN,
      body: { ids: [over], assignee: "me" },
    });
    expect(await response.json()).toMatchObject({ issues: [{ id: over, state: "unresolved" }] });
  });
});
