/** Questions about issues: by number, however their fingerprints came together. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { fieldValues, listFields, readInvocation, runQuery } from "../../../workers/query/index.ts";
import { addFingerprint, addIssue } from "../api/issues-support.ts";
import { appendOf, ingester, invocation } from "../buffer/support.ts";

const NOW = Date.UTC(2026, 10, 20, 10, 30);
const SCRIPT = "issues";
const at = (n: number) => (NOW - 60_000 + n) * 1_000;

/** Events with the fingerprints a, a, b, c, none, and one that D1 does not know yet. */
const carried = ["v1-a", "v1-a", "v1-b", "v1-c", undefined, "v1-new"];
const events = carried.map((fingerprint, n) =>
  invocation(SCRIPT, at(n), { kind: "exception", message: `m${n}`, ...(fingerprint ? { fingerprint } : {}) }),
);

/** Issue 1 has a and b, issue 2 has c, issue 3 was merged into 1. */
let ids: number[];
beforeAll(async () => {
  const first = await addIssue({ script: SCRIPT, title: "first", fingerprints: [] });
  await addFingerprint(first, "v1-a", { script: SCRIPT });
  await addFingerprint(first, "v1-b", { script: SCRIPT });
  const second = await addIssue({ script: SCRIPT, title: "second", fingerprints: ["v1-c"] });
  const third = await addIssue({ script: SCRIPT, title: "third", fingerprints: [], mergedInto: first });
  ids = [first, second, third];
  const stub = ingester(SCRIPT);
  await stub.append(appendOf(SCRIPT, events.slice(0, 3)));
  await stub.seal();
  await stub.append(appendOf(SCRIPT, events.slice(3)));
});

async function rows(q: string): Promise<unknown[][]> {
  const text = q.replace(/\$(\d)/g, (_, n) => String(ids[Number(n) - 1]));
  const result = await runQuery(env, { q: text, script: SCRIPT }, { now: NOW });
  if (!result.ok) throw new Error(result.error.message);
  return result.answer.rows;
}
const messages = async (filter: string) => (await rows(`${filter} | sort time | fields message`)).flat();

describe("a filter on issues", () => {
  test.each([
    ["issue:$1", ["m0", "m1", "m2"]],
    ["issue:#$2", ["m3"]],
    ["issue:($1 OR $2)", ["m0", "m1", "m2", "m3"]],
    ["-issue:$1", ["m3", "m4", "m5"]],
    ["issue:!=$1 issue:*", ["m3", "m5"]],
    ["issue:*", ["m0", "m1", "m2", "m3", "m5"]],
    // What was merged stands for what it was merged into.
    ["issue:$3", ["m0", "m1", "m2"]],
    ["issue:999999", []],
    ["fingerprint:v1-b", ["m2"]],
    ["issue:$1 fingerprint:v1-b", ["m2"]],
  ])("%s", async (filter, expected) => {
    expect(await messages(filter)).toEqual(expected);
  });

  test("prunes, and asks the catalog for one Worker only", async () => {
    const ask = async (q: string) => {
      const result = await runQuery(env, { q }, { now: NOW });
      return result.ok ? result.answer.stats : undefined;
    };
    expect(await ask(`issue:${ids[1]}`)).toMatchObject({ segments: 0, pruned: 1 });
    expect(await ask(`issue:${ids[0]}`)).toMatchObject({ segments: 1, pruned: 0 });
  });

  test("takes numbers only, and says where", async () => {
    for (const q of ["issue:v1-abc", "issue:>3", "issue:1*", 'issue:""', "issue:/1/"]) {
      const result = await runQuery(env, { q: `status:200 ${q}` }, { now: NOW });
      expect(result, q).toMatchObject({ ok: false, error: { code: "bad_query", details: { position: 11 } } });
      expect(result.ok ? "" : result.error.message).toContain("the number of an issue");
    }
  });
});

