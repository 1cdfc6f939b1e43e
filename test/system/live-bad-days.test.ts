/**
 * Bad days of the live tail, over real sockets: viewers that stand still, that go
 * without a word, that come and go by the thousand, that say what nobody
 * understands; a flood; filters that are bombs. Each time others do not notice,
 * workerd's memory stays bounded, and what each viewer heard adds up.
 */
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LIVE_CLOSE } from "../../workers/api/contract/live.ts";
import { MAX_LISTENERS_EACH } from "../../workers/live/limits.ts";
import { until } from "../support/client.ts";
import { createToken, failedItem, openViewers, rssMib, times, wordyItem } from "../support/live-load.ts";
import { LiveViewer } from "../support/live-viewer.ts";
import { probeItem } from "../support/probes.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

/** Two cores, shared with whatever else runs. */
const HEARD_MS = 90_000;
/** workerd with all its isolates, some hundred sockets at 100 KB each, and what it has not given back; without bounds the tests below need gigabytes. */
const MAX_RSS_MIB = 700;
/** RFC 6455: a close code that was never sent, since the connection broke. */
const BROKEN = 1006;

let tailrace: TestStack;
let token: string;
beforeAll(async () => {
  tailrace = await startTestStack();
  token = (await createToken(tailrace.client)).token;
});
afterAll(() => tailrace.stop());

const open = (script: string | null, more: Partial<Parameters<typeof LiveViewer.open>[1]> = {}) =>
  openViewers(tailrace.stack.url, [{ token, script, ...more }]).then(([viewer]) => viewer as LiveViewer);

/** Items in batches, one after the other; how many events they made. */
async function send(batches: number, perBatch: number, make: (n: number) => Record<string, unknown>): Promise<number> {
  for (let batch = 0; batch < batches; batch++) {
    await tailrace.client.ingest(times(perBatch, (n) => make(batch * perBatch + n)));
  }
  return batches * perBatch * 2;
}

function addsUp(viewers: readonly LiveViewer[]): void {
  for (const { tally } of viewers) {
    expect(tally.wrong).toEqual([]);
    expect(tally.events + tally.notShown).toBe(tally.matched);
  }
}

test("readers that stand still: others see everything, they are told when they go on, memory is bounded", async () => {
  const script = "bad-slow";
  const slow = await openViewers(
    tailrace.stack.url,
    times(30, () => ({ token, script, rate: 5_000 })),
  );
  const quick = await open(script, { rate: 5_000 });
  let all = await send(1, 10, (n) => probeItem(script, "first", n));
  await Promise.all([...slow, quick].map((viewer) => viewer.until(({ events }) => events === 20, HEARD_MS)));
  for (const viewer of slow) viewer.pause();
  // 40 MB of text for each of them: what nobody reads would be more than a gigabyte.
  let peakMib = 0;
  for (let round = 0; round < 40; round++) {
    all += await send(5, 100, (n) => wordyItem(script, `r${round}`, n, 2_000));
    peakMib = Math.max(peakMib, rssMib(tailrace.stack));
  }
  await quick.until(({ matched, unchecked }) => matched + unchecked >= all, HEARD_MS);
  console.log(`peak ${peakMib.toFixed(0)} MiB; the quick one: ${JSON.stringify(quick.tally)}`);
  expect(peakMib).toBeLessThan(MAX_RSS_MIB);
  for (const viewer of slow) viewer.goOn();
  await Promise.all(slow.map((viewer) => viewer.until((t) => t.matched + t.unchecked >= all, HEARD_MS, `all ${all}`)));
  addsUp([...slow, quick]);
  expect(quick.tally.events).toBeGreaterThan(4 * Math.max(...slow.map(({ tally }) => tally.events)));
  console.log(`a slow one: ${JSON.stringify(slow[0]?.tally)}`);
  expect(Math.min(...slow.map(({ tally }) => tally.notShown))).toBeGreaterThan(all / 2);
  for (const viewer of [...slow, quick]) viewer.destroy();
});

