/**
 * The guarded request inside workerd, as it runs in production, against a receiver
 * that does what receivers should not. (test/unit has the same in Node, with more
 * cases: workerd's fetch differs in how it breaks.)
 */
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FailureKind, OutgoingRequest } from "../../workers/integrations/contract.ts";
import { HostileReceiver } from "../support/hostile-receiver.ts";

const SECRET = "tr-Secret/That+Must=Stay&Here-0123456789";
const TIMEOUT_MS = 700;

const WORKER = `
  import { createRequest } from "./workers/delivery/egress/request.ts";
  import { createLookUp } from "./workers/delivery/egress/names.ts";
  const lookUp = createLookUp(async () => ["10.0.0.7"]);
  export default {
    async fetch(incoming, env) {
      const { strict, ...request } = await incoming.json();
      const answer = await createRequest({ allowLoopback: !strict, secrets: [env.SECRET], ...(strict ? { lookUp } : {}) })(request);
      if (!answer.ok) return Response.json(answer);
      const { status, headers, text, bytes, cut } = answer;
      return Response.json({ ok: true, status, headers: [...headers], text, length: bytes.length, cut });
    },
  };`;

interface Told {
  ok: boolean;
  status?: number;
  text?: string;
  length?: number;
  cut?: boolean;
  headers?: [string, string][];
  failure?: { kind: FailureKind; message: string; status: number };
}

let runtime: Miniflare;
let receiver: HostileReceiver;

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: WORKER, resolveDir: process.cwd(), loader: "ts" },
    ...{ bundle: true, write: false, format: "esm", target: "es2024", external: ["node:*"] },
  });
  runtime = new Miniflare(
    convertV4MiniflareOptions({
      ...{ modules: true, script: outputFiles[0]?.text ?? "", bindings: { SECRET }, cf: false },
      ...{ compatibilityDate: "2026-11-01", compatibilityFlags: ["nodejs_compat"] },
    }),
  );
  receiver = await HostileReceiver.start();
});
afterAll(async () => {
  await runtime?.dispose();
  await receiver?.stop();
});
beforeEach(() => {
  receiver.behave({ kind: "answer" });
  receiver.forget();
});

async function ask(request: Partial<OutgoingRequest> & { strict?: boolean } = {}): Promise<Told> {
  const body = JSON.stringify({ url: `${receiver.url}/v1/logs`, timeoutMs: 8_000, ...request });
  const response = await runtime.dispatchFetch("http://egress.test/", { method: "POST", body });
  const text = await response.text();
  expect(text).not.toContain("tr-Secret");
  return JSON.parse(text) as Told;
}

describe("in workerd", () => {
  it("an answer comes back with its status, and says who asked", async () => {
    receiver.behave({ kind: "answer", status: 429, headers: { "retry-after": "3" }, body: "slow down" });
    const told = await ask({ body: "hello", headers: { "x-key": "k" } });
    expect(told).toMatchObject({ ok: true, status: 429, text: "slow down", cut: false });
    expect(told.headers).toContainEqual(["retry-after", "3"]);
    expect(receiver.received[0]?.headers["user-agent"]).toMatch(/^Tailrace\/\d/);
    expect(receiver.received[0]?.body.toString()).toBe("hello");
  });

  it("what hangs, before its answer or in it, or drips, is given up in time", async () => {
    for (const kind of ["hang", "hang-in-body", "drip"] as const) {
      receiver.behave({ kind });
      expect((await ask({ timeoutMs: TIMEOUT_MS })).failure, kind).toMatchObject({ kind: "timeout" });
    }
  });

  it("what never ends, packed or not, is read to its bound", async () => {
    receiver.behave({ kind: "endless" });
    expect(await ask()).toMatchObject({ ok: true, cut: true, length: 64 << 10 });
    receiver.behave({ kind: "gzip-bomb" });
    expect(await ask()).toMatchObject({ ok: true, cut: true, length: 64 << 10 });
  });

  it("what breaks off, closes, resets, cannot be unpacked or is no HTTP is unreachable", async () => {
    for (const kind of ["truncate", "close", "reset", "bad-gzip", "not-http"] as const) {
      receiver.behave({ kind });
      expect((await ask()).failure, kind).toMatchObject({ kind: "unreachable" });
    }
  });

  it("what is not there is unreachable, in words", async () => {
    const gone = await HostileReceiver.start();
    const { url } = gone;
    await gone.stop();
    const { failure } = await ask({ url });
    expect(failure).toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("No connection to 127.0.0.1"),
    });
    expect(failure?.message).not.toContain("reference =");
  });

  it("a header of a megabyte is survived", async () => {
    receiver.behave({ kind: "huge-headers" });
    const told = await ask();
    expect(told.ok || told.failure?.kind === "unreachable").toBe(true);
    receiver.behave({ kind: "answer" });
    expect(await ask()).toMatchObject({ ok: true });
  });

  it("a redirect is not followed, and named", async () => {
    const other = await HostileReceiver.start();
    for (const to of [other.url, "http://169.254.169.254/latest/", "/elsewhere"]) {
      receiver.behave({ kind: "redirect", to, status: 307 });
      expect((await ask()).failure, to).toMatchObject({ kind: "misplaced", status: 307 });
    }
    expect(other.received).toEqual([]);
    await other.stop();
  });

  it("what repeats its request holds no secret", async () => {
    receiver.behave({ kind: "echo" });
    const told = await ask({ headers: { authorization: `Bearer ${SECRET}` }, body: SECRET });
    expect(told.text).toContain("[secret]");
  });

  it("nothing goes to this machine, over http, or to a name that leads inside, unless that is allowed", async () => {
    for (const url of [
      receiver.url,
      "https://localhost/",
      "https://[::ffff:127.0.0.1]/",
      "http://example.com/",
      "https://inside.example.com/",
    ])
      expect((await ask({ url, strict: true })).failure, url).toMatchObject({ kind: "blocked" });
    expect(receiver.received).toEqual([]);
  });
});
