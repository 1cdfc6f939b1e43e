/**
 * `tailrace deploy --gradual` with the unmodified wrangler, the local Cloudflare,
 * the guard and real traffic: a bad version goes out, is taken back, and the
 * record names its line; a good one is taken back by a person.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTraffic } from "../../demo/traffic/index.ts";
import { edgeClient } from "../../scripts/local/edge-client.mjs";
import type { AuditAnswer, DeploymentAnswer, RolloutsAnswer } from "../../workers/api/contract.ts";
import { FaultyProxy, runCli } from "../support/cli.ts";
import { until } from "../support/client.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { createProject, type Project, wranglerEnv } from "../support/wrangler.ts";

const SCRIPT = "shop-storefront";
const DEADLINE_MS = 60_000;
/** Enough for a verdict on a tenth of it within seconds. */
const RATE = 40;
const WARM_UP_REQUESTS = 100;

let tailrace: TestStack;
let project: Project;
let env: Record<string, string>;
let old: string;
let traffic: ReturnType<typeof startTraffic>;

beforeAll(async () => {
  tailrace = await startTestStack({ demo: true });
  const { edge, shopUrl } = tailrace.stack;
  if (edge === undefined || shopUrl === undefined) throw new Error("the stack has no edge");
  const api = edgeClient(edge);
  project = createProject(edge, ["storefront", "shared", "checkout", "stock"]);
  env = wranglerEnv(edge);
  // Each begins as npm start splits it; its first version works, and has the most.
  for (const script of [SCRIPT, "shop-checkout"]) {
    const [live] = await api.deployments(script);
    const most = live?.versions.reduce((a, b) => (b.percentage > a.percentage ? b : a));
    if (most === undefined) throw new Error(`${script} is not deployed`);
    await api.deploy(script, [{ version_id: most.version_id, percentage: 100 }], "The version that works");
    if (script === SCRIPT) old = most.version_id;
  }
  traffic = startTraffic({ shopUrl, rate: RATE, seed: 1 });
  await until(
    () => tailrace.client.number(`script:${SCRIPT} event_type:fetch | stats count()`, "-1m"),
    (seen) => seen >= WARM_UP_REQUESTS,
    DEADLINE_MS,
  );
});
afterAll(async () => {
  await traffic?.stop();
  project?.remove();
  await tailrace?.stop();
});

const tell = (args: string[], url = tailrace.stack.url) => runCli(args, { url, cwd: project.dir, env });
const live = async () =>
  (await tailrace.client.call<DeploymentAnswer>("GET", `/api/v1/workers/${SCRIPT}/deployment`)).body;

/** The storefront as this release has it. */
function release(entry: string): void {
  project.write("src/v1.ts", readFileSync(`demo/storefront/src/${entry}`, "utf8"));
}

test("a bad version is taken back, with exit code 4 and the line that is to blame", async () => {
  release("v3.ts");
  const args = ["deploy", "--gradual", "--watch", "--steps", "10:1m,100", "--min-samples", "30"];
  const { code, stdout, stderr } = await tell([...args, "--", "--tag", "v1.6.0", "--message", "Promises"]);
  expect(code, `${stdout}\n${stderr}`).toBe(4);
  expect(stdout).toContain("Worker Version ID:");
  expect(stdout).toContain("1 source map uploaded");
  expect(stderr).toMatch(/New version: \w{8} v1\.6\.0 "Promises"/);
  expect(await live()).toMatchObject({ live: { versions: [{ id: old, percent: 100 }] }, rollout: null });

  // A verdict may be quicker than the issue, which is on its way for some seconds.
  const report = await until(
    () => tell(["rollout", "evidence", SCRIPT]),
    (told) => told.stdout.includes("delivery-promise.ts:17:"),
    DEADLINE_MS,
  );
  expect(report.stdout).toMatch(/^# Rollout of `shop-storefront`: taken back/);
  expect((await tell(["rollout", "status", SCRIPT])).code).toBe(4);
});

test("what a person takes back is back when the command ends, and the audit log says why", async () => {
  release("v1-patch.ts");
  // Waits for traffic of nobody: it is aborted before it could know.
  const begun = await tell(["deploy", "--gradual", "--min-samples", "100000", "--", "--tag", "v1.4.3"]);
  expect(begun.code, begun.stderr).toBe(0);
  expect(begun.stderr).toContain("It goes on by itself.");
  expect((await live()).live?.versions).toMatchObject([
    { id: old, percent: 99 },
    { tag: "v1.4.3", percent: 1 },
  ]);
  const { code, stderr } = await tell(["rollout", "abort", SCRIPT, "--reason", "wrong branch"]);
  expect(code, stderr).toBe(0);
  expect(await live()).toMatchObject({ live: { versions: [{ id: old, percent: 100 }] }, rollout: null });
  expect((await tell(["rollout", "status", SCRIPT])).code).toBe(6);
  const { rows } = (await tailrace.client.call<AuditAnswer>("GET", "/api/v1/audit?limit=20")).body;
  const [aborted] = rows.filter(({ action }) => action === "rollout.abort");
  expect(aborted?.detail).toMatchObject({ reason: "wrong branch" });
});

test("without its source maps nothing is begun, and it says what to do", async () => {
  const proxy = await FaultyProxy.start(tailrace.stack.url, (request) =>
    request.includes("/sourcemaps") ? { status: 400 } : "pass",
  );
  const { code, stderr } = await tell(["deploy", "--gradual", "--", "--tag", "v1.4.4"], proxy.url);
  await proxy.stop();
  expect(code).toBe(3);
  expect(stderr).toMatch(/No rollout was begun: its evidence needs them\. Then: npx tailrace rollout start/);
  const { rollouts } = (await tailrace.client.call<RolloutsAnswer>("GET", "/api/v1/rollouts?state=running")).body;
  expect(rollouts.filter(({ script }) => script === SCRIPT)).toEqual([]);
});
