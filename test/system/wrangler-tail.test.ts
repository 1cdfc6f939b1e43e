/**
 * The unmodified `wrangler tail` against the whole stack: every flag, both
 * formats, stacks in the team's own source; the platform is redeployed in
 * mid-stream; and what it says when something is wrong.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { thrownBy, withEsbuild } from "../support/bundled-app.ts";
import { until } from "../support/client.ts";
import { errorItem, uploadMap, versionId } from "../support/issues.ts";
import { createToken } from "../support/live-load.ts";
import { probeItem } from "../support/probes.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { Wrangler, type WranglerEnd } from "../support/wrangler-tail.ts";

/** wrangler takes seconds to start while both cores are busy. */
const STARTED_MS = 60_000;
const HEARD_MS = 30_000;
/** wrangler tries after 1, 2, 4, 8 and 16 seconds. */
const BACK_MS = 60_000;

type Fields = Record<string, unknown>;

let tailrace: TestStack;
const running: Wrangler[] = [];
beforeAll(async () => {
  tailrace = await startTestStack();
});
afterAll(async () => {
  await Promise.all(running.map((wrangler) => wrangler.kill()));
  await tailrace?.stop();
});

const tailsPath = (script: string) => `/client/v4/accounts/any/workers/scripts/${script}/tails`;

async function openTails(script: string): Promise<{ id: string }[]> {
  const { body } = await tailrace.client.call<{ result: { id: string }[] }>("GET", tailsPath(script));
  return body.result;
}

const hasTails = (script: string, count: number, deadlineMs = STARTED_MS) =>
  until(
    () => openTails(script),
    (tails) => tails.length === count,
    deadlineMs,
  );

function start(args: readonly string[], token?: string): Wrangler {
  const { url } = tailrace.stack;
  const wrangler = new Wrangler(args, token === undefined ? { url } : { url, token });
  running.push(wrangler);
  return wrangler;
}

/** Tails of one Worker, all of them open. */
async function tail(script: string, each: readonly (readonly string[])[]): Promise<Wrangler[]> {
  await tailrace.client.ingest([probeItem(script, "first", 0)]);
  const before = (await openTails(script)).length;
  const wranglers = each.map((flags) => start(["tail", script, ...flags]));
  await hasTails(script, before + each.length);
  return wranglers;
}

interface Shape {
  name: string;
  outcome?: string;
  method?: string;
  headers?: Record<string, string>;
  says?: string;
  version?: string;
}

function itemOf(script: string, { name, outcome = "ok", method = "GET", headers = {}, says = "", version }: Shape) {
  const item = probeItem(script, name, 0) as Fields & { event: { request: Fields }; scriptVersion: Fields };
  const time = Date.now();
  item.outcome = outcome;
  if (outcome === "exception")
    item.exceptions = [{ name: "Error", message: "card declined", timestamp: time, stack: "    at pay (a.js:1:1)" }];
  Object.assign(item.event.request, { method, headers, url: `https://shop.example/${name}` });
  if (version !== undefined) item.scriptVersion.id = version;
  item.logs = [{ timestamp: time, level: "log", message: [`${name} ${says}`.trim()] }];
  return item;
}

const nameOf = (item: Fields): string => {
  const { request } = item.event as { request?: { url: string } };
  return request === undefined ? "" : new URL(request.url).pathname.slice(1);
};
const namesOf = (wrangler: Wrangler): string[] => wrangler.items.map(nameOf);
const hears = (wrangler: Wrangler, name: string, deadlineMs = HEARD_MS) =>
  until(
    async () => namesOf(wrangler),
    (names) => names.includes(name),
    deadlineMs,
  );

