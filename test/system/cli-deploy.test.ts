/**
 * `tailrace deploy` around the unmodified wrangler, which talks to a stand-in
 * for Cloudflare: the maps of what it deployed are there, under the version that
 * it made, and every way in which it can go wrong says what is deployed.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { SourceMapsAnswer, StackAnswer } from "../../workers/api/contract.ts";
import { type CliOptions, FaultyProxy, runCli } from "../support/cli.ts";
import { CloudflareApi } from "../support/cloudflare-api.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

const SOURCE = `interface Cart { items?: { price: number }[] }

function total(cart: Cart): number {
  return cart.items!.reduce((sum, item) => sum + item.price, 0);
}

export default {
  fetch(): Response {
    return new Response(String(total({})));
  },
};
`;
/** Of `cart.items!.reduce`. */
const FAILING_LINE = 4;

let tailrace: TestStack;
let cloudflare: CloudflareApi;
let project: string;
beforeAll(async () => {
  tailrace = await startTestStack();
  cloudflare = await CloudflareApi.start();
});
afterAll(async () => {
  await Promise.all([tailrace?.stop(), cloudflare?.stop()]);
});

beforeEach(() => {
  cloudflare.versions.length = 0;
  cloudflare.refusal = undefined;
  project = mkdtempSync(join(tmpdir(), "tailrace-project-"));
  mkdirSync(join(project, "src"));
  mkdirSync(join(project, "node_modules/.bin"), { recursive: true });
  symlinkSync(resolve("node_modules/.bin/wrangler"), join(project, "node_modules/.bin/wrangler"));
  writeFileSync(join(project, "src/index.ts"), SOURCE);
  const config = [
    'name = "shop-web"',
    'main = "src/index.ts"',
    'compatibility_date = "2026-11-01"',
    "",
    "[env.staging]",
    "",
  ];
  writeFileSync(join(project, "wrangler.toml"), config.join("\n"));
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

const deploy = (args: string[] = [], options: Partial<CliOptions> = {}) =>
  runCli(["deploy", ...args], {
    url: tailrace.stack.url,
    cwd: project,
    ...options,
    env: { ...cloudflare.env, ...options.env },
  });

async function stored(worker: string, version: string) {
  const path = `/api/v1/workers/${worker}/versions/${version}/sourcemaps`;
  return (await tailrace.client.call<SourceMapsAnswer>("GET", path)).body.maps;
}

/** Where a stack of what was deployed leads. */
async function failingFrame(script: string, version: string, code: string) {
  const line = code.split("\n").findIndex((text) => text.includes(".reduce(")) + 1;
  const column = (code.split("\n")[line - 1]?.indexOf(".reduce(") ?? 0) + 2;
  const stack = `TypeError: Cannot read properties of undefined\n    at total (index.js:${line}:${column})`;
  const { body } = await tailrace.client.call<StackAnswer>(
    "POST",
    "/api/v1/symbolicate",
    JSON.stringify({ script, version, stack }),
    { "content-type": "application/json" },
  );
  return body.trace.frames[0];
}

test("deploys with the project's own wrangler and uploads the maps of the version that it made", async () => {
  const { code, stderr, stdout } = await deploy(["--", "--minify"]);
  expect(code, stderr).toBe(0);
  const [version] = cloudflare.versions;
  expect(version).toMatchObject({ script: "shop-web", isDeployed: true });
  const versionId = version?.versionId ?? "";
  expect(stdout).toContain(`Current Version ID: ${versionId}`);
  expect(stdout).toContain(`1 source map uploaded`);
  expect(await stored("shop-web", versionId)).toMatchObject([{ file: "index.js", sources: 1 }]);
  const frame = await failingFrame(
    "shop-web",
    versionId,
    version?.body.split("\r\n").find((part) => part.includes(".reduce(")) ?? "",
  );
  expect(frame).toMatchObject({ file: "src/index.ts", line: FAILING_LINE, function: "total", inApp: true });
  // Nothing is left of the build.
  expect(readdirSync(join(project, ".wrangler/tailrace"))).toEqual([]);
});

test("uploads a version that is not deployed, either way of saying so", async () => {
  await deploy();
  for (const args of [
    ["--", "versions", "upload", "--tag", "v2"],
    ["--versions-upload", "--", "--tag", "v2"],
  ]) {
    const { code, stderr } = await deploy(args);
    expect(code, stderr).toBe(0);
    const version = cloudflare.versions.at(-1);
    expect(version).toMatchObject({ script: "shop-web", isDeployed: false });
    expect(version?.body).toContain("v2");
    expect(await stored("shop-web", version?.versionId ?? "")).toHaveLength(1);
  }
});

test("goes by what wrangler says: environment, output file and directory of the user's", async () => {
  const output = join(project, "wrangler-output.json");
  writeFileSync(output, `${JSON.stringify({ type: "deploy", worker_name: "other", version_id: "earlier" })}\n`);
  const { code, stderr } = await deploy(["--", "--env", "staging", "--outdir", "out"], {
    env: { WRANGLER_OUTPUT_FILE_PATH: output },
  });
  expect(code, stderr).toBe(0);
  const version = cloudflare.versions.at(-1);
  expect(version?.script).toBe("shop-web-staging");
  expect(await stored("shop-web-staging", version?.versionId ?? "")).toHaveLength(1);
  expect(await stored("other", "earlier")).toEqual([]);
  expect(existsSync(join(project, "out/index.js.map"))).toBe(true);
  expect(readFileSync(output, "utf8")).toContain(version?.versionId);
});

test("writes wrangler's output into the directory that the user named for it", async () => {
  const { code, stderr } = await deploy([], { env: { WRANGLER_OUTPUT_FILE_DIRECTORY: "ci/output" } });
  expect(code, stderr).toBe(0);
  const versionId = cloudflare.versions.at(-1)?.versionId ?? "";
  const [file, ...none] = readdirSync(join(project, "ci/output"));
  expect(none).toEqual([]);
  expect(readFileSync(join(project, "ci/output", file ?? ""), "utf8")).toContain(versionId);
  expect(await stored("shop-web", versionId)).toHaveLength(1);
});

test("the machine's path is in no file's name, also when the output directory is given in full", async () => {
  const { code, stderr } = await deploy(["--", "--outdir", join(project, "dist")]);
  expect(code, stderr).toBe(0);
  const version = cloudflare.versions.at(-1);
  const built = readFileSync(join(project, "dist/index.js"), "utf8");
  const frame = await failingFrame("shop-web", version?.versionId ?? "", built);
  expect(frame).toMatchObject({ file: "src/index.ts", line: FAILING_LINE });
});

test("finds the maps of code that wrangler does not bundle itself, where the build left them", async () => {
  await build({
    entryPoints: [join(project, "src/index.ts")],
    outfile: join(project, "dist/server/index.js"),
    bundle: true,
    format: "esm",
    sourcemap: true,
  });
  const config = ['name = "shop-built"', 'main = "dist/server/index.js"', "no_bundle = true"];
  writeFileSync(join(project, "wrangler.toml"), [...config, 'compatibility_date = "2026-11-01"', ""].join("\n"));
  const { code, stderr } = await deploy();
  expect(code, stderr).toBe(0);
  const versionId = cloudflare.versions.at(-1)?.versionId ?? "";
  expect(await stored("shop-built", versionId)).toMatchObject([{ file: "index.js" }]);
  const built = readFileSync(join(project, "dist/server/index.js"), "utf8");
  expect(await failingFrame("shop-built", versionId, built)).toMatchObject({
    file: "src/index.ts",
    line: FAILING_LINE,
  });
});

test("passes wrangler's failure on, and uploads nothing", async () => {
  cloudflare.refusal = "Uncaught ReferenceError: nope is not defined";
  const { code, stderr } = await deploy();
  expect(code).toBe(1);
  expect(stderr).toMatch(/nope is not defined[\s\S]*wrangler deploy ended with 1: no source maps were uploaded/);
  const unknown = await deploy(["--", "--no-such-option"]);
  expect(unknown.code).not.toBe(0);
  expect(cloudflare.versions).toEqual([]);
});

test("says that the deployment succeeded when only the maps could not be uploaded, and how to upload them", async () => {
  const proxy = await FaultyProxy.start(tailrace.stack.url, (request) =>
    request.includes("/sourcemaps") ? { status: 400 } : "pass",
  );
  const { code, stderr } = await deploy([], { url: proxy.url });
  await proxy.stop();
  expect(code).toBe(3);
  const versionId = cloudflare.versions[0]?.versionId ?? "";
  expect(stderr).toMatch(/The deployment succeeded: shop-web, version/);
  const again = /npx (tailrace sourcemaps upload \S+ --worker shop-web --version \S+)/.exec(stderr)?.[1] ?? "";
  expect(again).toContain(versionId);
  expect(await stored("shop-web", versionId)).toEqual([]);
  const retried = await runCli(again.split(" ").slice(1), { url: tailrace.stack.url, cwd: project });
  expect(retried.code, retried.stderr).toBe(0);
  expect(await stored("shop-web", versionId)).toHaveLength(1);
});

test("deploys nothing with a token that will not do, and all the same when Tailrace is away", async () => {
  const refused = await deploy([], { token: "trl_unknown" });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/\(401\).*Nothing was deployed/);
  expect(cloudflare.versions).toEqual([]);

  let asked = 0;
  const proxy = await FaultyProxy.start(tailrace.stack.url, () => (++asked === 1 ? "cut" : "pass"));
  const { code, stderr } = await deploy([], { url: proxy.url });
  await proxy.stop();
  expect(stderr).toMatch(/warning: .*cannot be reached.*Deploying all the same/);
  expect(code, stderr).toBe(0);
  expect(await stored("shop-web", cloudflare.versions[0]?.versionId ?? "")).toHaveLength(1);
});

test("a dry run, and a command that builds nothing", async () => {
  const dry = await deploy(["--", "--dry-run"]);
  expect(dry.code, dry.stderr).toBe(0);
  expect(dry.stderr).toMatch(/dry run: no version/i);
  expect((await deploy(["--", "versions", "deploy"])).code).toBe(2);
});
