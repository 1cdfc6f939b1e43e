/** Maps that come late, maps of other versions, maps that are meant to hurt. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bundle, thrownBy, withEsbuild } from "../support/bundled-app.ts";
import { until } from "../support/client.ts";
import {
  awaitIssues,
  awaitOneIssue,
  errorItem,
  issueOf,
  issuesOf,
  notificationsOf,
  setState,
  stackOf,
  uploadBundle,
  uploadMap,
  uploadRaw,
  versionId,
} from "../support/issues.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

/** A map's arrival is told to other isolates by what they forget, and stored errors are led over after it. */
const REGROUPED_WITHIN_MS = 30_000;

let tailrace: TestStack;
let bundle: Bundle;
/** The same sources, other code: longer names, other columns. */
let rebuilt: Bundle;
beforeAll(async () => {
  bundle = await withEsbuild();
  rebuilt = await withEsbuild(false);
  tailrace = await startTestStack();
});
afterAll(() => tailrace?.stop());

async function failing(of: Bundle, script: string, version: string, name = "deep") {
  const { name: type, message, stack = "" } = await thrownBy(of, name);
  return errorItem({ script, version, name: type, message, stack });
}

test.concurrent("a map that comes after the error: the stored error is led to its source, and the issue keeps its history", async () => {
  const { client } = tailrace;
  const script = "map-late";
  await client.ingest([await failing(bundle, script, versionId(1)), await failing(bundle, script, versionId(1))]);
  const before = await awaitOneIssue(client, script, 2);
  expect(before.awaitsMap).toBe(true);
  const blind = await stackOf(client, before.id);
  expect(blind).toMatchObject({ sourceMap: "missing" });
  expect(blind.hint).not.toBe("");
  await setState(client, { ids: [before.id], state: "ignored", count: 1_000 });

  await uploadMap(client, script, versionId(1), bundle.map);
  const { trace, sourceMap } = await stackOf(client, before.id);
  expect(sourceMap).toBe("mapped");
  expect(trace.frames[0]).toMatchObject({ function: "priceOf", mapped: true });
  const [after] = await awaitIssues(client, script, ([issue]) => issue?.awaitsMap === false, REGROUPED_WITHIN_MS);
  expect(after).toMatchObject({ id: before.id, state: "ignored", count: 2, firstSeen: before.firstSeen });
  expect(after?.culprit).toMatch(/priceOf.*cart\/line\.ts/);
  const { activity } = await issueOf(client, before.id);
  expect(activity.map((entry) => entry.kind)).toEqual(expect.arrayContaining(["first_seen", "ignored"]));
  expect(activity.some((entry) => entry.kind === "symbolicated" || entry.kind === "regrouped")).toBe(true);

  // What comes now is symbolicated at once, and joins.
  await client.ingest([await failing(bundle, script, versionId(1))]);
  const [joined] = await awaitIssues(client, script, (found) => found.reduce((sum, one) => sum + one.count, 0) === 3);
  expect(joined).toMatchObject({ id: before.id, count: 3 });
  expect(await notificationsOf(client, script)).toHaveLength(1);
});

test.concurrent("a map that comes after the error shows that it is the issue of another version: one issue, all counts", async () => {
  const { client } = tailrace;
  const script = "map-joins";
  await uploadBundle(client, script, versionId(1), bundle);
  await client.ingest([await failing(bundle, script, versionId(1))]);
  const known = await awaitOneIssue(client, script, 1);
  await client.ingest([await failing(rebuilt, script, versionId(2)), await failing(rebuilt, script, versionId(2))]);
  await awaitIssues(client, script, (found) => found.reduce((sum, one) => sum + one.count, 0) === 3);
  await uploadBundle(client, script, versionId(2), rebuilt);
  const open = await awaitIssues(
    client,
    script,
    (found) => found.some((issue) => issue.id === known.id && issue.count === 3),
    REGROUPED_WITHIN_MS,
  );
  expect(open.filter((issue) => issue.count > 0).map((issue) => issue.id)).toEqual([known.id]);
  const { versions, fingerprints } = await issueOf(client, known.id);
  expect(versions.map(({ id, count }) => [id, count]).sort()).toEqual([
    [versionId(1), 1],
    [versionId(2), 2],
  ]);
  expect(fingerprints.reduce((sum, one) => sum + one.count, 0)).toBe(3);
  expect(await client.number(`issue:${known.id} kind:exception | stats count()`)).toBe(3);
});

