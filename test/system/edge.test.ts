/**
 * The local edge is what it stands in for, as far as wrangler can tell: its
 * unmodified commands upload, split and take back versions of the demo's
 * storefront, and the answers of the shop follow. Each of its commands is run
 * where it is what is tested; elsewhere its API is asked, which takes no second.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/client.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { createProject, type Project, type WranglerResult } from "../support/wrangler.ts";

const DEADLINE_MS = 20_000;
const SCRIPT = "shop-storefront";

let tailrace: TestStack;
let edge: NonNullable<TestStack["stack"]["edge"]>;
let shop: Project;
/** Ids of the versions that npm start built, older first. */
let built: string[];

beforeAll(async () => {
  tailrace = await startTestStack({ demo: true });
  edge = tailrace.stack.edge as typeof edge;
  shop = createProject(edge, ["storefront", "shared", "checkout", "stock"]);
  built = (await listed()).map(({ id }) => id);
});
afterAll(async () => {
  shop?.remove();
  await tailrace?.stop();
});

interface ListedVersion {
  id: string;
  number: number;
  annotations: Record<string, string>;
}
interface Answer<T> {
  success: boolean;
  errors: { code: number }[];
  result: T;
}

const ask = (path: string, init: RequestInit = {}, token = edge.token) =>
  fetch(`${edge.apiUrl}/accounts/${edge.accountId}/workers/${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}` },
  });
async function read<T>(path: string): Promise<T> {
  return ((await (await ask(path)).json()) as Answer<T>).result;
}
/** Older first, as wrangler lists them. */
const listed = async (script = SCRIPT) =>
  (await read<{ items: ListedVersion[] }>(`scripts/${script}/versions?deployable=true`)).items.reverse();

async function ok(running: Promise<WranglerResult>): Promise<WranglerResult> {
  const result = await running;
  expect(result.code, result.said).toBe(0);
  return result;
}

/** A storefront that says this release, uploaded and not deployed. @returns its id */
async function upload(release: string): Promise<string> {
  const source = readFileSync("demo/storefront/src/v1.ts", "utf8").replaceAll("1.4.2", release);
  shop.write("src/v1.ts", source);
  const args = ["versions", "upload", "--tag", `v${release}`, "--message", `Release ${release}`];
  const { said } = await ok(shop.wrangler(args));
  return /Worker Version ID: (\S+)/.exec(said)?.[1] ?? "";
}

