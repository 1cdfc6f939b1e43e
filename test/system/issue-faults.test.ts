/** Errors while R2 or D1 fail, and while the platform is killed: events stay, issues come later, each occurrence counts once. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { type Bundle, thrownBy, withEsbuild } from "../support/bundled-app.ts";
import { Client } from "../support/client.ts";
import {
  awaitIssues,
  awaitOneIssue,
  errorItem,
  issuesOf,
  notificationsOf,
  stackOf,
  uploadMap,
  versionId,
} from "../support/issues.ts";
import { type Launched, launch } from "../support/launcher.ts";
import { ADMIN_TOKEN, freePort, startTestStack, type TestStack } from "../support/stack.ts";

/** Flushes try again by themselves, further and further apart. */
const RECOVERY_MS = 60_000;
const KILLS = 4;
/** From "just acknowledged" to "in the middle of the flush". */
const KILL_WITHIN_MS = 2_500;
const PER_BODY = 25;

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function faultyStack(): Promise<{ tailrace: TestStack; fault: (faults: object) => Promise<void> }> {
  const tailrace = await startTestStack({ entry: resolve("test/support/faulty-entry.ts") });
  cleanUps.push(() => tailrace.stop());
  const fault = async (faults: object) => {
    const { status } = await tailrace.client.call("POST", "/__faults", JSON.stringify(faults));
    expect(status).toBe(200);
  };
  return { tailrace, fault };
}

async function failing(bundle: Bundle, script: string, version: string) {
  const { name, message, stack = "" } = await thrownBy(bundle, "deep");
  return errorItem({ script, version, name, message, stack });
}

test("R2 refuses: the event is kept with its raw stack, the issue is there, and later it leads to the source", async () => {
  const bundle = await withEsbuild();
  const { tailrace, fault } = await faultyStack();
  const { client } = tailrace;
  const script = "fault-r2";
  await uploadMap(client, script, versionId(1), bundle.map);
  await fault({ r2: "before" });
  await client.ingest([await failing(bundle, script, versionId(1))]);
  const { rows } = await client.query(`script:${script} kind:exception | fields stack`);
  expect(String(rows[0]?.[0])).toContain("index.js:");
  const issue = await awaitOneIssue(client, script, 1);

  await fault({});
  const [healed] = await awaitIssues(client, script, ([found]) => found?.awaitsMap === false, RECOVERY_MS);
  expect(healed?.id).toBe(issue.id);
  expect((await stackOf(client, issue.id)).trace.frames[0]).toMatchObject({ function: "priceOf", mapped: true });
  await client.ingest([await failing(bundle, script, versionId(1))]);
  expect((await awaitOneIssue(client, script, 2)).id).toBe(issue.id);
});

test.each(["before", "after"])(
  "D1 fails (%s its work): events are kept, issues come later, counted once, told once",
  async (when) => {
    const { tailrace, fault } = await faultyStack();
    const { client } = tailrace;
    const script = `fault-d1-${when}`;
    const items = (n: number) =>
      Array.from({ length: n }, (_, i) =>
        errorItem({ script, version: versionId(1), name: "Error", message: `no ${i}` }),
      );
    await client.ingest(items(3));
    await awaitOneIssue(client, script, 3);
    await fault({ d1: when });
    await client.ingest(items(40));
    await client.seal().catch(() => undefined);
    await client.ingest(items(7));
    await fault({});
    expect(await client.number(`script:${script} kind:exception | stats count()`)).toBe(50);
    await awaitOneIssue(client, script, 50, RECOVERY_MS);
    await client.seal();
    await awaitOneIssue(client, script, 50);
    expect(await notificationsOf(client, script)).toHaveLength(1);
  },
);

test(`killed ${KILLS} times right after errors were acknowledged: counts are exact after the replay`, async () => {
  const data = mkdtempSync(join(tmpdir(), "tailrace-issue-kill-"));
  let running: Launched | undefined;
  cleanUps.push(async () => {
    await running?.kill("both");
    rmSync(data, { recursive: true, force: true });
  });
  const port = await freePort();
  const script = "issue-kill";
  let sent = 0;
  for (let round = 0; round < KILLS; round++) {
    running = await launch(data, port);
    const client = new Client(running.url, ADMIN_TOKEN);
    const bodies = Array.from({ length: 1 + round }, () =>
      Array.from({ length: PER_BODY }, (_, n) =>
        errorItem({ script, version: versionId(1), name: "StockError", message: `shelf ${n} is empty` }),
      ),
    );
    await Promise.all(bodies.map((items) => client.ingest(items)));
    sent += bodies.length * PER_BODY;
    await sleep((round / (KILLS - 1)) * KILL_WITHIN_MS);
    await running.kill(round % 2 === 0 ? "workerd" : "both");
  }
  running = await launch(data, port);
  const client = new Client(running.url, ADMIN_TOKEN);
  await awaitOneIssue(client, script, sent, RECOVERY_MS);
  // Once more through everything that could count again.
  await client.ingest([errorItem({ script, version: versionId(1), name: "StockError", message: "shelf 0 is empty" })]);
  await client.seal();
  await awaitOneIssue(client, script, sent + 1);
  expect(await client.number(`script:${script} kind:exception | stats count()`)).toBe(sent + 1);
  expect(await notificationsOf(client, script)).toHaveLength(1);
  expect(await issuesOf(client, script)).toHaveLength(1);
});