test("six hundred that go without a word in mid-stream leave their places; others see everything", async () => {
  const script = "bad-half-open";
  const steady = await open(script, { rate: 5_000 });
  // With those who come after, more than one credential may have at once.
  const own = (await createToken(tailrace.client)).token;
  const crowd = times(MAX_LISTENERS_EACH * 0.6, () => ({ token: own, script }));
  const vanishing = await openViewers(tailrace.stack.url, crowd);
  let all = await send(5, 20, (n) => probeItem(script, "a", n));
  for (const viewer of vanishing) viewer.destroy();
  all += await send(25, 20, (n) => probeItem(script, "b", n));
  const coming = await openViewers(tailrace.stack.url, crowd);
  expect(coming.every(({ isOpen }) => isOpen)).toBe(true);
  await steady.until(({ matched }) => matched >= all, HEARD_MS);
  addsUp([steady]);
  expect(steady.tally).toMatchObject({ matched: all, unchecked: 0 });
  for (const viewer of [...coming, steady]) viewer.destroy();
});

/** A connection that begins a handshake and is cut, or that is never more than open. */
function abortedHandshake(n: number): Promise<void> {
  const url = new URL(tailrace.stack.url);
  return new Promise((resolve) => {
    const socket = connect(Number(url.port), "127.0.0.1", () => {
      const head = `GET /api/v1/live?script=bad-churn HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n`;
      const upgrade = "upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n";
      const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
      socket.write([head, head + upgrade, head + upgrade + key][n % 3] as string, () => socket.destroy());
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

test("thousands come and go: there is still room, and who stayed saw everything", async () => {
  const script = "bad-churn";
  const steady = await open(script, { rate: 5_000 });
  const coming = 2_400;
  const width = 60;
  let peakMib = 0;
  let all = 0;
  for (let at = 0; at < coming; at += width) {
    const visits = times(width, async (n) => {
      if (n % 4 === 3) return abortedHandshake(n);
      const viewer = await LiveViewer.open(tailrace.stack.url, { token, script });
      if (n % 4 === 0) viewer.destroy();
      else await viewer.close();
    });
    const [sent] = await Promise.all([send(1, 10, (n) => probeItem(script, `w${at}`, n)), ...visits]);
    all += sent;
    peakMib = Math.max(peakMib, rssMib(tailrace.stack));
  }
  await steady.until(({ matched }) => matched >= all, HEARD_MS);
  console.log(`peak ${peakMib.toFixed(0)} MiB`);
  expect(peakMib).toBeLessThan(MAX_RSS_MIB);
  expect(steady.tally).toMatchObject({ matched: all, events: all, unchecked: 0 });
  // More than one credential may have: were those that left still counted, there would be no room.
  const after = await openViewers(
    tailrace.stack.url,
    times(300, () => ({ token, script })),
  );
  all += await send(1, 10, (n) => probeItem(script, "after", n));
  await Promise.all(after.map((viewer) => viewer.until(({ events }) => events === 20, HEARD_MS)));
  expect((await tailrace.client.health()).status).toBe(200);
  for (const viewer of [...after, steady]) viewer.destroy();
});

test("one Worker's flood, watched by fifty: another's viewer sees each of its events, and the flood's are told", async () => {
  const calm = await open("bad-calm");
  const watching = await openViewers(
    tailrace.stack.url,
    times(50, () => ({ token, script: "bad-flood" })),
  );
  let flooding = true;
  let flooded = 0;
  const floods = times(4, async (sender) => {
    for (let batch = 0; batch < 60; batch++) {
      const items = times(250, (n) => (n === 3 ? failedItem : probeItem)("bad-flood", `s${sender}`, n));
      await tailrace.client.ingest(items);
      flooded += 250 * 2 + 1;
    }
  });
  const done = Promise.all(floods).finally(() => {
    flooding = false;
  });
  let calmEvents = 0;
  while (flooding) {
    await tailrace.client.ingest([probeItem("bad-calm", "c", calmEvents)]);
    calmEvents += 2;
    await calm.until(({ events }) => events >= calmEvents, HEARD_MS, "the calm Worker's next event");
  }
  await done;
  expect(calm.tally).toMatchObject({ events: calmEvents, matched: calmEvents, unchecked: 0 });
  await Promise.all(watching.map((viewer) => viewer.until((t) => t.matched + t.unchecked >= flooded, HEARD_MS)));
  const [{ tally }] = watching as [LiveViewer];
  console.log(`${flooded} events of the flood, ${calmEvents} of the other Worker: ${JSON.stringify(tally)}`);
  addsUp(watching);
  expect(watching.every((viewer) => viewer.tally.matched + viewer.tally.unchecked === flooded)).toBe(true);
  for (const viewer of [...watching, calm]) viewer.destroy();
});

const JSON_TEXT = fc.json({ maxDepth: 4 });
const REQUEST = fc
  .record(
    {
      type: fc.constantFrom("filter", "resume", "ack", "ready", "events", "__proto__"),
      q: fc.oneof(fc.string(), fc.jsonValue()),
      rate: fc.oneof(fc.double(), fc.jsonValue()),
      cursor: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
      since: fc.oneof(fc.double(), fc.jsonValue()),
      chars: fc.oneof(fc.double(), fc.integer({ min: -10, max: 2 ** 40 })),
    },
    { requiredKeys: [] },
  )
  .map((request) => JSON.stringify(request));
const FRAME = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 300 }), JSON_TEXT, REQUEST);

test("frames of any kind: answered, or closed with a reason; others do not notice", async () => {
  const script = "bad-frames";
  const steady = await open(script, { rate: 5_000 });
  const codes = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(FRAME, { minLength: 1, maxLength: 20 }), async (frames) => {
      const viewer = await open(script);
      for (const frame of frames) viewer.sayRaw(frame);
      await tailrace.client.ingest([probeItem(script, "f", 1)]);
      // Either it is closed for what it said, or it goes on as a viewer, with whatever filter it asked for.
      const { code } = await Promise.race([viewer.closed, viewer.close().then(() => viewer.closed)]);
      codes.set(code, (codes.get(code) ?? 0) + 1);
      // 1005: closed from this side; the hub answered it.
      expect([LIVE_CLOSE.badMessage, 1000, 1005]).toContain(code);
    }),
    { numRuns: 60 },
  );
  console.log(Object.fromEntries(codes));
  await steady.until(({ matched }) => matched >= 60 * 2, HEARD_MS);
  addsUp([steady]);
  await steady.close();
});

