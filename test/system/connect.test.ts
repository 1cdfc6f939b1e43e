/**
 * A Worker that nobody has connected: its events arrive once it is connected, stop
 * when that is taken back, and everybody else's tail consumers are left alone. By
 * the API and by the command, against the local edge, which wrangler deploys to.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ConnectionAnswer, ConnectionsAnswer } from "../../workers/api/contract.ts";
import { runCli, startCli } from "../support/cli.ts";
import { until } from "../support/client.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { createProject, type Project } from "../support/wrangler.ts";

const DEADLINE_MS = 20_000;
/** A little more than that of the local edge. */
const PROPAGATION_MS = 600;
const REVIEWS = "shop-reviews";

let tailrace: TestStack;
let edge: NonNullable<TestStack["stack"]["edge"]>;
const projects: Project[] = [];

beforeAll(async () => {
  tailrace = await startTestStack({ demo: true });
  edge = tailrace.stack.edge as typeof edge;
});
afterAll(async () => {
  for (const project of projects) project.remove();
  await tailrace?.stop();
});

const ask = (method: string, script: string, query = "") =>
  tailrace.client.call<ConnectionAnswer & { error?: { code: string; message: string } }>(
    method,
    `/api/v1/connections/${script}${query}`,
  );

const visit = (path: string, script: string) =>
  fetch(`http://127.0.0.1:${new URL(tailrace.stack.shopUrl ?? "").port}${path}`, {
    headers: { "x-demo-worker": script },
  }).then((answer) => answer.text());

const arrived = (script: string, path: string) =>
  tailrace.client.number(`script:${script} kind:invocation path:"${path}" | stats count()`);

