/** Viewers: they say what they want, may be slow, rude or gone, and outlive the hub's memory; the others do not notice. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { LIVE_CLOSE, LIVE_MAX_RATE, LIVE_RATE } from "../../../workers/api/contract/live.ts";
import type { ViewerAttachment } from "../../../workers/live/attachment.ts";
import {
  ERRORS_SHARE,
  MAX_FRAME_CHARS,
  MAX_MESSAGE_CHARS,
  MAX_WINDOW_CHARS,
  MESSAGES_BURST,
} from "../../../workers/live/limits.ts";
import type { Stream } from "../../../workers/live/stream.ts";
import type { Node } from "../../../workers/query/filter/compile.ts";
import { until } from "../buffer/support.ts";
import { connect, type Hub, hubOf, knock, Shard, type TestViewer, watch } from "./support.ts";

const HIBERNATE = { webSockets: "hibernate" } as const;
const failing = (every: number) => (k: number) => ({ status: k % every === 0 ? 500 : 200 });
const adds = (viewer: TestViewer) => expect(viewer.events.length + viewer.notShown).toBe(viewer.matched);

describe("a viewer's filter", () => {
  it("can be changed on the open connection, also its rate", async () => {
    const hub = hubOf("v-filter");
    const shard = new Shard("v-filter");
    const viewer = await watch(hub, { script: "v-filter", q: "status:200" });
    await hub.push(shard.push([shard.some(4, failing(4))]));
    await until(async () => viewer.events.length === 3);
    viewer.say({ type: "filter", q: "status:500", rate: 1e9 });
    viewer.say({ type: "filter", q: "status:500" });
    await viewer.hears("ready", 3);
    await hub.push(shard.push([shard.some(4, failing(4))]));
    await until(async () => viewer.events.length === 4);
    expect(viewer.of("ready").map(({ q, rate }) => ({ q, rate }))).toEqual([
      { q: "status:200", rate: LIVE_RATE },
      { q: "status:500", rate: LIVE_MAX_RATE },
      { q: "status:500", rate: LIVE_MAX_RATE },
    ]);
  });

  it.each([
    ["status:>=", "bad_query"],
    ["message:/(/", "bad_query"],
    ["* | stats count()", "bad_query"],
    ["issue:abc", "bad_query"],
    ["message:/((a{30}){30}){30}/", "bad_query"],
    [`message:/${"(a?){400}".repeat(10)}/`, "too_much"],
    ["x ".repeat(2_500), "bad_query"],
  ])("that is not understood (%s) is a problem, and the old one holds", async (q, code) => {
    const hub = hubOf("v-problem");
    const shard = new Shard("v-problem", `v-problem ${q.slice(0, 20)}`);
    const viewer = await watch(hub, { script: "v-problem", q: "status:500" });
    viewer.say({ type: "filter", q });
    await viewer.hears("problem");
    expect(viewer.of("problem")[0]).toMatchObject({ code });
    await hub.push(shard.push([shard.some(2, failing(2))]));
    await until(async () => viewer.events.length === 1);
  });

  it("may be wrong from the beginning: it hears so, and nothing before it says a better one", async () => {
    const hub = hubOf("v-begin");
    const shard = new Shard("v-begin");
    const viewer = await watch(hub, { script: "v-begin", q: "status:>=" });
    expect(viewer.of("problem")).toHaveLength(1);
    await hub.push(shard.push([shard.some(2)]));
    viewer.say({ type: "filter", q: "" });
    await viewer.hears("ready");
    await hub.push(shard.push([shard.some(3)]));
    await until(async () => viewer.events.length === 3);
  });

  it("knows issues, as D1 has them, also after the hub has lost its memory", async () => {
    const script = "v-issue";
    const [issue] = await env.DB.batch<{ id: number }>([
      env.DB.prepare(
        `INSERT INTO issues (script, birth, kind, type, title, culprit, state_at, first_seen, last_seen, first_version, last_version, count)
          VALUES (?1, ?1, 'exception', 'E', 't', '', 0, 0, 0, '', '', 1) RETURNING id`,
      ).bind(script),
      env.DB.prepare(
        `INSERT INTO fingerprints (fingerprint, script, issue_id, home_issue_id, algorithm, first_seen, last_seen, first_version, last_version, count)
          SELECT 'f1', script, id, id, 1, 0, ?2, '', '', 1 FROM issues WHERE birth = ?1`,
      ).bind(script, Date.now()),
    ]);
    const id = issue?.results[0]?.id;
    const hub = hubOf(script);
    const shard = new Shard(script);
    const viewer = await watch(hub, { script, q: `issue:${id}` });
    const mixed = () => shard.push([shard.some(4, (k) => ({ fingerprint: k < 3 ? "f1" : "f2" }))]);
    await hub.push(mixed());
    await until(async () => viewer.events.length === 3);
    await evictDurableObject(hub, HIBERNATE);
    await hub.push(mixed());
    await until(async () => viewer.events.length === 6);
    expect([viewer.matched, viewer.unchecked]).toEqual([6, 0]);
  });
});

describe("a thousand idle viewers", () => {
  it("hibernate, and come back from their attachments with filters and counters", async () => {
    const hub = hubOf("v-thousand");
    const shard = new Shard("v-thousand");
    const count = 1_000;
    const filters = ["", "status:500", "status:200", "-status:500"];
    const connecting = Array.from({ length: count }, (_, k) =>
      connect(hub, {
        script: "v-thousand",
        q: filters[k % filters.length] as string,
        who: { credential: `token ${k % 4}` },
      }),
    );
    const viewers = await Promise.all(connecting);
    for (const viewer of viewers) viewer.say({ type: "resume", cursor: {}, since: 1e15 });
    await until(async () => viewers.every((v) => v.of("resumed").length === 1), 25_000);
    await evictDurableObject(hub, HIBERNATE);
    await hub.push(shard.push([shard.some(8, failing(4))]));
    const wanted = [8, 2, 6, 6];
    await until(async () => viewers.every((v, k) => v.events.length === wanted[k % wanted.length]), 25_000);
  });

  it("are answered their pings by the runtime", async () => {
    const hub = hubOf("v-ping");
    const viewer = await watch(hub);
    await evictDurableObject(hub, HIBERNATE);
    const pong = new Promise<string>((resolve) =>
      viewer.socket.addEventListener("message", ({ data }) => resolve(String(data))),
    );
    viewer.socket.send("ping");
    expect(await pong).toBe("pong");
    await runInDurableObject(hub, (_, state) => {
      const [socket] = state.getWebSockets();
      expect(state.getWebSocketAutoResponseTimestamp(socket as WebSocket)).not.toBeNull();
    });
  });
});

describe("a viewer that reads slowly", () => {
  const big = (k: number) => ({ message: `${k} `.padEnd(8_000, "x") });

  it("is sent a window's worth, counted for, and told when it has read", async () => {
    const hub = hubOf("v-slow");
    const shard = new Shard("v-slow");
    const slow = await watch(hub, { script: "v-slow", rate: LIVE_MAX_RATE });
    const quick = await watch(hub, { script: "v-slow", rate: LIVE_MAX_RATE });
    slow.acks = false;
    for (let n = 0; n < 30; n++) {
      await hub.push(shard.push([shard.some(10, big)]));
      await until(async () => quick.events.length === (n + 1) * 10);
    }
    expect(slow.chars).toBeLessThanOrEqual(MAX_WINDOW_CHARS + 10_000);
    expect(slow.matched).toBeLessThan(300);
    await evictDurableObject(hub, HIBERNATE);
    await hub.push(shard.push([shard.some(10, big)]));
    slow.acks = true;
    slow.ack();
    await until(async () => slow.matched === 310);
    adds(slow);
    const told = slow.frames.at(-1);
    expect(told).toMatchObject({ because: "slow", events: [], notShown: { errors: 0 } });
    expect(told?.notShown?.kinds.invocation).toBe(slow.notShown);
    await hub.push(shard.push([shard.some(1)]));
    await until(async () => slow.matched === 311 && quick.matched === 311);
    expect(quick.events).toHaveLength(311);
  });

  it("gets the errors all the same, as long as there is any room, and all of it adds up", async () => {
    const hub = hubOf("v-slow-errors");
    const shard = new Shard("v-slow-errors");
    const slow = await watch(hub, { script: "v-slow-errors", rate: LIVE_MAX_RATE });
    slow.acks = false;
    for (let n = 0; n < 8; n++) await hub.push(shard.push([shard.some(10, big)]));
    const mixed = (k: number) => ({ message: `${k}`, outcome: k === 0 ? "exception" : "ok" });
    for (let n = 0; n < 20; n++) await hub.push(shard.push([shard.some(10, mixed)]));
    await until(async () => slow.events.filter(({ outcome }) => outcome === "exception").length === 20);
    for (let n = 0; n < 30; n++)
      await hub.push(shard.push([shard.some(10, () => ({ ...big(n), outcome: "exception" }))]));
    expect(slow.chars).toBeLessThanOrEqual(MAX_WINDOW_CHARS * (1 + ERRORS_SHARE) + 10_000);
    slow.acks = true;
    slow.ack();
    await until(async () => slow.matched === 580);
    adds(slow);
  });

  it("does not get more by saying that it has read what it was not sent", async () => {
    const hub = hubOf("v-liar");
    const viewer = await watch(hub);
    viewer.say({ type: "ack", chars: 1e12 });
    expect(await viewer.closed).toBe(LIVE_CLOSE.badMessage);
  });
});

describe("more than is sent at once", () => {
  it("is counted with a reason of its own: neither the rate nor the reader was too slow", async () => {
    const hub = hubOf("v-size");
    const shard = new Shard("v-size");
    const viewer = await watch(hub, { script: "v-size" });
    await hub.push(shard.push([shard.some(1, () => ({ message: "x".repeat(2 * MAX_FRAME_CHARS) }))]));
    await hub.push(shard.push([shard.some(3)]));
    await until(async () => viewer.matched === 4);
    adds(viewer);
    const told = viewer.frames.filter(({ notShown }) => notShown !== undefined);
    expect(told).toMatchObject([{ because: "size", events: [], notShown: { events: 1 } }]);
  });
});

describe("more than the rate", () => {
  it("is thinned: errors stay, invocations stay whole, the rest is told by kind", async () => {
    const hub = hubOf("v-rate");
    const shard = new Shard("v-rate");
    const viewer = await watch(hub, { script: "v-rate", rate: 100 });
    const events = Array.from({ length: 1_000 }, (_, k) => ({
      ...{ script: "v-rate", time: 1_790_000_000_000_000 + k, sample_weight: 1, outcome: "ok", seq: k % 5 },
      kind: k % 5 === 0 ? ("invocation" as const) : ("log" as const),
      invocation_id: `inv ${Math.floor(k / 5)}`,
      ...(k % 100 === 1 ? { level: "error" } : {}),
    }));
    await hub.push(shard.push([shard.entry(events)]));
    await until(async () => viewer.matched === 1_000);
    adds(viewer);
    expect(viewer.events.filter(({ level }) => level === "error")).toHaveLength(10);
    const frame = viewer.frames.find(({ matched }) => matched > 0);
    expect(frame).toMatchObject({ because: "rate", notShown: { errors: 0 } });
    const whole = Map.groupBy(
      viewer.events.filter((e) => e.level !== "error"),
      (e) => e.invocation_id,
    );
    const sizes = [...whole.values()].map((list) => list.length);
    expect(sizes.filter((size) => size < 4).length).toBeLessThanOrEqual(1);
    const { kinds, events: hidden } = frame?.notShown ?? { kinds: {}, events: 0 };
    expect((kinds.invocation ?? 0) + (kinds.log ?? 0)).toBe(hidden);
  });
});

describe("what a viewer says", () => {
  const refused: [string, string | ArrayBuffer][] = [
    ["no JSON", "{"],
    ["no object", "7"],
    ["an unknown type", '{"type":"shutdown"}'],
    ["a filter that is none", '{"type":"filter","q":7}'],
    ["a cursor that is none", '{"type":"resume","cursor":[],"since":0}'],
    ["an acknowledgement of nothing", '{"type":"ack"}'],
    ["bytes", new Uint8Array(10).buffer],
    ["too much", `{"type":"filter","q":"${"x".repeat(MAX_MESSAGE_CHARS)}"}`],
  ];
  it.each(refused)("is refused when it is %s; the others hear on", async (_, message) => {
    const hub = hubOf("v-rude");
    const shard = new Shard("v-rude", `v-rude ${_}`);
    const [rude, polite] = [await watch(hub), await watch(hub)];
    rude.socket.send(message);
    expect(await rude.closed).toBe(LIVE_CLOSE.badMessage);
    await hub.push(shard.push([shard.some(1)]));
    await until(async () => polite.events.length === 1);
  });

  it("may not be too often", async () => {
    const hub = hubOf("v-chatty");
    const viewer = await watch(hub);
    for (let k = 0; k < MESSAGES_BURST; k++) viewer.say({ type: "filter", q: `status:${k}` });
    expect(await viewer.closed).toBe(LIVE_CLOSE.badMessage);
  });
});

describe("a filter that cannot be compared with, by a mistake of ours", () => {
  it("keeps no other from seeing, and is told so", async () => {
    const hub = hubOf("v-bug");
    const shard = new Shard("v-bug");
    const [unlucky, other] = [await watch(hub, { q: "status:200" }), await watch(hub)];
    await runInDurableObject(hub, (instance) => {
      const { stream } = instance as unknown as { stream: Stream };
      const audience = [...stream.audiences.all()].find(({ filter }) => filter.q !== "");
      if (audience !== undefined) audience.filter.node = { kind: "not" } as Node;
    });
    await hub.push(shard.push([shard.some(3)]));
    await until(async () => other.events.length === 3);
    unlucky.ack();
    await until(async () => unlucky.unchecked === 3);
  });
});

describe("a filter that is a bomb", () => {
  it("is not compared beyond its bound, and told so; the others see everything", async () => {
    const hub = hubOf("v-bomb");
    const shard = new Shard("v-bomb");
    const bomb = await watch(hub, { q: "message:/(a?){300}(b?){300}[cd]/", rate: LIVE_MAX_RATE });
    const calm = await watch(hub, { q: "status:200", rate: LIVE_MAX_RATE });
    const text = (k: number) => ({ message: `${"ab".repeat(4_000)} ${k}` });
    for (let n = 0; n < 5; n++) await hub.push(shard.push([shard.some(20, text)]));
    await until(async () => calm.matched === 100 && bomb.matched + bomb.unchecked === 100);
    expect(bomb.unchecked).toBeGreaterThan(0);
    expect(calm.unchecked).toBe(0);
  });
});

describe("connections", () => {
  it("come and go by the hundred, and leave nothing behind", async () => {
    const hub = hubOf("v-many");
    const shard = new Shard("v-many");
    const stays = await watch(hub);
    for (let round = 0; round < 4; round++) {
      const viewers = await Promise.all(Array.from({ length: 100 }, (_, k) => connect(hub, { q: `status:${k}` })));
      for (const [k, { socket }] of viewers.entries())
        if (k % 2 === 0) socket.close(1000, "bye");
        else socket.close();
      await Promise.all(viewers.map(({ closed }) => closed));
    }
    await runInDurableObject(hub, (_, state) => {
      expect(state.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN)).toHaveLength(1);
    });
    await hub.push(shard.push([shard.some(1)]));
    await until(async () => stays.events.length === 1);
  });

  it("that are dead keep nobody from hearing", async () => {
    const hub = hubOf("v-dead");
    const shard = new Shard("v-dead");
    const viewers = [await watch(hub), await watch(hub), await watch(hub)];
    await runInDurableObject(hub, (_, state) => {
      const [first] = state.getWebSockets();
      // As a socket does that the runtime has closed and not told of.
      Object.defineProperty(first, "send", {
        value: () => {
          throw new TypeError("closed");
        },
      });
    });
    await hub.push(shard.push([shard.some(1)]));
    await until(async () => viewers.filter(({ events }) => events.length === 1).length === 2);
  });

  it("are refused when there are too many of one credential", async () => {
    const hub = hubOf("v-full");
    await runInDurableObject(hub, (instance) => {
      Object.defineProperty(instance, "isFull", { value: () => true });
    });
    expect((await knock(hub)).status).toBe(503);
  });
});

describe("a credential", () => {
  it("that ends ends its connections; a revoked one at once", async () => {
    const hub = hubOf("v-ends");
    const id = await addToken();
    const expiring = await watch(hub, { who: { credential: `token ${id}` } });
    await env.DB.prepare("UPDATE tokens SET expires_at = 1 WHERE id = ?").bind(id).run();
    const session = await addSession(Date.now() + 3_600_000);
    const revoked = await watch(hub, { who: { credential: "token b", session } });
    const stays = await watch(hub, { who: { credential: "token c" } });
    expect(await hub.dismiss({ session })).toBe(1);
    expect(await revoked.closed).toBe(LIVE_CLOSE.credentialEnded);
    expect(await runDurableObjectAlarm(hub)).toBe(true);
    expect(await expiring.closed).toBe(LIVE_CLOSE.credentialEnded);
    const shard = new Shard("v-ends");
    await hub.push(shard.push([shard.some(1)]));
    await until(async () => stays.events.length === 1);
  });

  it("of a session that is used elsewhere lasts as long as the session", async () => {
    const hub = hubOf("v-session");
    const expiresAt = Date.now() + 3_600_000;
    const hash = await addSession(expiresAt);
    const who = { credential: "token bootstrap:x", session: hash, expiresAt: Date.now() - 1 };
    const viewer = await watch(hub, { script: "v-session", who });
    expect(await runDurableObjectAlarm(hub)).toBe(true);
    await runInDurableObject(hub, async (_, state) => {
      const [socket] = state.getWebSockets();
      expect((socket?.deserializeAttachment() as ViewerAttachment | undefined)?.who.expiresAt).toBe(expiresAt);
      expect(await state.storage.getAlarm()).toBeGreaterThan(Date.now() + 60_000);
    });
    const shard = new Shard("v-session");
    await hub.push(shard.push([shard.some(1)]));
    await until(async () => viewer.events.length === 1);
  });

  it("that was revoked while nobody could say so is found by the alarm", async () => {
    const hub = hubOf("v-revoked");
    const id = await addToken();
    const hash = await addSession(Date.now() + 3_600_000);
    const viewer = await watch(hub, { who: { credential: `token ${id}` } });
    const sessionless = await watch(hub, { who: { credential: "token bootstrap:x", session: hash } });
    await revoke(id);
    await env.DB.prepare("DELETE FROM sessions WHERE hash = ?").bind(hash).run();
    expect(await runDurableObjectAlarm(hub)).toBe(true);
    expect([await viewer.closed, await sessionless.closed]).toEqual([
      LIVE_CLOSE.credentialEnded,
      LIVE_CLOSE.credentialEnded,
    ]);
  });

  it("that ended on the way to a hub that nobody knew of yet sees nothing", async () => {
    const hub = hubOf("v-late");
    const id = await addToken();
    await revoke(id);
    const [late, other] = await Promise.all([
      connect(hub, { who: { credential: `token ${id}` } }),
      connect(hub, { script: "v-late" }),
    ]);
    expect(await late.closed).toBe(LIVE_CLOSE.credentialEnded);
    await other.hears("ready");
    expect(late.messages).toEqual([]);
  });
});

async function addToken(): Promise<string> {
  const id = crypto.randomUUID();
  await env.DB.prepare(
    "INSERT INTO tokens (id, name, hash, scope, created_at, created_by) VALUES (?, 'n', ?, 'read', 0, 'me')",
  )
    .bind(id, id)
    .run();
  return id;
}

const revoke = (id: string) => env.DB.prepare("UPDATE tokens SET revoked_at = 1 WHERE id = ?").bind(id).run();

async function addSession(expiresAt: number): Promise<string> {
  const hash = crypto.randomUUID();
  await env.DB.prepare(
    "INSERT INTO sessions (hash, token_id, actor, scope, created_at, expires_at) VALUES (?, 'bootstrap:x', 'me', 'read', 0, ?)",
  )
    .bind(hash, expiresAt)
    .run();
  return hash;
}

describe("a viewer that was about to begin when the hub lost its memory", () => {
  it("is told to come again: what it waited for is lost", async () => {
    const hub = hubOf("v-held");
    const viewer = await watch(hub, { script: "v-held" });
    await runInDurableObject(hub, (_, state) => {
      const [socket] = state.getWebSockets() as [WebSocket];
      socket.serializeAttachment({ ...(socket.deserializeAttachment() as ViewerAttachment), held: true });
    });
    await evictDurableObject(hub, HIBERNATE);
    const shard = new Shard("v-held");
    await hub.push(shard.push([shard.some(1)]));
    expect(await viewer.closed).toBe(1012);
  });
});

describe("attachments", () => {
  it("stay far below what the runtime takes, with the longest filter", async () => {
    const hub = hubOf("v-size");
    const q = `message:"${"\u20ac".repeat(4_000)}"`;
    const viewer = await watch(hub as Hub, { q });
    expect(viewer.of("ready")[0]?.q).toBe(q);
    await runInDurableObject(hub, (_, state) => {
      const [socket] = state.getWebSockets();
      expect(((socket as WebSocket).deserializeAttachment() as ViewerAttachment).q).toBe(q);
    });
  });
});
