/** `tailrace tail` as a process against a real platform: what it shows, what it says, how it ends, and what it survives. */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { EventJson, TokenCreated } from "../../workers/api/contract.ts";
import { type CliOptions, type Running, startCli } from "../support/cli.ts";
import { until } from "../support/client.ts";
import { probeItem, probeItems } from "../support/probes.ts";
import { freePort, startTestStack, type TestStack } from "../support/stack.ts";

const DEADLINE_MS = 60_000;

let tailrace: TestStack;
const running: Running[] = [];
beforeAll(async () => {
  // The same after a restart: the command knows one address.
  tailrace = await startTestStack({ port: await freePort() });
});
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill("SIGKILL");
});
afterAll(async () => {
  await tailrace?.stop();
});

function start(args: readonly string[], options: Partial<CliOptions> = {}): Running {
  const tail = startCli(["tail", ...args], { url: tailrace.stack.url, ...options });
  running.push(tail);
  return tail;
}

/** Until it has said so on stderr. */
const says = async (tail: Running, what: RegExp) =>
  until(
    async () => tail.printed.stderr,
    (text) => what.test(text),
    DEADLINE_MS,
  );

async function connected(args: readonly string[], options?: Partial<CliOptions>): Promise<Running> {
  const tail = start(args, options);
  await says(tail, /^-- connected/m);
  return tail;
}

const eventsOf = (stdout: string): EventJson[] =>
  stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as EventJson);
const numbersOf = (stdout: string): number[] => eventsOf(stdout).map(({ attributes }) => Number(attributes["probe.n"]));
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Until so many whole lines have come. */
const lines = async (tail: Running, n: number) =>
  until(
    async () => tail.printed.stdout.split("\n").length - 1,
    (count) => count >= n,
    DEADLINE_MS,
  );

describe("what is shown", () => {
  test("elsewhere than on a terminal: NDJSON of the events that match, of that Worker; nothing else on stdout", async () => {
    const tail = await connected(["tail-json", "kind:log", "@probe.n:<20", "--limit", "20"]);
    await tailrace.client.ingest(probeItems("tail-other", { id: "x", size: 5 }));
    await tailrace.client.ingest(probeItems("tail-json", { id: "a", size: 40 }));
    const { code, stdout, stderr } = await tail.ended;
    expect(code).toBe(0);
    expect(numbersOf(stdout).sort((a, b) => a - b)).toEqual(upTo(20));
    expect(eventsOf(stdout)[0]).toMatchObject({ kind: "log", script: "tail-json", level: "info", version_tag: "v1" });
    expect(stderr).toMatch(/connected: kind:log @probe\.n:<20 of tail-json, up to 500 a second/);
    expect(stderr).toMatch(/20 events shown, 0 not shown, 0 gone while away\n$/);
  });

  test("of all Workers, as lines for people: an invocation and under it what it logged", async () => {
    const tail = await connected(["--no-json", "worker:tail-people", "--limit", "2"]);
    await tailrace.client.ingest([probeItem("tail-people", "b", 7)]);
    const { code, stdout } = await tail.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^[\d:.]{12} tail-people v1 GET \/items\/7 {2}200 {2}2\.5 ms {2}LHR\n[\d:.]{12} {3}info {3}/,
    );
  });

  test("escape sequences in what a Worker logs stay text, in JSON as well", async () => {
    const evil = "\u001b]0;pwned\u0007\u009b2J\u202e";
    const item = {
      ...probeItem("tail-evil", "c", 0),
      logs: [{ timestamp: Date.now(), level: "log", message: [evil] }],
    };
    const people = await connected(["tail-evil", "kind:log", "--no-json", "--limit", "1", "--color"]);
    const json = await connected(["tail-evil", "kind:log", "--limit", "1"]);
    await tailrace.client.ingest([item]);
    expect((await people.ended).stdout).toContain("\\x1b]0;pwned\\x07\\x9b2J\\u202e");
    const { stdout } = await json.ended;
    expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    expect(eventsOf(stdout)[0]?.message).toBe(evil);
  });

  test("what happened just before, if asked for", async () => {
    const first = await connected(["tail-since", "kind:log"]);
    await tailrace.client.ingest(probeItems("tail-since", { id: "d", size: 10 }));
    await lines(first, 10);
    const second = start(["tail-since", "kind:log", "--since", "5m", "--limit", "10"]);
    expect(numbersOf((await second.ended).stdout).sort((a, b) => a - b)).toEqual(upTo(10));
  });
});

describe("what it says before it shows anything", () => {
  test("a filter that is not understood: where, and exit code 2", async () => {
    const { code, stdout, stderr } = await start(["shop", "status:>=500", "AND", ")"]).ended;
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^error: the filter is not understood: .*column 18.*\n {2}status:>=500 AND \)\n {19}\^\n$/);
  });

  test("a Worker that nobody has seen: which there are; and it waits for its first event", async () => {
    await tailrace.client.ingest([probeItem("tail-known", "e", 0)]);
    const tail = await connected(["tail-new", "--limit", "1"]);
    await says(tail, /no Worker tail-new was seen .*Known are .*tail-known/);
    await tailrace.client.ingest([probeItem("tail-new", "e", 0)]);
    const { code, stdout } = await tail.ended;
    expect(code).toBe(0);
    expect(eventsOf(stdout)).toMatchObject([{ script: "tail-new" }]);
  });

  test("a token that nobody made", async () => {
    const { code, stderr } = await start(["shop"], { token: "trl_unknown" }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/does not know the token \(401\).*scope read/);
  });

  test("an address where nothing listens: it tries again, until --for", async () => {
    const { code, stderr } = await start(["--for", "1s"], { url: `http://127.0.0.1:${await freePort()}` }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot be reached \(ECONNREFUSED\); trying again in .* s\n/);
    expect(stderr).toMatch(/error: .* could not be reached for 1 s: ECONNREFUSED\n$/);
  });
});