test.each([
  ["a huge message", "x".repeat(1 << 20)],
  ["a huge message that is JSON", JSON.stringify({ type: "filter", q: "x".repeat(2 << 20) })],
  ["JSON that is deep", `${"[".repeat(30_000)}${"]".repeat(30_000)}`],
  ["bytes", new Uint8Array(100_000)],
])("%s ends that viewer alone", async (_, frame) => {
  const script = "bad-huge";
  const steady = await open(script);
  const viewer = await open(script);
  viewer.sayRaw(frame);
  const { code } = await viewer.closed;
  // 1009: RFC 6455, a message too big; 1006 when the runtime cuts what it will not read.
  expect([LIVE_CLOSE.badMessage, 1009, BROKEN]).toContain(code);
  await tailrace.client.ingest([probeItem(script, "h", 1)]);
  await steady.until(({ events }) => events === 2, HEARD_MS);
  await steady.close();
});

test("a message beyond what the runtime takes does not reach anybody else", async () => {
  const script = "bad-beyond";
  const steady = await open(script);
  const viewer = await open(script);
  viewer.sayRaw("x".repeat(40 << 20));
  const all = await send(5, 10, (n) => probeItem(script, "h", n));
  await steady.until(({ events }) => events === all, HEARD_MS);
  viewer.destroy();
  await steady.close();
});