/** What the account itself holds. */
async function consumersOf(script: string): Promise<{ service: string }[]> {
  const answer = await edgeCall("GET", `scripts/${script}/script-settings`);
  return ((await answer.json()) as { result: { tail_consumers: { service: string }[] } }).result.tail_consumers;
}
const edgeCall = (method: string, path: string, body?: unknown) =>
  fetch(`${edge.apiUrl}/accounts/${edge.accountId}/workers/${path}`, {
    method,
    headers: { authorization: `Bearer ${edge.token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

/** Visits until one of them is there: a change is everywhere within half a second. */
async function arrivesAt(script: string, path: string): Promise<void> {
  await until(
    async () => {
      await visit(path, script);
      return arrived(script, path);
    },
    (count) => count > 0,
    DEADLINE_MS,
  );
}

/** Another of the shop's Workers is visited after it, and arrives: by then this one would have, too. */
async function staysAway(script: string, path: string): Promise<void> {
  await visit(path, script);
  await arrivesAt("shop-storefront", `/api/products${path}`);
  expect(await arrived(script, path)).toBe(0);
}

async function deployed(name: string, code: string, toml = ""): Promise<Project> {
  const project = createProject(edge);
  projects.push(project);
  await redeploy(project, name, code, toml);
  return project;
}
async function redeploy(project: Project, name: string, code: string, toml: string): Promise<void> {
  project.write("src/index.js", code);
  project.write("wrangler.toml", `name = "${name}"\nmain = "src/index.js"\ncompatibility_date = "2026-11-01"\n${toml}`);
  const { code: exit, said } = await project.wrangler(["deploy"]);
  expect(exit, said).toBe(0);
}

/** The edge remembers what is live for half a second, as the real one takes a moment. */
const takesHold = () => new Promise((done) => setTimeout(done, PROPAGATION_MS));

const HELLO = 'export default { fetch: () => new Response("hello") };';
const LISTENER = "export default { tail() {} };";

test("a Worker is connected, its events arrive, it is disconnected, and they stop", async () => {
  const listed = (await tailrace.client.call<ConnectionsAnswer>("GET", "/api/v1/connections")).body;
  expect(listed.account).toMatchObject({ connected: true, accountId: edge.accountId });
  expect(listed.connections.find(({ script }) => script === REVIEWS)).toMatchObject({
    ...{ connected: false, byTailrace: false, verified: false },
  });
  expect(listed.connections.find(({ script }) => script === "shop-storefront")).toMatchObject({
    ...{ connected: true, byTailrace: false },
  });
  await staysAway(REVIEWS, "/reviews/KI-1001");

  const put = await ask("PUT", REVIEWS);
  expect(put).toMatchObject({
    status: 200,
    body: {
      connection: { script: REVIEWS, connected: true, byTailrace: true, verified: false, others: [] },
      toml: 'tail_consumers = [{ service = "tailrace" }]',
    },
  });
  expect(await consumersOf(REVIEWS)).toEqual([{ service: "tailrace" }]);
  await arrivesAt(REVIEWS, "/reviews/KI-1002");
  expect((await ask("GET", REVIEWS)).body.connection).toMatchObject({ verified: true });

  // Asked for again it changes nothing.
  expect((await ask("PUT", REVIEWS)).body.connection.connectedAt).toBe(put.body.connection.connectedAt);

  expect((await ask("DELETE", REVIEWS)).body.connection).toMatchObject({ connected: false, connectedAt: null });
  expect(await consumersOf(REVIEWS)).toEqual([]);
  await takesHold();
  await staysAway(REVIEWS, "/reviews/KI-1003");
});

test("other consumers keep their place", async () => {
  await deployed("listener", LISTENER);
  await deployed("heard", HELLO, 'tail_consumers = [{ service = "listener" }]\n');
  const put = await ask("PUT", "heard");
  expect(put.body.connection).toMatchObject({ connected: true, others: ["listener"] });
  expect(put.body.toml).toBe('tail_consumers = [{ service = "listener" }, { service = "tailrace" }]');
  expect(await consumersOf("heard")).toEqual([{ service: "listener" }, { service: "tailrace" }]);
  await arrivesAt("heard", "/both");
  expect((await ask("DELETE", "heard")).body.connection).toMatchObject({ connected: false, others: ["listener"] });
  expect(await consumersOf("heard")).toEqual([{ service: "listener" }]);
});

test("what a Worker's own configuration connected is not taken back behind its back", async () => {
  await deployed("own", HELLO, 'tail_consumers = [{ service = "tailrace" }]\n');
  const refused = await ask("DELETE", "own");
  expect(refused).toMatchObject({ status: 409, body: { error: { code: "not_ours" } } });
  expect(refused.body.error?.message).toContain("wrangler.toml");
  expect(await consumersOf("own")).toEqual([{ service: "tailrace" }]);
  const forced = await ask("DELETE", "own", "?force=true");
  expect(forced.body).toMatchObject({
    connection: { connected: false },
    notice: expect.stringContaining("next deploy"),
  });
  expect((await ask("PUT", "own")).body.connection).toMatchObject({ connected: true, byTailrace: true });
});

test("a deploy whose configuration says otherwise takes the entry out, and the page says so", async () => {
  await deployed("hearing", LISTENER);
  const project = await deployed("redeployed", HELLO);
  await ask("PUT", "redeployed");
  await redeploy(project, "redeployed", HELLO, 'tail_consumers = [{ service = "hearing" }]\n');
  expect((await ask("GET", "redeployed")).body.connection).toMatchObject({
    ...{ connected: false, byTailrace: true, connectedAt: expect.any(Number) },
  });
  // One that says nothing of consumers leaves them as they are.
  await ask("PUT", "redeployed");
  await redeploy(project, "redeployed", `${HELLO}\n// again`, "");
  expect((await ask("GET", "redeployed")).body.connection).toMatchObject({ connected: true, others: ["hearing"] });
  // The line makes it last.
  const { toml } = (await ask("PUT", "redeployed")).body;
  await redeploy(project, "redeployed", HELLO, `${toml}\n`);
  expect((await ask("GET", "redeployed")).body.connection).toMatchObject({ connected: true, others: ["hearing"] });
});

test("a Worker that the launcher runs follows its settings, too; one that cannot says so", async () => {
  await arrivesAt("shop-storefront", "/api/products/KI-1001");
  const off = await ask("DELETE", "shop-storefront", "?force=true");
  expect(off.body.connection).toMatchObject({ connected: false });
  await takesHold();
  await visit("/api/products/KI-1002", "shop-storefront");
  // What is asked for after it arrives: by then this would have, too.
  await arrivesAt("own", "/after");
  expect(await arrived("shop-storefront", "/api/products/KI-1002")).toBe(0);
  expect((await ask("PUT", "shop-storefront")).body.connection).toMatchObject({ connected: true });
  await arrivesAt("shop-storefront", "/api/products/KI-1003");
  expect(await ask("DELETE", "shop-stock", "?force=true")).toMatchObject({ status: 424 });
});

test("Tailrace does not observe itself, and Workers that are not there are not connected", async () => {
  expect(await ask("PUT", "tailrace")).toMatchObject({ status: 400, body: { error: { code: "bad_request" } } });
  expect(await ask("PUT", "nobody")).toMatchObject({ status: 404, body: { error: { code: "not_found" } } });
  expect(await ask("PUT", "..")).toMatchObject({ status: 404 });
});

test("the command connects, waits for the first event, lists, and disconnects", async () => {
  const url = tailrace.stack.url;
  const running = startCli(["connect", REVIEWS, "--for", "1m"], { url });
  await until(
    async () => running.printed.stderr,
    (said) => said.includes("Waiting for its first event"),
    DEADLINE_MS,
  );
  await arrivesAt(REVIEWS, "/reviews/KI-1005");
  const connected = await running.ended;
  expect(connected).toMatchObject({ code: 0, stdout: expect.stringContaining("events arrive") });
  expect(connected.stdout).toContain('tail_consumers = [{ service = "tailrace" }]');

  const listed = await runCli(["connect", "--list"], { url });
  expect(listed.stdout).toMatch(/shop-reviews +connected by Tailrace +(?!never seen)\S/);
  expect(listed.stdout).toMatch(/shop-live +connected by its own configuration/);

  expect(await runCli(["disconnect", REVIEWS], { url })).toMatchObject({ code: 0 });
  expect(await consumersOf(REVIEWS)).toEqual([]);
  const own = await runCli(["disconnect", "shop-live"], { url });
  expect(own).toMatchObject({ code: 1, stderr: expect.stringContaining("wrangler.toml") });
  // Nobody calls it meanwhile.
  const unseen = await runCli(["connect", "listener", "--for", "1s", "--json"], { url });
  expect(unseen.code).toBe(5);
  expect(JSON.parse(unseen.stdout)).toMatchObject({ connection: { connected: true, verified: false } });
  expect(await runCli(["connect", "nobody"], { url })).toMatchObject({ code: 1 });
});
