/** Exceptions become issues: seen within 5 s, told once, counted exactly, kinds apart, back when they come back. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { IssueKind, TokenCreated } from "../../workers/api/contract.ts";
import { type Bundle, thrownBy, withEsbuild } from "../support/bundled-app.ts";
import { Client, until } from "../support/client.ts";
import {
  awaitIssues,
  awaitOneIssue,
  errorItem,
  issueOf,
  issuesOf,
  notificationsOf,
  setState,
  stackOf,
  TOLD_WITHIN_MS,
  uploadMap,
  versionId,
} from "../support/issues.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

const THOUSAND = 1_000;
const PER_BODY = 50;

let tailrace: TestStack;
let bundle: Bundle;
beforeAll(async () => {
  bundle = await withEsbuild();
  tailrace = await startTestStack();
});
afterAll(() => tailrace?.stop());

/** An item that failed as this case of the app does. */
async function failing(script: string, version: string, name = "deep") {
  const { name: type, message, stack = "" } = await thrownBy(bundle, name);
  return errorItem({ script, version, name: type, message, stack });
}

test.concurrent("an exception is an issue with its source line, told once, within 5 s", async () => {
  const { client } = tailrace;
  const script = "issue-first";
  await uploadMap(client, script, versionId(1), bundle.map);
  const item = await failing(script, versionId(1));
  await client.ingest([item]);
  const told = await until(
    () => notificationsOf(client, script),
    (found) => found.length > 0,
    TOLD_WITHIN_MS,
  );
  const issue = await awaitOneIssue(client, script, 1);
  expect(issue).toMatchObject({
    kind: "exception",
    type: "TypeError",
    state: "unresolved",
    noise: "",
    awaitsMap: false,
  });
  expect(issue.title).toContain("reading 'cents'");
  expect(issue.culprit).toMatch(/priceOf.*cart\/line\.ts/);
  expect(issue.firstVersion).toMatchObject({ id: versionId(1), tag: "v-0000" });
  expect(told).toMatchObject([{ kind: "issue.new", issueId: issue.id, detail: { type: "TypeError" } }]);

  const { trace, raw, hint } = await stackOf(client, issue.id);
  const [top] = trace.frames;
  expect(top).toMatchObject({ function: "priceOf", inApp: true, mapped: true });
  expect(top?.file).toMatch(/src\/cart\/line\.ts$/);
  expect(top?.context?.lines[(top.line ?? 0) - top.context.firstLine]).toContain("// deep 0: priceOf");
  expect(raw).toContain("index.js:");
  expect(hint).toBe("");

  const occurrences = await client.query(`issue:${issue.id} | stats count()`);
  expect(occurrences.rows).toEqual([[1]]);
});

test.concurrent("a thousand at once: one issue, counted exactly, told once", async () => {
  const { client } = tailrace;
  const script = "issue-thousand";
  const bodies = Array.from({ length: THOUSAND / PER_BODY }, (_, body) =>
    Array.from({ length: PER_BODY }, (_, n) =>
      errorItem({
        script,
        version: versionId(1 + (n % 2)),
        name: "PaymentError",
        message: `order ${body * PER_BODY + n} of user-${n}@shop.example could not be paid after ${n} ms`,
      }),
    ),
  );
  await Promise.all(bodies.map((items) => client.ingest(items)));
  const issue = await awaitOneIssue(client, script, THOUSAND);
  expect(await notificationsOf(client, script)).toHaveLength(1);
  const { versions, series, fingerprints } = await issueOf(client, issue.id);
  expect(versions.map((version) => version.count)).toEqual([THOUSAND / 2, THOUSAND / 2]);
  const counted = series.flatMap(({ counts }) => counts).reduce((sum, count) => sum + count, 0);
  expect(counted).toBe(THOUSAND);
  expect(fingerprints.reduce((sum, fingerprint) => sum + fingerprint.count, 0)).toBe(THOUSAND);
  await client.seal();
  expect(await client.number(`issue:${issue.id} kind:exception | stats count()`)).toBe(THOUSAND);
  expect((await issuesOf(client, script)).map((one) => one.count)).toEqual([THOUSAND]);
});