test("a viewer that talks without end is closed, and nobody waits for it", async () => {
  const script = "bad-talk";
  const steady = await open(script);
  const talking = await openViewers(
    tailrace.stack.url,
    times(10, () => ({ token, script })),
  );
  let said = 0;
  for (const viewer of talking) {
    for (let n = 0; n < 5_000; n++) {
      viewer.sayRaw(n % 2 === 0 ? '{"type":"ack","chars":0}' : `{"type":"filter","q":"@probe.n:${n}"}`);
      said++;
    }
  }
  const all = await send(5, 10, (n) => probeItem(script, "t", n));
  await steady.until(({ events }) => events === all, HEARD_MS);
  const codes = await Promise.all(talking.map(async (viewer) => (await viewer.closed).code));
  console.log(`${said} messages: ${codes.join(" ")}`);
  expect(codes.every((code) => code === LIVE_CLOSE.badMessage || code === BROKEN)).toBe(true);
  await steady.close();
});

const BOMBS = [
  "(".repeat(3_000),
  "NOT ".repeat(900),
  `${"(".repeat(400)}a${")".repeat(400)}`,
  times(600, (n) => `@k${n}:v${n}`).join(" OR "),
  "message:/(a+)+$/",
  `message:/${"(a|aa)".repeat(80)}$/`,
  "message:/(x+x+)+y/",
  `message:/${".*".repeat(60)}q/`,
  "message:/x{1,900}y/",
  times(40, (n) => `message:/(x{1,50}){1,${n + 1}}z/`).join(" OR "),
  `message:*${"x*".repeat(300)}`,
  `"${"y".repeat(3_900)}"`,
  times(200, (n) => `message:/[a-w]{${n}}/`).join(" OR "),
];

test("filters that are bombs: refused, or bounded and told; the plain filter beside them sees everything", async () => {
  const script = "bad-bombs";
  const plain = await open(script, { q: "kind:log", rate: 5_000 });
  const bombers: LiveViewer[] = [];
  let refused = 0;
  for (const q of BOMBS) {
    // Refused before there is a socket, and on an open one, where it is a change of the filter.
    const outcomes = await Promise.allSettled(times(3, () => open(script, { q })));
    const listening = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    bombers.push(...listening);
    if (listening.length > 0) continue;
    refused++;
    const viewer = await open(script);
    viewer.say({ type: "filter", q });
    await viewer.until(({ problems }) => problems === 1 || !viewer.isOpen, HEARD_MS, "an answer to the bomb");
    if (!viewer.isOpen) expect((await viewer.closed).code).toBe(LIVE_CLOSE.badMessage);
    viewer.destroy();
  }
  const all = await send(30, 20, (n) => wordyItem(script, "b", n, 5_000));
  await plain.until(({ matched, unchecked }) => matched + unchecked >= all / 2, HEARD_MS);
  addsUp([plain, ...bombers]);
  expect(plain.tally).toMatchObject({ matched: all / 2, unchecked: 0 });
  const unchecked = bombers.filter(({ tally }) => tally.unchecked > 0).length;
  console.log(`${refused} of ${BOMBS.length} refused, ${unchecked} of ${bombers.length} viewers had not all checked`);
  expect((await tailrace.client.health()).status).toBe(200);
  for (const viewer of [plain, ...bombers]) viewer.destroy();
});

test("after all of it a new viewer sees the next event, and memory is what it was", async () => {
  const viewer = await open(null, { q: "script:bad-last" });
  await tailrace.client.ingest([probeItem("bad-last", "l", 1)]);
  await viewer.until(({ events }) => events === 2, HEARD_MS);
  const last = await until(
    async () => rssMib(tailrace.stack),
    (mib) => mib < MAX_RSS_MIB,
    HEARD_MS,
  );
  console.log(`${last.toFixed(0)} MiB at the end`);
  await viewer.close();
});
