/** A stack on demand: led to the source where the version has a map, and what to do where it has none. */
import { beforeAll, describe, expect, it } from "vitest";
import type { StackAnswer } from "../../../workers/api/contract.ts";
import { hintOf } from "../../../workers/api/issues/stack.ts";
import { appendOf, ingester, invocation } from "../buffer/support.ts";
import { ADMIN, call, errorCode, makeToken } from "./client.ts";
import { addIssue, addVersion } from "./issues-support.ts";

const SCRIPT = "stacked";
const SOURCE = "export function add() {\n  throw new TypeError('x is undefined');\n}\n";
/** The first column of the bundle is the third of line 2. */
const MAP = {
  version: 3,
  file: "index.js",
  sources: ["src/cart.ts"],
  sourcesContent: [SOURCE],
  names: [],
  mappings: "AACE",
};
const RAW = "TypeError: x is undefined\n    at a (index.js:1:1)\n    at async Object.fetch (index.js:1:1)";
const FRAMES_ONLY = "    at a (index.js:1:1)";

async function put(version: string): Promise<void> {
  const path = `/api/v1/workers/${SCRIPT}/versions/${version}/sourcemaps/index.js`;
  const response = await call(path, { method: "PUT", token: ADMIN, body: MAP });
  expect(response.status, await response.text()).toBeLessThan(300);
}
async function get(path: string): Promise<StackAnswer> {
  const response = await call(path, { token: ADMIN });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as StackAnswer;
}

let id = 0;
const occurrence = invocation(SCRIPT, Date.now() * 1000, {
  ...{ kind: "log", seq: 2, version_id: "without", fingerprint: "v1-s", message: "it broke TypeError: x is undefined" },
  stack: FRAMES_ONLY,
  attributes: { "error.type": "TypeError", "error.message": "x is undefined" },
});
beforeAll(async () => {
  id = await addIssue({ script: SCRIPT, fingerprints: ["v1-s"] });
  await addVersion("v1-s", "with", { lastSeen: Date.now() - 1000, exemplar: { stack: RAW }, tag: "two" });
  await addVersion("v1-s", "older", { lastSeen: Date.now() - 2000, exemplar: { stack: RAW } });
  await ingester(SCRIPT).append(appendOf(SCRIPT, [occurrence]));
  await put("with");
});

describe("the stack of an issue", () => {
  it("is that of the latest version, at the source, with the lines around", async () => {
    const answer = await get(`/api/v1/issues/${id}/stack`);
    expect(answer).toMatchObject({
      version: { id: "with", tag: "two" },
      raw: RAW,
      sourceMap: "mapped",
      hint: "",
      command: "",
      trace: { type: "TypeError", message: "x is undefined", omitted: 0, cause: null, errors: [] },
    });
    const [first, second] = answer.trace.frames;
    expect(first).toMatchObject({
      ...{ file: "src/cart.ts", line: 2, column: 3, inApp: true, mapped: true, isAsync: false },
      raw: { function: "a", file: "index.js", line: 1, column: 1 },
      context: { firstLine: 1 },
    });
    expect(first?.context?.lines[1]).toBe("  throw new TypeError('x is undefined');");
    expect(second).toMatchObject({ isAsync: true });
  });

  it("of a version without a map is as it was printed, and says which command would help", async () => {
    const answer = await get(`/api/v1/issues/${id}/stack?version=older`);
    expect(answer).toMatchObject({ version: { id: "older" }, sourceMap: "missing" });
    expect(answer.trace.frames[0]).toMatchObject({ file: "index.js", line: 1, mapped: false });
    expect(answer.command).toContain(`tailrace sourcemaps upload <dir> --worker ${SCRIPT} --version older`);
    // Words only: the command stands once on a page.
    expect(answer.hint).toMatch(/Upload it/);
    expect(answer.hint).not.toContain("tailrace");
  });

  it("of one occurrence is read from its event", async () => {
    const path = `/api/v1/issues/${id}/stack?invocation=${occurrence.invocation_id}`;
    for (const asked of [path, `${path}&seq=2`])
      expect(await get(asked)).toMatchObject({
        ...{ version: { id: "without" }, raw: FRAMES_ONLY, sourceMap: "missing" },
        trace: { type: "TypeError", message: "x is undefined", frames: [{ function: "a" }] },
      });
    for (const other of [`${path}&seq=9`, `/api/v1/issues/${id}/stack?invocation=${"f".repeat(32)}`]) {
      const response = await call(other, { token: ADMIN });
      expect([response.status, await errorCode(response)]).toEqual([404, "not_found"]);
    }
  });

  it("that nobody has is 404", async () => {
    for (const path of ["/api/v1/issues/9999999/stack", `/api/v1/issues/${id}/stack?version=nope`])
      expect((await call(path, { token: ADMIN })).status, path).toBe(404);
  });

  it("where an error came without one still says what it was", async () => {
    const bare = await addIssue({ script: SCRIPT, fingerprints: ["v1-bare"], kind: "http" });
    await addVersion("v1-bare", "with", { exemplar: { type: "", message: "503 GET /checkout" } });
    const answer = await get(`/api/v1/issues/${bare}/stack`);
    expect(answer).toMatchObject({ raw: "", sourceMap: "none", trace: { message: "503 GET /checkout", frames: [] } });
    expect(answer.hint).toContain("without a stack");
  });
});