test("every flag lets through what it says, alone and with others", async () => {
  const script = "wrangler-flags";
  const version = versionId(2);
  const all: Shape[] = [
    { name: "plain" },
    { name: "failed", outcome: "exception" },
    { name: "cpu", outcome: "exceededCpu" },
    { name: "left", outcome: "canceled" },
    { name: "posted", method: "POST" },
    { name: "put", method: "PUT" },
    { name: "team", headers: { "x-team": "checkout-eu" } },
    { name: "other-team", headers: { "x-team": "search" } },
    { name: "here", headers: { "cf-connecting-ip": "127.0.0.1" } },
    { name: "there", headers: { "cf-connecting-ip": "203.0.113.9" } },
    { name: "said", says: "needle in a haystack" },
    { name: "versioned", version },
    { name: "both", outcome: "exception", method: "POST" },
  ];
  const flags: [flags: string[], names: string[]][] = [
    [[], all.map(({ name }) => name)],
    [
      ["--status", "error"],
      ["failed", "cpu", "both"],
    ],
    [["--status", "canceled"], ["left"]],
    [
      ["--method", "POST", "--method", "put"],
      ["posted", "put", "both"],
    ],
    [
      ["--header", "X-Team"],
      ["team", "other-team"],
    ],
    [["--header", "x-team:checkout-eu"], ["team"]],
    [["--ip", "self"], ["here"]],
    [
      ["--ip", "203.0.113.9", "--ip", "self"],
      ["here", "there"],
    ],
    [["--search", "needle in"], ["said"]],
    [["--version-id", version], ["versioned"]],
    [["--status", "error", "--method", "POST"], ["both"]],
  ];
  const wranglers: Wrangler[] = [];
  // Some at a time: each takes a core to start.
  for (let at = 0; at < flags.length; at += 4) {
    const some = flags.slice(at, at + 4).map(([given]) => [...given, "--format", "json"]);
    wranglers.push(...(await tail(script, some)));
  }
  await tailrace.client.ingest(all.map((shape) => itemOf(script, shape)));
  // What passes every filter comes last: before it, nothing more is to be expected.
  const last = ["exception", "canceled"].map((outcome) =>
    itemOf(script, {
      ...{ name: `last-${outcome}`, outcome, method: "POST", says: "needle in", version },
      headers: { "x-team": "checkout-eu", "cf-connecting-ip": "127.0.0.1" },
    }),
  );
  await tailrace.client.ingest(last);
  for (const [k, [given, names]] of flags.entries()) {
    const wrangler = wranglers[k] as Wrangler;
    const end = given.includes("canceled") ? "last-canceled" : "last-exception";
    await hears(wrangler, end);
    const heard = namesOf(wrangler).filter((name) => !name.startsWith("last") && !name.startsWith("items"));
    // Not in the order in which they were sent: one that failed waits for the source map of its stack.
    expect([given, heard.sort()]).toEqual([given, [...names].sort()]);
  }
  await Promise.all(wranglers.map((wrangler) => wrangler.interrupt()));
});

test("--sampling-rate sends a fair part", async () => {
  const script = "wrangler-sample";
  const [sampled, everything] = (await tail(script, [
    ["--sampling-rate", "0.25", "--format", "json"],
    ["--format", "json"],
  ])) as [Wrangler, Wrangler];
  const items = Array.from({ length: 400 }, (_, n) => itemOf(script, { name: `n${n}` }));
  for (let at = 0; at < items.length; at += 100) await tailrace.client.ingest(items.slice(at, at + 100));
  await until(
    async () => namesOf(everything).length,
    (n) => n >= items.length,
    HEARD_MS,
  );
  await until(
    async () => namesOf(sampled).length,
    (n) => n >= 50,
    HEARD_MS,
  );
  expect(namesOf(sampled).length).toBeLessThan(160);
  await Promise.all([sampled.interrupt(), everything.interrupt()]);
});