const visit = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${new URL(tailrace.stack.shopUrl ?? "").port}${path}`, {
    ...init,
    headers: { ...headers, ...(init.headers as Record<string, string>) },
  });

/** The release that answers. */
async function release(headers: Record<string, string> = {}): Promise<string> {
  return /Storefront ([\w.]+)/.exec(await (await visit("/", headers)).text())?.[1] ?? "none";
}
const releases = async (count: number, headers: (n: number) => Record<string, string> = () => ({})) =>
  Promise.all(Array.from({ length: count }, (_, n) => release(headers(n))));

const settled = (wanted: string, headers = {}) =>
  until(
    () => release(headers),
    (found) => found === wanted,
    DEADLINE_MS,
  );

test("a version is uploaded, given to one visitor in ten, and taken back", async () => {
  const id = await upload("3.0.0");
  const all = JSON.parse((await ok(shop.wrangler(["versions", "list", "--json"]))).stdout) as ListedVersion[];
  expect(all).toEqual(await listed());
  expect(all.at(-1)).toMatchObject({ id, annotations: { "workers/tag": "v3.0.0" } });
  // Uploaded is not deployed: not even for whoever asks for it.
  const override = { "Cloudflare-Workers-Version-Overrides": `${SCRIPT}="${id}"` };
  expect(await release(override)).not.toBe("3.0.0");

  const [old] = built;
  const split = ["versions", "deploy", `${old}@90%`, `${id}@10%`, "--yes", "--message", "one in ten"];
  expect((await ok(shop.wrangler(split))).said).toContain(`version ${id} at 10%`);
  const { said } = await ok(shop.wrangler(["deployments", "status"]));
  expect(said).toMatch(new RegExp(`one in ten[\\s\\S]*\\(90%\\) ${old}[\\s\\S]*\\(10%\\) ${id}[\\s\\S]*v3\\.0\\.0`));

  // Real answers, in these proportions; a key stays with its version; whoever asks for a version has it.
  await settled("3.0.0", override);
  const drawn = (await releases(400)).filter((name) => name === "3.0.0").length;
  expect(drawn).toBeGreaterThan(10);
  expect(drawn).toBeLessThan(90);
  const keyed = (n: number) => ({ "Cloudflare-Workers-Version-Key": `visitor-${n}` });
  expect(await releases(100, keyed)).toEqual(await releases(100, keyed));

  expect((await ok(shop.wrangler(["rollback", "--yes"]))).said).toContain(
    `${old} has been deployed to 100% of traffic`,
  );
  await settled("1.4.2");
  expect(new Set(await releases(50))).toEqual(new Set(["1.4.2"]));
  const history = (await ok(shop.wrangler(["deployments", "list"]))).said;
  expect(history).toContain("one in ten");
  expect(history).toContain("Rollback");
});

test("what is uploaded has the shop's bindings, and its telemetry says which version it was", async () => {
  const id = await upload("3.1.0");
  const versions = [
    { version_id: built[0], percentage: 100 },
    { version_id: id, percentage: 0 },
  ];
  await ask(`scripts/${SCRIPT}/deployments`, {
    method: "POST",
    body: JSON.stringify({ strategy: "percentage", versions }),
  });
  const headers = {
    "Cloudflare-Workers-Version-Overrides": `${SCRIPT}="${id}"`,
    cookie: "session=s-edge-test; user=u-1003",
    "content-type": "application/json",
  };
  await settled("3.1.0", headers);
  const post = (path: string, body: object) => visit(path, headers, { method: "POST", body: JSON.stringify(body) });
  // Durable Object and KV, then RPC to the checkout, its objects, its queue.
  const cart = await post("/api/cart", { sku: "KI-1001", quantity: 1 });
  expect(await cart.json()).toMatchObject({ lines: [{ sku: "KI-1001" }] });
  const paid = await until(
    () => post("/api/checkout", { method: "invoice", email: "a@b.example" }),
    ({ status }) => status === 201,
    DEADLINE_MS,
  );
  expect(paid.status).toBe(201);

  const query = `script:${SCRIPT} version:${id} version_tag:v3.1.0 duration_ms:>0 | stats count()`;
  await until(
    () => tailrace.client.number(query),
    (count) => count > 0,
    DEADLINE_MS,
  );
  const view = await ok(shop.wrangler(["versions", "view", id]));
  for (const bound of ["CARTS", "STOCK", "shop-checkout", "SEARCH_API_KEY"]) expect(view.said).toContain(bound);
});

test("code that does not start is refused, with the line", async () => {
  const before = await listed();
  shop.write(
    "src/broken.ts",
    'const shelf: { first: { id: string } } = JSON.parse("{}");\n\nexport const id = shelf.first.id;\nexport default { fetch: () => new Response(id) };\n',
  );
  shop.write("src/nothing.ts", "export const answer = 42;\n");
  const [thrown, nothing] = await Promise.all([
    shop.wrangler(["versions", "upload", "src/broken.ts"]),
    shop.wrangler(["versions", "upload", "src/nothing.ts"]),
  ]);
  expect(thrown.code).toBe(1);
  expect(thrown.said).toMatch(
    /Uncaught TypeError: Cannot read properties of undefined \(reading 'id'\)[\s\S]*broken\.ts:3[\s\S]*10021/,
  );
  expect(nothing.said).toMatch(/10021/);
  expect(await listed()).toEqual(before);
});

test("what Cloudflare refuses to deploy is refused", async () => {
  const [first, second] = built as [string, string];
  const post = async (script: string, versions: object[], token?: string) => {
    const body = JSON.stringify({ strategy: "percentage", versions });
    const response = await ask(`scripts/${script}/deployments`, { method: "POST", body }, token);
    const { success, errors } = (await response.json()) as Answer<unknown>;
    expect(success).toBe(response.ok);
    return [response.status, errors[0]?.code];
  };
  const share = (version_id: string, percentage: number) => ({ version_id, percentage });
  const unknown = "00000000-0000-4000-8000-000000000000";
  const before = await read(`scripts/${SCRIPT}/deployments`);
  expect(await post("nobody", [])).toEqual([404, 10007]);
  expect(await post(SCRIPT, [share(unknown, 100)])).toEqual([404, 10222]);
  expect((await post(SCRIPT, [share(first, 50), share(second, 40)]))[0]).toBe(400);
  expect((await post(SCRIPT, [share(first, 40), share(second, 40), share(unknown, 20)]))[0]).toBe(400);
  expect((await post(SCRIPT, [share(first, 50), share(first, 50)]))[0]).toBe(400);
  expect((await post(SCRIPT, [share(first, 100)], "another-token"))[0]).toBe(403);
  expect(await read(`scripts/${SCRIPT}/deployments`)).toEqual(before);
});

test.concurrent("a changed secret is a new version, and stands in the way of going back until that is confirmed", async () => {
  const worker = createProject(edge);
  worker.write(
    "wrangler.toml",
    'name = "greeter"\nmain = "index.ts"\ncompatibility_date = "2026-11-01"\n[vars]\nGREETING = "hello"\n',
  );
  worker.write(
    "index.ts",
    [
      "interface Env { GREETING: string; NAME?: string }",
      "const greet = ({ GREETING, NAME = 'nobody' }: Env) => [GREETING, NAME].join(' ');",
      "export default { fetch: (_: Request, env: Env) => new Response(greet(env)) };",
    ].join("\n"),
  );
  const greeting = async () => (await visit("/", { "x-demo-worker": "greeter" })).text();
  await ok(worker.wrangler(["deploy"]));
  expect(await greeting()).toBe("hello nobody");
  await ok(worker.wrangler(["secret", "put", "NAME"], "world"));
  expect(await greeting()).toBe("hello world");
  const [first, second, ...more] = await listed("greeter");
  expect(more).toEqual([]);
  expect(second?.annotations["workers/triggered_by"]).toBe("secret");
  const [view, secrets] = await Promise.all([
    ok(worker.wrangler(["versions", "view", second?.id ?? "", "--json"])),
    ok(worker.wrangler(["versions", "secret", "list", "--latest-version"])),
  ]);
  expect(view.said).not.toContain("world");
  expect(secrets.said).toContain("Secret Name: NAME");

  const back = await ok(worker.wrangler(["rollback", first?.id ?? "", "--yes"]));
  expect(back.said).toMatch(/secrets have changed[\s\S]*\* NAME/);
  expect(await greeting()).toBe("hello nobody");
  // The newest version is not what everyone has: Cloudflare changes no secret then.
  const refused = await worker.wrangler(["secret", "put", "NAME"], "moon");
  expect(refused.said).toContain("the latest version of your Worker isn't currently deployed");
  worker.remove();
});

test.concurrent("a secret of a Worker that only the launcher can run is kept: a version with the same code, which goes on", async () => {
  const project = createProject(edge);
  project.write("wrangler.toml", 'name = "shop-orders"\nmain = "index.ts"\ncompatibility_date = "2026-11-01"\n');
  const answered = async () => (await visit("/nothing", { "x-demo-worker": "shop-orders" })).status;
  const [before, status] = await Promise.all([listed("shop-orders"), answered()]);
  await ok(project.wrangler(["secret", "put", "ORDERS_KEY"], "kept"));
  const after = await listed("shop-orders");
  expect(after.map(({ id }) => id)).toEqual([...before.map(({ id }) => id), expect.any(String)]);
  expect((await ok(project.wrangler(["secret", "list"]))).said).toContain("ORDERS_KEY");
  const live = await read<{ deployments: { versions: { version_id: string }[] }[] }>("scripts/shop-orders/deployments");
  expect(live.deployments[0]?.versions).toMatchObject([{ version_id: after.at(-1)?.id }]);
  expect(await answered()).toBe(status);
  // Going back needs no other code either.
  await ok(project.wrangler(["secret", "delete", "ORDERS_KEY"], "y\n"));
  expect((await ok(project.wrangler(["secret", "list"]))).said).not.toContain("ORDERS_KEY");
  project.remove();
});

test.concurrent("Durable Objects of an uploaded Worker run, keep what they stored, and cannot go back behind their migration", async () => {
  const worker = createProject(edge);
  const toml = 'name = "counter"\nmain = "index.ts"\ncompatibility_date = "2026-11-01"\n';
  const objects =
    '[[durable_objects.bindings]]\nname = "COUNTER"\nclass_name = "Counter"\n[[migrations]]\ntag = "v1"\nnew_sqlite_classes = ["Counter"]\n';
  const code = (release: string) => `import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async next() {
    const count = ((await this.ctx.storage.get<number>("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return "${release} " + count;
  }
}
export default {
  async fetch(_: Request, env: { COUNTER: DurableObjectNamespace<Counter> }) {
    const counter = env.COUNTER.get(env.COUNTER.idFromName("all"));
    await counter.next();
    return new Response(await counter.next());
  },
};
`;
  const count = async () => (await visit("/", { "x-demo-worker": "counter" })).text();
  worker.write("wrangler.toml", toml);
  worker.write("index.ts", "export default { fetch: () => new Response('nothing to count') };\n");
  await ok(worker.wrangler(["deploy"]));
  const [before] = await listed("counter");

  worker.write("wrangler.toml", toml + objects);
  worker.write("index.ts", code("one"));
  expect((await worker.wrangler(["versions", "upload"])).said).toMatch(/pending Durable Object migration/);
  await ok(worker.wrangler(["deploy"]));
  expect(await count()).toBe("one 2");
  worker.write("index.ts", code("two"));
  await ok(worker.wrangler(["deploy"]));
  await until(count, (text) => text.startsWith("two"), DEADLINE_MS);
  expect(Number((await count()).split(" ")[1])).toBeGreaterThan(4);

  const back = await worker.wrangler(["rollback", before?.id ?? "", "--yes"]);
  expect(back.said).toMatch(/migration tag[\s\S]*10211/);
  expect(await count()).toMatch(/^two/);
  worker.remove();
});

test.concurrent("what this edge cannot run is refused in plain words", async () => {
  const refused = async (more: string, name = "other", args = ["deploy"]) => {
    const worker = createProject(edge);
    worker.write("index.ts", "export default { fetch: () => new Response('there') };\n");
    const toml = `name = "${name}"\nmain = "index.ts"\ncompatibility_date = "2026-11-01"\n${more}`;
    worker.write("wrangler.toml", toml);
    const { code, said } = await worker.wrangler(args);
    worker.remove();
    expect(code, said).toBe(1);
    return said;
  };
  const [dataset, service, consumer, cron] = await Promise.all([
    refused('[[analytics_engine_datasets]]\nbinding = "B"\n'),
    refused('[[services]]\nbinding = "S"\nservice = "nobody"\n'),
    refused("", "shop-orders", ["versions", "upload"]),
    refused('[triggers]\ncrons = ["0 3 * * *"]\n', "nightly"),
  ]);
  expect(dataset).toContain("bindings of type analytics_engine do not exist here");
  expect(service).toContain('the Worker "nobody", which does not exist');
  expect(consumer).toContain("shop-orders consumes a queue");
  expect(cron).toContain("crons of uploaded Workers are not fired here");
});

test("what npm start built was deployed by a wrangler: who deploys next is not warned of anybody else", async () => {
  const found = await read<{ default_environment: { script: { last_deployed_from: string } } }>(`services/${SCRIPT}`);
  expect(found.default_environment.script.last_deployed_from).toBe("wrangler");
});

test("the API fails as it is told to", async () => {
  const faults = (list: object[]) =>
    visit("/__edge/faults", {}, { method: "PUT", body: JSON.stringify(list) }).then((response) => response.status);
  expect(await faults([{ path: "/deployments", method: "GET", status: 429, retryAfter: 1 }])).toBe(200);
  const once = () => ask(`scripts/${SCRIPT}/deployments`);
  const limited = await once();
  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "1"]);
  expect((await once()).status).toBe(200);
});