test.concurrent("a map of another version is never used", async () => {
  const { client } = tailrace;
  const script = "map-other";
  await uploadMap(client, script, versionId(1), bundle.map);
  await client.ingest([await failing(bundle, script, versionId(2))]);
  const issue = await awaitOneIssue(client, script, 1);
  const { trace, sourceMap } = await stackOf(client, issue.id);
  expect(sourceMap).toBe("missing");
  expect(trace.frames.filter((frame) => frame.mapped)).toEqual([]);
  expect(trace.frames[0]?.file).toBe("index.js");
  const { stack = "" } = await thrownBy(bundle, "deep");
  const ask = (version: string) =>
    client.call<{ sourceMap: string }>("POST", "/api/v1/symbolicate", JSON.stringify({ script, version, stack }), {
      "content-type": "application/json",
    });
  expect((await ask(versionId(2))).body.sourceMap).toBe("missing");
  expect((await ask(versionId(1))).body.sourceMap).toBe("mapped");
});

test.concurrent("a better map takes the first one's place", async () => {
  const { client } = tailrace;
  const script = "map-better";
  const poor = { ...bundle.map, sourcesContent: undefined };
  await uploadMap(client, script, versionId(1), poor);
  await client.ingest([await failing(bundle, script, versionId(1))]);
  const issue = await awaitOneIssue(client, script, 1);
  expect((await stackOf(client, issue.id)).trace.frames[0]?.context).toBeUndefined();
  await uploadMap(client, script, versionId(1), bundle.map);
  const better = await until(
    () => stackOf(client, issue.id),
    ({ trace }) => trace.frames[0]?.context !== undefined,
    REGROUPED_WITHIN_MS,
  );
  expect(better.trace.frames[0]?.context?.lines.join("\n")).toContain("// deep 0: priceOf");
});

const small = (fields: Record<string, unknown>) =>
  JSON.stringify({ version: 3, sources: ["a.ts"], names: [], mappings: "AAAA", ...fields });
/** As text: JSON.stringify would need as deep a stack. */
const nested = (depth: number) =>
  `${'{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":'.repeat(depth)}${small({})}${"}]}".repeat(depth)}`;

/** What each is, and whether it is to be taken. */
const HOSTILE: [name: string, body: string, taken: boolean][] = [
  ["nothing", "", false],
  ["cut off", small({}).slice(0, 40), false],
  ["no JSON", "<!doctype html><title>404</title>", false],
  ["not an object", "[1, 2, 3]", false],
  ["no mappings", JSON.stringify({ version: 3, sources: [] }), false],
  ["mappings of another type", small({ mappings: { length: 1e9 } }), false],
  ["version 2", small({ version: 2 }), false],
  ["a letter that is not base64", small({ mappings: "AAAA;A*AA" }), false],
  ["a number without an end", small({ mappings: "gggggggggggggggggggggggggggggggggggggggggggg" }), false],
  ["billions of columns", small({ mappings: `${"+///////D".repeat(4)}AAA` }), false],
  ["a source that is not there", small({ mappings: "AoggggCAA" }), false],
  ["sections in sections in sections", nested(3_000), false],
  ["a million empty lines", small({ mappings: `${";".repeat(1_000_000)}AAAA` }), true],
  ["sources that climb and point elsewhere", small({ sources: ["../../../../etc/passwd"] }), true],
  ["a source with an address", small({ sources: ["https://evil.example/x.ts?token=1#y"] }), true],
  ["names that are prototypes", small({ names: ["__proto__", "constructor"], mappings: "AAAAA,CAACC" }), true],
];

test.each(HOSTILE)("a map that is hostile: %s", async (name, body, taken) => {
  const { client } = tailrace;
  const { status, body: answer } = await uploadRaw(client, "map-hostile", versionId(1), body);
  if (taken) {
    expect(status, JSON.stringify(answer)).toBeLessThan(300);
    return;
  }
  expect(status, name).toBeGreaterThanOrEqual(400);
  expect(status, JSON.stringify(answer)).toBeLessThan(500);
  // Which file, and what is wrong with it.
  expect(JSON.stringify(answer)).toContain("index.js");
});

test("after all of them the platform takes errors as before", async () => {
  const { client } = tailrace;
  expect((await client.health()).status).toBe(200);
  await client.ingest([await failing(bundle, "map-hostile", versionId(1))]);
  await awaitOneIssue(client, "map-hostile", 1);
  expect(await issuesOf(client, "map-hostile")).toHaveLength(1);
});