test.concurrent("kinds are told apart; noise is classed, not hidden, and tells nobody", async () => {
  const { client } = tailrace;
  const script = "issue-kinds";
  const version = versionId(1);
  const stack = "    at save (index.js:3:9)\n    at fetch (index.js:9:3)";
  const logged = (errorInfo: unknown) => ({
    timestamp: Date.now(),
    level: "error",
    message: errorInfo === null ? ["no room for parcel 17"] : ["Error: no room"],
    ...(errorInfo === null ? {} : { errorInfo: [errorInfo] }),
  });
  const fine = { outcome: "ok", status: 200 };
  await client.ingest([
    errorItem({ script, version, name: "Error", message: "no room", stack }),
    errorItem({ script, version, name: "Error", message: "no room", stack, ...fine }),
    errorItem({ script, version, ...fine, logs: [logged({ name: "Error", message: "no room", stack })] }),
    errorItem({ script, version, ...fine, logs: [logged(null)] }),
    errorItem({ script, version, outcome: "ok", status: 503 }),
    errorItem({ script, version, outcome: "exceededMemory", status: null }),
    errorItem({ script, version, name: "Error", message: "Network connection lost.", stack }),
    errorItem({ script, version, outcome: "canceled", status: null }),
  ]);
  const wanted: IssueKind[] = ["exception", "rejection", "log", "message", "http", "death"];
  const issues = await awaitIssues(client, script, (found) => found.length >= wanted.length + 1);
  const errors = issues.filter((issue) => issue.kind !== "noise");
  expect(errors.map((issue) => issue.kind).sort()).toEqual([...wanted].sort());
  const noise = issues.filter((issue) => issue.kind === "noise");
  expect(noise.length).toBeGreaterThan(0);
  expect(noise.every((issue) => issue.noise !== "")).toBe(true);
  const told = await until(
    () => notificationsOf(client, script),
    (found) => found.length >= wanted.length,
    TOLD_WITHIN_MS,
  );
  expect(told.map((one) => one.issueId).sort()).toEqual(errors.map((issue) => issue.id).sort());
});

test.concurrent("an isolate that dies takes all its requests with it: one incident with so many victims", async () => {
  const { client } = tailrace;
  const script = "issue-death";
  const time = Date.now();
  const victims = Array.from({ length: 40 }, (_, n) =>
    errorItem({ script, version: versionId(1), outcome: "exceededMemory", status: null, time: time - n }),
  );
  await client.ingest(victims);
  const issue = await awaitOneIssue(client, script, victims.length);
  const { incidents } = await issueOf(client, issue.id);
  expect(incidents).toMatchObject([{ colo: "LHR", victims: victims.length }]);
  expect(await notificationsOf(client, script)).toHaveLength(1);
});

test.concurrent("a resolved issue comes back with a newer version, not with an old one that is still draining", async () => {
  const { client } = tailrace;
  const script = "issue-regression";
  const [old, fixed] = [versionId(1), versionId(2)];
  await client.ingest([await failing(script, old)]);
  const issue = await awaitOneIssue(client, script, 1);
  await setState(client, { ids: [issue.id], state: "resolved" });

  await client.ingest([await failing(script, old)]);
  expect((await awaitOneIssue(client, script, 2)).state).toBe("resolved");

  await client.ingest([await failing(script, fixed), await failing(script, fixed)]);
  const [back] = await awaitIssues(client, script, ([found]) => found?.state === "regressed");
  expect(back).toMatchObject({ id: issue.id, regressions: 1, lastVersion: { id: fixed } });
  const told = await until(
    () => notificationsOf(client, script),
    (found) => found.length >= 3,
    TOLD_WITHIN_MS,
  );
  expect(told.map((one) => one.kind).sort()).toEqual(["issue.new", "issue.regressed", "issue.resolved"]);
  const { activity } = await issueOf(client, issue.id);
  expect(activity.map((entry) => entry.kind)).toEqual(["first_seen", "resolved", "regressed"]);
});

test.concurrent("source code is for those who may read: an ingest token gets none of it", async () => {
  const { client } = tailrace;
  const script = "issue-source";
  await uploadMap(client, script, versionId(1), bundle.map);
  const item = await failing(script, versionId(1));
  await client.ingest([item]);
  const issue = await awaitOneIssue(client, script, 1);
  const tokenFor = async (scope: string) => {
    const { body } = await client.call<TokenCreated>("POST", "/api/v1/tokens", JSON.stringify({ name: scope, scope }), {
      "content-type": "application/json",
    });
    return new Client(client.url, body.token);
  };
  const { stack = "" } = await thrownBy(bundle, "deep");
  const question = JSON.stringify({ script, version: versionId(1), stack });
  const asks: [string, string, string?][] = [
    ["GET", `/api/v1/issues/${issue.id}/stack`],
    ["POST", "/api/v1/symbolicate", question],
    ["GET", `/api/v1/workers/${script}/versions/${versionId(1)}/sourcemaps`],
    ["GET", `/api/v1/issues?script=${script}`],
    ["GET", `/api/v1/issues/${issue.id}`],
  ];
  const ingest = await tokenFor("ingest");
  const reader = await tokenFor("read");
  for (const [method, path, body] of asks) {
    const refused = await ingest.call(method, path, body, { "content-type": "application/json" });
    expect(refused.status, `${method} ${path}`).toBe(403);
    expect(JSON.stringify(refused.body)).not.toContain("priceOf");
    const told = await reader.call(method, path, body, { "content-type": "application/json" });
    expect(told.status, `${method} ${path}`).toBe(200);
  }
  const mayNot = await ingest.call("PUT", `/api/v1/workers/${script}/versions/v/sourcemaps/index.js`, "{}");
  expect(mayNot.status).toBe(403);
});