describe("any stack", () => {
  const symbolicate = (body: unknown, token = ADMIN) => call("/api/v1/symbolicate", { method: "POST", token, body });

  it("of a file that none of the version's maps is for says so", async () => {
    const answer = await symbolicate({ script: SCRIPT, version: "with", stack: "Error: x\n    at a (worker.js:1:1)" });
    const { sourceMap, hint } = (await answer.json()) as StackAnswer;
    expect(sourceMap).toBe("missing");
    expect(hint).toMatch(/are of other files /);
  });

  it("is led to the source for who may read", async () => {
    const { token } = await makeToken("read");
    const answer = (await (
      await symbolicate({ script: SCRIPT, version: "with", stack: RAW }, token)
    ).json()) as StackAnswer;
    expect(answer).toMatchObject({ sourceMap: "mapped", trace: { frames: [{ file: "src/cart.ts" }, {}] } });
    for (const scope of ["deploy", "ingest"] as const)
      expect(
        (await symbolicate({ script: SCRIPT, version: "with", stack: RAW }, (await makeToken(scope)).token)).status,
      ).toBe(403);
  });

  it("is bounded, and whatever it is, answered", async () => {
    expect((await symbolicate({ script: SCRIPT, version: "with", stack: "x".repeat(300_000) })).status).toBe(413);
    const many = `Error: deep\n${"    at a (index.js:1:1)\n".repeat(8_000)}`;
    const { trace } = (await (
      await symbolicate({ script: SCRIPT, version: "with", stack: many })
    ).json()) as StackAnswer;
    expect(trace.frames.length).toBeLessThanOrEqual(250);
    expect(trace.frames.length + trace.omitted).toBe(8_000);
    for (const stack of ["", "at", "\n".repeat(9_000), "Error: \u0000\ud800", `at ${"(".repeat(9_000)}`])
      expect((await symbolicate({ script: SCRIPT, version: "", stack })).status).toBe(200);
    expect((await symbolicate({ script: SCRIPT, stack: RAW })).status).toBe(400);
  });
});

it("the command of a hint can be pasted, whatever the names are", () => {
  const version = { id: "a b; rm -rf 'x'", tag: "", message: "" };
  expect(hintOf("missing", { script: "shop", version, raw: "x" }).command).toContain(
    String.raw`--worker shop --version 'a b; rm -rf '\''x'\'''`,
  );
  expect(hintOf("missing", { script: "shop", version: { ...version, id: "" }, raw: "x" }).command).toBe("");
});
