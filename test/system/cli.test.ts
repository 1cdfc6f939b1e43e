/** `tailrace sourcemaps` as a process against a real platform: what it uploads, what it says, and what it survives. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SourceMapsAnswer, TokenCreated } from "../../workers/api/contract.ts";
import { FaultyProxy, runCli, startCli } from "../support/cli.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

let tailrace: TestStack;
let root: string;
beforeAll(async () => {
  tailrace = await startTestStack();
  root = mkdtempSync(join(tmpdir(), "tailrace-cli-"));
});
afterAll(async () => {
  await tailrace?.stop();
  rmSync(root, { recursive: true, force: true });
});

const url = () => tailrace.stack.url;

/** A build's directory with one bundle. */
function build(name: string, files: Record<string, string>): string {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name, file)), { recursive: true });
    writeFileSync(join(root, name, file), text);
  }
  return join(root, name);
}
const CODE = "function add(o){return o.a.b}add({});\n//# sourceMappingURL=index.js.map\n";
const map = (content = "function add(o) {\n  return o.a.b;\n}\nadd({});\n", more: object = {}) =>
  JSON.stringify({
    version: 3,
    sources: ["../src/add.ts"],
    sourcesContent: [content],
    names: ["add"],
    mappings: "AAAA,SAASA,IAAI,GACX,OAAO,EAAE,EAAE,CAAC,CAEd,IAAI,CAAC,CAAC",
    ...more,
  });

const VERSION = "11111111-2222-4333-8444-555555555555";
const target = (worker: string, version = VERSION) => ["--worker", worker, "--version", version];
const upload = (directory: string, worker: string, options: Partial<Parameters<typeof runCli>[1]> = {}) =>
  runCli(["sourcemaps", "upload", directory, ...target(worker)], { url: url(), ...options });

async function stored(worker: string, version = VERSION) {
  const { body } = await tailrace.client.call<SourceMapsAnswer>(
    "GET",
    `/api/v1/workers/${worker}/versions/${version}/sourcemaps`,
  );
  return body.maps;
}

/** Text that compresses badly, so that the seekable form is large as well. */
function longText(bytes: number): string {
  let state = 1;
  const lines: string[] = [];
  for (let length = 0; length < bytes; length += 80) {
    let line = "";
    while (line.length < 79) {
      state = Math.imul(state, 1_103_515_245) + 12_345;
      line += (state >>> 8).toString(36);
    }
    lines.push(line.slice(0, 79));
  }
  return lines.join("\n");
}