describe("an issue of very many fingerprints", () => {
  const many = (id: number, script: string, lastSeen: number) =>
    env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
       INSERT INTO fingerprints (fingerprint, script, issue_id, home_issue_id, algorithm, first_seen, last_seen, first_version, last_version, count)
       SELECT 'u1-' || ?1 || '-' || ?3 || '-' || i, ?2, ?1, ?1, 1, 0, ?3, '', '', 1 FROM n`,
    )
      .bind(id, script, lastSeen)
      .run();

  test("is read by those that were seen in the range, and refused where even they are too many", async () => {
    const script = "many";
    const id = await addIssue({ script, fingerprints: [] });
    await addFingerprint(id, "v1-late", { script, lastSeen: NOW });
    await many(id, script, 1);
    await ingester(script).append(appendOf(script, [invocation(script, at(1), { fingerprint: "v1-late" })]));
    expect(await runQuery(env, { q: `issue:${id} | stats count()` }, { now: NOW })).toMatchObject({
      ok: true,
      answer: { rows: [[1]] },
    });
    const always = await runQuery(env, { q: `issue:${id}`, from: 0 }, { now: NOW });
    expect(always).toMatchObject({ ok: false, error: { code: "too_much" } });
    await many(id, script, NOW);
    const now = await runQuery(env, { q: `issue:${id}` }, { now: NOW });
    expect(now).toMatchObject({ ok: false, error: { code: "too_much" } });
  });
});

describe("the issue as a column", () => {
  test("groups, whatever the fingerprint", async () => {
    expect(await rows("* | stats count(), count_distinct(message) as m by issue | sort issue")).toEqual([
      [ids[0], 3, 3],
      [ids[1], 1, 1],
      [null, 2, 2],
    ]);
  });

  test("is counted, picked, sorted by, and filtered by after stats", async () => {
    expect(await rows("* | stats count(issue:$1) as first, count_distinct(issue) as issues")).toEqual([[3, 2]]);
    expect(await rows("issue:* | sort issue desc, time | fields issue, message | limit 2")).toEqual([
      [ids[1], "m3"],
      [ids[0], "m0"],
    ]);
    expect(await rows("* | stats count() by issue | where issue = $2")).toEqual([[ids[1], 1]]);
  });

  test("stands beside the fingerprint of events", async () => {
    const result = await runQuery(env, { q: `issue:${ids[0]} | limit 1` }, { now: NOW });
    if (!result.ok) throw new Error(result.error.message);
    const { columns, rows: found } = result.answer;
    const names = columns.map((c) => c.name);
    expect(found[0]?.[names.indexOf("issue")]).toBe(ids[0]);
    expect(found[0]?.[names.indexOf("fingerprint")]).toBe("v1-b");
  });

  test("is told with an invocation's events", async () => {
    const answer = await readInvocation(env, events[3]?.invocation_id ?? "", { around: NOW }, { now: NOW });
    expect(answer).toMatchObject({ ok: true, answer: { events: [{ fingerprint: "v1-c", issue: ids[1] }] } });
    const unknown = await readInvocation(env, events[5]?.invocation_id ?? "", { around: NOW }, { now: NOW });
    expect(unknown.ok && unknown.answer.events[0]).not.toHaveProperty("issue");
  });
});

test("numbers of issues are completed, with their titles", async () => {
  const values = await fieldValues(env, "issue", { script: SCRIPT }, { now: NOW });
  expect(values).toMatchObject({
    ok: true,
    answer: {
      values: [
        { value: String(ids[0]), count: 3, label: "TypeError: first" },
        { value: String(ids[1]), count: 1, label: "TypeError: second" },
      ],
    },
  });
  const some = await fieldValues(env, "issue", { script: SCRIPT, prefix: `#${ids[1]}` }, { now: NOW });
  expect(some.ok && some.answer.values.map((v) => v.value)).toEqual([String(ids[1])]);
  const fields = await listFields(env, { script: SCRIPT, prefix: "iss" }, { now: NOW });
  expect(fields).toMatchObject({ ok: true, answer: { fields: [{ name: "issue", core: true, type: "number" }] } });
});

test("an attribute called issue is asked for with an @", async () => {
  const script = "attribute-issue";
  await ingester(script).append(appendOf(script, [invocation(script, at(1), { attributes: { issue: "GH-1" } })]));
  const result = await runQuery(env, { q: "@issue:GH-1 | fields @issue", script }, { now: NOW });
  expect(result).toMatchObject({ ok: true, answer: { rows: [["GH-1"]] } });
});