test("both formats show the stack in the team's own source", async () => {
  const script = "wrangler-mapped";
  const bundle = await withEsbuild();
  const { name, message, stack = "" } = await thrownBy(bundle, "deep");
  await uploadMap(tailrace.client, script, versionId(1), bundle.map);
  const [json, pretty] = (await tail(script, [
    ["--format", "json"],
    ["--format", "pretty"],
  ])) as [Wrangler, Wrangler];
  const failing = errorItem({ script, version: versionId(1), name, message, stack });
  await tailrace.client.ingest([failing]);
  await until(async () => json.items.some(({ exceptions }) => (exceptions as unknown[]).length > 0), Boolean, HEARD_MS);
  const thrown = json.items.flatMap(({ exceptions }) => exceptions as { stack: string; name: string }[]);
  expect(thrown).toMatchObject([{ name, message, stack: expect.stringMatching(/at priceOf \(.*cart\/line\.ts:\d+/) }]);
  await pretty.prints(/at priceOf \(.*cart\/line\.ts:\d+/, HEARD_MS);
  await pretty.prints(`${name}: ${message}`, HEARD_MS);
  await pretty.prints(/Connected to wrangler-mapped, waiting for logs/, HEARD_MS);
  await Promise.all([json.interrupt(), pretty.interrupt()]);
});

test("it goes on when the platform is redeployed in mid-stream, and misses nothing", async () => {
  const script = "wrangler-redeploy";
  const [wrangler] = (await tail(script, [["--format", "json"]])) as [Wrangler];
  await tailrace.client.ingest([itemOf(script, { name: "before" })]);
  await hears(wrangler, "before");
  await tailrace.stack.reload();
  // Nobody is connected yet.
  await tailrace.client.ingest([itemOf(script, { name: "meanwhile" })]);
  await hears(wrangler, "meanwhile", BACK_MS);
  await tailrace.client.ingest([itemOf(script, { name: "after" })]);
  await hears(wrangler, "after");
  expect(namesOf(wrangler).filter((name) => !name.startsWith("items"))).toEqual(["before", "meanwhile", "after"]);
  expect(wrangler.stderr).toContain("Reconnecting (attempt 1 of 5)");
  expect((await wrangler.interrupt()).code).toBe(0);
});

test("a flood is thinned and told of, failures first, in both formats", async () => {
  const script = "wrangler-flood";
  const [json, pretty] = (await tail(script, [
    ["--format", "json"],
    ["--format", "pretty"],
  ])) as [Wrangler, Wrangler];
  const sent = 3_000;
  const failed = 30;
  const items = Array.from({ length: sent }, (_, n) =>
    itemOf(script, { name: `n${n}`, ...(n % (sent / failed) === 7 ? { outcome: "exception" } : {}) }),
  );
  for (let at = 0; at < items.length; at += 500) await tailrace.client.ingest(items.slice(at, at + 500));
  const notices = () => json.items.filter(({ event }) => "type" in (event as Fields));
  await until(async () => notices().some(({ event }) => (event as Fields).type === "overload-stop"), Boolean, HEARD_MS);
  const shown = json.items.filter((item) => nameOf(item).startsWith("n"));
  const notShown = notices().map(({ event }) => (event as { notShown: { events: number; kinds: Fields } }).notShown);
  const hidden = notShown.reduce((sum, { kinds }) => sum + Number(kinds.invocation ?? 0), 0);
  expect(shown.length + hidden).toBe(sent);
  expect(hidden).toBeGreaterThan(0);
  expect(shown.filter(({ outcome }) => outcome === "exception")).toHaveLength(failed);
  await pretty.prints(/Not shown: [\d,]+ events of wrangler-flood/, HEARD_MS);
  await pretty.prints("everything of wrangler-flood is shown again", HEARD_MS);
  await Promise.all([json.interrupt(), pretty.interrupt()]);
});

test("Ctrl-C ends the tail on the server", async () => {
  const script = "wrangler-end";
  const [wrangler] = (await tail(script, [["--format", "pretty"]])) as [Wrangler];
  const { code, stdout } = await wrangler.interrupt();
  expect([code, stdout]).toEqual([0, expect.stringContaining("Stopping tail...")]);
  await hasTails(script, 0);
});

test("without a terminal it writes JSON, and with a token that reads it needs no more", async () => {
  const script = "wrangler-plain";
  const { token } = await createToken(tailrace.client);
  await tailrace.client.ingest([itemOf(script, { name: "first" })]);
  const wrangler = start(["tail", script], token);
  await until(
    async () => {
      await tailrace.client.ingest([itemOf(script, { name: "again" })]);
      return namesOf(wrangler).length;
    },
    (n) => n > 0,
    STARTED_MS,
  );
  expect((await wrangler.interrupt()).code).toBe(0);
});

test("what is wrong is said in words, with Cloudflare's code", async () => {
  const script = "wrangler-wrong";
  await tailrace.client.ingest([itemOf(script, { name: "first" })]);
  const { token: mayNot } = await createToken(tailrace.client, "ingest");
  const wrong = [
    start(["tail", script], "trl_wrong"),
    start(["tail", script], mayNot),
    start(["tail", "wrangler-wrogn"]),
    start(["tail", "shop.example/*"]),
    start(["deployments", "list", "--name", script]),
  ];
  const ends = await Promise.all(wrong.map((wrangler) => wrangler.ended));
  const said = ({ code, stdout, stderr }: WranglerEnd) => [code, `${stdout}${stderr}`.replaceAll(/\s+/g, " ")];
  expect(ends.map(said)).toEqual([
    [1, expect.stringMatching(/Authentication error: This credential is unknown.*\[code: 10000\]/)],
    [1, expect.stringMatching(/needs the scope `read`.*\[code: 10000\]/)],
    [1, expect.stringMatching(/nothing of a Worker called wrangler-wrogn\..*wrangler-wrong.*\[code: 10007\]/)],
    [1, expect.stringMatching(/knows Workers by their names/)],
    [1, expect.stringMatching(/unset CLOUDFLARE_API_BASE_URL.*\[code: 7003\]/)],
  ]);
});

test("the address of a socket is good once, and in no log", async () => {
  const script = "wrangler-once";
  await tailrace.client.ingest([itemOf(script, { name: "first" })]);
  const { body } = await tailrace.client.call<{ result: { url: string } }>("POST", tailsPath(script), "{}");
  const open = () =>
    new Promise<number>((resolve) => {
      const socket = new WebSocket(body.result.url.replace("localhost", "127.0.0.1"), "trace-v1");
      socket.once("open", () => {
        socket.terminate();
        resolve(101);
      });
      socket.once("unexpected-response", (request, response) => {
        request.destroy();
        resolve(response.statusCode ?? 0);
      });
      socket.on("error", () => {});
    });
  expect(await open()).toBe(101);
  expect(await open()).toBe(401);
  const secret = new URL(body.result.url).searchParams.get("secret") ?? "";
  expect(secret).toMatch(/^[\w-]{43}$/);
  // Nor in what was said of all the other tails here.
  const log = existsSync(join(tailrace.data, "workers.log"))
    ? readFileSync(join(tailrace.data, "workers.log"), "utf8")
    : "";
  expect(log).not.toContain(secret);
  expect(log).not.toContain("secret=");
});