describe("how it ends", () => {
  test("by Ctrl-C: what came has been written, and is summed up", async () => {
    const tail = await connected(["tail-int", "kind:log"]);
    await tailrace.client.ingest(probeItems("tail-int", { id: "f", size: 3 }));
    await lines(tail, 3);
    tail.child.kill("SIGINT");
    const { code, stderr } = await tail.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/\n-- 3 events shown, 0 not shown, 0 gone while away\n$/);
  });

  test("by itself after a time", async () => {
    expect(await start(["tail-int", "--for", "2s"]).ended).toMatchObject({ code: 0, stdout: "" });
  });

  test("quietly when nobody reads its output any more", async () => {
    const tail = await connected(["tail-head", "kind:log"]);
    await tailrace.client.ingest([probeItem("tail-head", "g", 0)]);
    await lines(tail, 1);
    tail.child.stdout?.destroy();
    await tailrace.client.ingest([probeItem("tail-head", "g", 1)]);
    const { code, stderr } = await tail.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^-- connected.*\n(-- no Worker.*\n)?$/);
  });

  test("when its token is revoked: at once, with exit code 1", async () => {
    const { body } = await tailrace.client.call<TokenCreated>(
      "POST",
      "/api/v1/tokens",
      JSON.stringify({ name: "tails", scope: "read" }),
      { "content-type": "application/json" },
    );
    const tail = await connected(["tail-token"], { token: body.token });
    await tailrace.client.call("DELETE", `/api/v1/tokens/${body.id}`);
    const { code, stderr } = await tail.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/error: The token has been revoked or has expired|does not know the token \(401\)/);
  });
});

test("a reader that stands still costs no memory here; what it misses is counted, and everything adds up", async () => {
  const SIZE = 30_000;
  const BATCH = 1_500;
  const tail = await connected(["tail-slow", "kind:log", "--rate", "5000"]);
  const witness = await connected(["tail-slow", "kind:log", "--rate", "1"]);
  // What comes while a viewer is being let in waits until it reads; only from its first event on is it one that may be left behind.
  await tailrace.client.ingest([probeItem("tail-slow", "h", SIZE)]);
  await Promise.all([lines(tail, 1), lines(witness, 1)]);
  const before = residentMb(tail);
  tail.child.stdout?.pause();
  for (let at = 0; at < SIZE; at += BATCH)
    await tailrace.client.ingest(
      upTo(BATCH).map((i) => ({
        ...probeItem("tail-slow", "h", at + i),
        logs: [{ timestamp: Date.now(), level: "info", message: ["x".repeat(900), { probe: { n: at + i } }] }],
      })),
    );
  // All of it has been on offer, and whoever reads has heard of it.
  await accounted(witness, SIZE + 1);
  // A process that took it all in would have some 60 MB more.
  expect(residentMb(tail) - before).toBeLessThan(40);
  tail.child.stdout?.resume();
  await accounted(tail, SIZE + 1);
  expect(tail.printed.stderr).toMatch(/not shown: .*more than was read here/);
  tail.child.kill("SIGINT");
  const { stdout, stderr } = await tail.ended;
  const [, shown, notShown] = /([\d,]+) events shown, ([\d,]+) not shown/.exec(stderr) ?? [];
  const numbers = numbersOf(stdout);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.length).toBe(Number(shown?.replaceAll(",", "")));
  expect(numbers.length + Number(notShown?.replaceAll(",", ""))).toBe(SIZE + 1);
});

/** Until what was shown and what was said not to be is so much. */
const accounted = async (tail: Running, events: number) =>
  until(
    async () => {
      const notShown = [...tail.printed.stderr.matchAll(/not shown: ([\d,]+) event/g)];
      const shown = tail.printed.stdout.split("\n").length - 1;
      return notShown.reduce((n, [, text]) => n + Number(text?.replaceAll(",", "")), shown);
    },
    (sum) => sum >= events,
    DEADLINE_MS,
  );

/** Linux only, as the runtime's tests are. */
function residentMb({ child }: Running): number {
  const [, kb] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
  return Number(kb) / 1024;
}

test("a platform that is restarted in mid-stream: it goes on by itself, nothing is lost and nothing shown twice", async () => {
  const SIZE = 60;
  const tail = await connected(["tail-restart", "kind:log"]);
  const send = (n: number) => tailrace.client.ingest([probeItem("tail-restart", "i", n)]);
  for (let n = 0; n < SIZE / 3; n++) await send(n);
  await lines(tail, SIZE / 3);
  tailrace = await tailrace.restart();
  // Before the command is back as well as after it.
  for (let n = SIZE / 3; n < (2 * SIZE) / 3; n++) await send(n);
  await says(tail, /connected again\n/);
  for (let n = (2 * SIZE) / 3; n < SIZE; n++) await send(n);
  await lines(tail, SIZE);
  tail.child.kill("SIGINT");
  const { code, stdout, stderr } = await tail.ended;
  expect(numbersOf(stdout)).toEqual(upTo(SIZE));
  expect(stderr).toMatch(/connection lost \(.*\); trying again in /);
  expect(stderr).toMatch(/-- nothing was missed\n/);
  expect(code).toBe(0);
});