describe("an upload", () => {
  test("for a tag says that no error will name it, and is done", async () => {
    const directory = build("tagged", { "index.js": CODE, "index.js.map": map("// tagged\n") });
    const done = await runCli(["sourcemaps", "upload", directory, ...target("tagged", "v1.5.0")], { url: url() });
    expect(done).toMatchObject({ code: 0, stderr: expect.stringMatching(/warning: v1\.5\.0 is no version id/) });
    expect(await stored("tagged", "v1.5.0")).toHaveLength(1);
  });

  test("stores every bundle of a directory, and repeated it sends nothing", async () => {
    const directory = build("several", {
      "index.js": CODE,
      "index.js.map": map(),
      "chunks/a.js": CODE.replace("index.js.map", "a.js.map"),
      "chunks/a.js.map": map("// another\n"),
      "inline.js": `${CODE.split("\n")[0]}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map("// inline\n")).toString("base64")}\n`,
    });
    const first = await upload(directory, "several");
    expect(first.stderr).not.toMatch(/warning|error/);
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toMatch(/index\.js .*: uploaded/);
    expect(first.stdout).toMatch(/3 source maps uploaded .* for version [-0-9]+ of several/);
    const maps = await stored("several");
    expect(maps.map(({ file }) => file)).toEqual(["chunks/a.js", "index.js", "inline.js"]);

    const again = await upload(directory, "several");
    expect(again.stdout).toMatch(/3 source maps in place, nothing had to be sent/);
    expect(await stored("several")).toEqual(maps);

    const list = await runCli(["sourcemaps", "list", ...target("several")], { url: url() });
    expect(list.stdout).toMatch(/^index\.js +.*1 source, /m);
    const none = await runCli(["sourcemaps", "list", ...target("several", "v2")], { url: url() });
    expect(none.stdout).toContain("Version v2 of several has no source maps.");
  });

  test("names the functions of the code beside the map, and takes an index map", async () => {
    const sections = [{ offset: { line: 0, column: 0 }, map: JSON.parse(map()) }];
    const directory = build("index-map", {
      "index.js": CODE,
      "index.js.map": JSON.stringify({ version: 3, file: "index.js", sections }),
    });
    expect((await upload(directory, "index-map")).code).toBe(0);
    const { body } = await tailrace.client.call<{
      trace: { frames: { file: string; line: number; function: string }[] };
    }>(
      "POST",
      "/api/v1/symbolicate",
      JSON.stringify({ script: "index-map", version: VERSION, stack: "TypeError: x\n    at t (index.js:1:24)" }),
      { "content-type": "application/json" },
    );
    expect(body.trace.frames[0]).toMatchObject({ file: "src/add.ts", line: 2, function: "add" });
  });

  test("names an invalid map and what is wrong with it, and uploads the others", async () => {
    const directory = build("invalid", {
      "good.js": CODE.replace("index.js.map", "good.js.map"),
      "good.js.map": map(),
      "cut.js.map": map().slice(0, 60),
      "vlq.js.map": map("", { mappings: "AAAA,A*A" }),
    });
    const { code, stderr, stdout } = await upload(directory, "invalid");
    expect(code).toBe(1);
    expect(stderr).toMatch(/error: cut\.js\.map is no valid source map: .*JSON/);
    expect(stderr).toMatch(/error: vlq\.js\.map is no valid source map: /);
    expect(stderr).toMatch(/2 of 3 source maps could not be uploaded: cut\.js\.map, vlq\.js\.map/);
    expect(stdout).toMatch(/good\.js .*: in place already|good\.js .*: uploaded/);
    expect((await stored("invalid")).map(({ file }) => file)).toEqual(["good.js"]);
  });

  test("of a map that belongs to another build is refused", async () => {
    const directory = build("mixed", {
      "index.js": `${CODE}//# debugId=11111111-1111-4111-8111-111111111111\n`,
      "index.js.map": map("", { debugId: "22222222-2222-4222-8222-222222222222" }),
    });
    const { code, stderr } = await upload(directory, "mixed");
    expect(code).toBe(1);
    expect(stderr).toMatch(/index\.js\.map .*2222.* 1*1111.*two builds/);
  });
});

