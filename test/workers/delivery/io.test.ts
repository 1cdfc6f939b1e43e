/** What integrations reach in a Worker: stacks in the source, numbers of issues, exports, the address of the pages. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readBaseUrl, rememberBaseUrl } from "../../../workers/delivery/io/base-url.ts";
import { createIo } from "../../../workers/delivery/io/io.ts";
import { putMap } from "../issues/bundle.ts";
import { delta, occur } from "../issues/support.ts";

const SOURCE = [
  "export function pay(order) {",
  "  const card = order.card;",
  "  return card.charge();",
  "}",
  "pay({});",
];

/** Column 0 is line 3 of src/pay.ts, column 100 line 2 of a package. */
const MAP = JSON.stringify({
  version: 3,
  sources: ["src/pay.ts", "node_modules/lib/index.js"],
  sourcesContent: [SOURCE.join("\n"), null],
  names: [],
  mappings: "AAEE,oGCDA",
});
const STACK = "    at a (index.js:1:1)\n    at b (index.js:1:101)\n    at fetch (cloudflare:internal:1:2)";

/** Counts what is asked of D1. */
function counted(broken = false) {
  const asked: string[] = [];
  const DB = new Proxy(env.DB, {
    get(on, property) {
      const value = Reflect.get(on, property, on) as unknown;
      if (typeof value !== "function") return value;
      if (property === "prepare") {
        return (query: string) => {
          asked.push(query);
          return on.prepare(query);
        };
      }
      if (property === "batch" && broken) return () => Promise.reject(new Error("D1 is away"));
      return value.bind(on) as unknown;
    },
  });
  return { asked, of: { DB, BUCKET: env.BUCKET, TAILRACE_ALLOW_LOOPBACK: "" as const } };
}

describe("a stack", () => {
  it("is led to the source, with lines around, causes included", async () => {
    await putMap("io-mapped", "v1", MAP);
    const io = await createIo(counted().of, { secrets: [], source: "io-test" });
    const stack = `${STACK}\n  [cause]: RangeError: no card\n      at c (index.js:1:1)`;
    const trace = await io.trace("io-mapped", "v1", stack, { type: "TypeError", message: "card is undefined" });
    expect(trace).toMatchObject({ type: "TypeError", message: "card is undefined", errors: [] });
    expect(trace.frames[0]).toEqual({
      ...{ function: expect.any(String), file: "src/pay.ts", line: 3, column: 3, inApp: true, mapped: true },
      ...{ pre: SOURCE.slice(0, 2), at: SOURCE[2], post: SOURCE.slice(3) },
    });
    expect(trace.frames[1]).toMatchObject({
      file: "node_modules/lib/index.js",
      line: 2,
      inApp: false,
      mapped: true,
      at: "",
    });
    expect(trace.frames[2]).toMatchObject({ inApp: false, mapped: false });
    expect(trace.cause).toMatchObject({
      type: "RangeError",
      message: "no card",
      frames: [{ file: "src/pay.ts", line: 3 }],
    });
    expect(await io.frames("io-mapped", "v1", stack)).toEqual(trace.frames);
  });

  it("that came before is in memory, whatever the error said", async () => {
    await putMap("io-again", "v1", MAP);
    const { asked, of } = counted();
    const io = await createIo(of, { secrets: [], source: "io-test" });
    const say = (message: string) =>
      io.trace("io-again", "v1", `TypeError: ${message}\n${STACK}`, { type: "TypeError", message });
    const first = await say("order 1");
    const { length } = asked;
    const second = await say("order 2");
    expect(asked).toHaveLength(length);
    expect(second.message).toBe("order 2");
    expect(second.frames).toBe(first.frames);
  });

  it("of another version is not led there", async () => {
    const io = await createIo(counted().of, { secrets: [], source: "io-test" });
    expect((await io.frames("io-mapped", "v2", STACK))[0]).toMatchObject({ file: "index.js", mapped: false, at: "" });
  });

  it("stays as V8 printed it while the stores are away", async () => {
    const io = await createIo(counted(true).of, { secrets: [], source: "io-test" });
    expect((await io.frames("io-away", "v1", STACK))[0]).toMatchObject({
      function: "a",
      file: "index.js",
      line: 1,
      column: 1,
    });
  });
});

describe("the number of an issue", () => {
  it("is found for many at once with one statement, then from memory", async () => {
    const names = Array.from({ length: 20 }, (_, i) => `v1-io-${i}`);
    await occur(
      "io-issues",
      names.map((fingerprint) => delta({ script: "io-issues", fingerprint })),
    );
    const { asked, of } = counted();
    const io = await createIo(of, { secrets: [], source: "io-test" });
    const before = asked.length;
    const numbers = await Promise.all(names.map((name) => io.issueOf(name)));
    expect(new Set(numbers).size).toBe(20);
    expect(asked.length - before).toBe(1);
    expect(await io.issueOf(names[0] as string)).toBe(numbers[0]);
    expect(asked.length - before).toBe(1);
  });

  it("is none for a fingerprint without one, and while D1 is away", async () => {
    const io = await createIo(counted().of, { secrets: [], source: "io-test" });
    expect(await io.issueOf("v1-io-unheard-of")).toBeNull();
    const away = await createIo(counted(true).of, { secrets: [], source: "io-test" });
    expect(await away.issueOf("v1-io-away")).toBeNull();
  });
});

describe("an export", () => {
  it.each([
    ["a/b.ndjson", "exports/a/b.ndjson"],
    ["/../../segments/x", "exports/segments/x"],
    ["a//./b\u0000\n.txt", "exports/a/b__.txt"],
  ])("%j lies below exports/", async (key, stored) => {
    const io = await createIo(counted().of, { secrets: [], source: "io-test" });
    await io.putObject(key, "line\n", "text/plain");
    const object = await env.BUCKET.get(stored);
    expect(await object?.text()).toBe("line\n");
    expect(object?.httpMetadata?.contentType).toBe("text/plain");
  });
});

describe("the address of the pages", () => {
  it("is that at which somebody opened them last", async () => {
    await rememberBaseUrl(env.DB, "https://tailrace.example.com/issues?x=1", Date.now());
    expect(await readBaseUrl(env.DB, Date.now() + 3_600_000)).toBe("https://tailrace.example.com");
    await rememberBaseUrl(env.DB, "https://other.example.com/", Date.now());
    const io = await createIo(counted().of, { secrets: [], source: "io-test" });
    expect(io.baseUrl).toBe("https://other.example.com");
  });

  it("is the last that is known while D1 is away", async () => {
    const before = await readBaseUrl(env.DB, Date.now());
    expect(await readBaseUrl(counted(true).of.DB, Date.now() + 3_600_000)).toBe(before);
  });
});