describe("a large map", () => {
  const PART_BYTES = 8 << 20;

  test("goes on where a killed upload ended, from what the platform has", async () => {
    const directory = build("large", { "index.js": CODE, "index.js.map": map(longText(4 * PART_BYTES)) });
    let stop: () => void = () => {};
    const twoParts = new Promise<void>((done) => {
      stop = done;
    });
    let sending = 0;
    // Two parts get through; nothing after them does.
    const proxy = await FaultyProxy.start(url(), (request) => {
      if (!request.startsWith("PUT")) return "pass";
      sending++;
      if (sending === 3) stop();
      return sending <= 2 ? "pass" : "hold";
    });
    const { child, ended } = startCli(["sourcemaps", "upload", directory, ...target("large")], { url: proxy.url });
    await twoParts;
    const db = await tailrace.stack.mf.getD1Database("DB", "tailrace");
    for (;;) {
      const done = await db.prepare("SELECT count(*) AS n FROM source_map_parts").first("n");
      if (done === 2) break;
      await new Promise((wait) => setTimeout(wait, 20));
    }
    child.kill("SIGKILL");
    expect((await ended).code).toBeNull();
    await proxy.stop();
    expect(await stored("large")).toEqual([]);

    const recorder = await FaultyProxy.start(url(), () => "pass");
    const resumed = await upload(directory, "large", { url: recorder.url });
    await recorder.stop();
    expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
    expect(resumed.stdout).toMatch(/[\d.]+ MB were there already/);
    const [info] = await stored("large");
    const parts = (bytes = 0) => Math.ceil(bytes / PART_BYTES);
    const sent = recorder.seen.filter((request) => request.startsWith("PUT")).length;
    expect(sent).toBe(parts(info?.bytes) + parts(info?.seekableBytes) - 2);
    const again = await upload(directory, "large");
    expect(again.stdout).toMatch(/in place already/);
  });

  test("gets through a platform that fails now and then, and says that it tries again", async () => {
    const directory = build("flaky", { "index.js": CODE, "index.js.map": map(longText(9_000_000)) });
    const proxy = await FaultyProxy.start(url(), (request, nth) => {
      if (nth > 1) return "pass";
      if (request.endsWith("/blobs")) return { status: 503, headers: { "retry-after": "0" } };
      if (request.endsWith("/1")) return "cut";
      return request.endsWith("/sourcemaps") ? { status: 502 } : "pass";
    });
    const { code, stderr } = await upload(directory, "flaky", { url: proxy.url });
    await proxy.stop();
    expect(stderr).toMatch(/503 .*trying again in/);
    expect(stderr).toMatch(/trying again in .*s\n/);
    expect(code).toBe(0);
    expect(await stored("flaky")).toHaveLength(1);
  });
});

describe("what is wrong is told with what to do", () => {
  const small = () => build("small", { "index.js": CODE, "index.js.map": map() });

  test("a token that nobody made, and one that only reads", async () => {
    const unknown = await upload(small(), "refused", { token: "trl_unknown" });
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.stderr).toMatch(/does not know the token \(401\).*TAILRACE_TOKEN/);
    const { body } = await tailrace.client.call<TokenCreated>(
      "POST",
      "/api/v1/tokens",
      JSON.stringify({ name: "reads", scope: "read" }),
      { "content-type": "application/json" },
    );
    const reading = await upload(small(), "refused", { token: body.token });
    expect(reading).toMatchObject({ code: 2 });
    expect(reading.stderr).toMatch(/scope read.*deploy/);
  });

  test("an address where nothing listens, and one that is something else", async () => {
    const proxy = await FaultyProxy.start(url(), () => ({ status: 404 }));
    const other = await upload(small(), "nowhere", { url: proxy.url });
    expect(other.stderr).toMatch(/no such route \(404\)\. Is TAILRACE_URL the address of Tailrace\?/);
    await proxy.stop();
    const nobody = await runCli(["sourcemaps", "list", ...target("nowhere")], { url: "not an address" });
    expect(nobody).toMatchObject({ code: 2 });
    expect(nobody.stderr).toMatch(/TAILRACE_URL must be the address/);
  });

  test("a redirect, as Cloudflare Access answers", async () => {
    const headers = { location: "https://team.cloudflareaccess.com/cdn-cgi/access/login?x=1" };
    const proxy = await FaultyProxy.start(url(), () => ({ status: 302, headers }));
    const { code, stderr } = await upload(small(), "access", { url: proxy.url });
    await proxy.stop();
    expect(code).toBe(1);
    expect(stderr).toMatch(/Cloudflare Access stands in front/);
  });

  test("a directory without maps, and none at all", async () => {
    const empty = await upload(build("no-maps", { "index.js": "x();" }), "none");
    expect(empty).toMatchObject({ code: 1 });
    expect(empty.stderr).toMatch(/no source maps: build with them/);
    const gone = await upload(join(root, "nothing"), "none");
    expect(gone).toMatchObject({ code: 2 });
    expect(gone.stderr).toMatch(/is not there/);
  });

  test("variables that are not set", async () => {
    const { code, stderr } = await runCli(["sourcemaps", "upload", "dist", ...target("x")], { url: "" });
    expect(code).toBe(2);
    expect(stderr).toMatch(/TAILRACE_URL is not set/);
  });
});
