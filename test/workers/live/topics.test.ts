/** Topics of the live hub: who listens hears, who is gone harms nobody. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { LIVE_PING, LIVE_PING_MS, LIVE_PONG } from "../../../workers/api/contract/live.ts";
import { entranceRequest } from "../../../workers/live/contract.ts";
import type { LiveHub } from "../../../workers/live/hub.ts";
import { hasGone, MAX_LISTENERS, MAX_LISTENERS_EACH } from "../../../workers/live/limits.ts";
import { until } from "../buffer/support.ts";

const hubOf = (name: string) => env.LIVE.getByName(name);

interface Viewer {
  socket: WebSocket;
  heard: string[];
  closed: Promise<number>;
}

const asking = (topic: string, credential = "token someone") =>
  entranceRequest({ kind: "topic", topic, who: { credential } });

async function listen(hub: DurableObjectStub<LiveHub>, topic = "news"): Promise<Viewer> {
  const response = await hub.fetch(asking(topic));
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no socket: ${response.status}`);
  const heard: string[] = [];
  socket.addEventListener("message", (event) => {
    heard.push(String(event.data));
  });
  const closed = new Promise<number>((resolve) => socket.addEventListener("close", (event) => resolve(event.code)));
  socket.accept();
  return { socket, heard, closed };
}

describe("publish", () => {
  it("reaches everybody who listens to the topic, in order, and nobody else", async () => {
    const hub = hubOf("hub-two");
    const [one, two, other] = [await listen(hub), await listen(hub), await listen(hub, "elsewhere")];
    expect(await hub.publish("news", ["a", "b"])).toBe(2);
    await until(async () => one.heard.length === 2 && two.heard.length === 2);
    expect([one.heard, two.heard, other.heard]).toEqual([["a", "b"], ["a", "b"], []]);
  });

  it("goes on when a viewer has closed", async () => {
    const hub = hubOf("hub-closed");
    const [gone, stays] = [await listen(hub), await listen(hub)];
    gone.socket.close(1000, "bye");
    await until(async () => (await hub.publish("news", [])) === 1);
    expect(await hub.publish("news", ["a"])).toBe(1);
    await until(async () => stays.heard.length === 1);
    expect(gone.heard).toEqual([]);
  });

  it("with nobody there is no error", async () => {
    expect(await hubOf("hub-empty").publish("news", ["a"])).toBe(0);
  });

  it("reaches viewers whose hub slept meanwhile", async () => {
    const hub = hubOf("hub-slept");
    const viewer = await listen(hub);
    await evictDurableObject(hub, { webSockets: "hibernate" });
    expect(await hub.publish("news", ["a"])).toBe(1);
    await until(async () => viewer.heard.length === 1);
  });
});

describe("a viewer", () => {
  it("is answered its pings", async () => {
    const viewer = await listen(hubOf("hub-ping"));
    viewer.socket.send(LIVE_PING);
    await until(async () => viewer.heard.length === 1);
    expect(viewer.heard).toEqual([LIVE_PONG]);
  });

  it("only listens: who talks is shown out, and the others hear on", async () => {
    const hub = hubOf("hub-talk");
    const [talks, listens] = [await listen(hub), await listen(hub)];
    talks.socket.send("x".repeat(10_000));
    expect(await talks.closed).toBe(1008);
    expect(await hub.publish("news", ["a"])).toBe(1);
    await until(async () => listens.heard.length === 1);
  });

  it("counts as gone when it used to ping and does not any more", () => {
    const now = 1_000_000;
    expect(hasGone(undefined, now)).toBe(false);
    expect(hasGone(now - LIVE_PING_MS, now)).toBe(false);
    expect(hasGone(now - 4 * LIVE_PING_MS, now)).toBe(true);
  });
});

describe("the door", () => {
  it("speaks WebSocket only", async () => {
    expect((await hubOf("hub-door").fetch("http://hub/")).status).toBe(426);
  });

  it("knows no topic without a name, or with one that is too long", async () => {
    for (const topic of ["", "x".repeat(300)]) expect((await hubOf("hub-door").fetch(asking(topic))).status).toBe(400);
  });

  it("is shut to a credential that listens too often, and open to others", async () => {
    const hub = hubOf("hub-greedy");
    const knock = async (credential: string) => {
      const response = await hub.fetch(asking("news", credential));
      response.webSocket?.accept();
      return response;
    };
    const places = await Promise.all(Array.from({ length: MAX_LISTENERS_EACH }, () => knock("greedy")));
    expect(places.every((response) => response.status === 101)).toBe(true);
    expect((await knock("greedy")).status).toBe(503);
    expect((await knock("modest")).status).toBe(101);
    // One that left makes room.
    places[0]?.webSocket?.close(1000);
    await until(async () => (await knock("greedy")).status === 101);
    expect(await hub.dismiss({ credential: "greedy" })).toBe(MAX_LISTENERS_EACH);
    expect(await hub.publish("news", [])).toBe(1);
  });

  it("is shut when too many listen", async () => {
    const hub = hubOf("hub-full");
    await listen(hub);
    await runInDurableObject(hub, (instance: LiveHub) => {
      const ctx = (instance as unknown as { ctx: DurableObjectState }).ctx;
      const real = ctx.getWebSockets.bind(ctx);
      const crowd = { getWebSockets: () => Array.from({ length: MAX_LISTENERS }, () => real()[0] as WebSocket) };
      Object.defineProperty(instance, "ctx", {
        value: new Proxy(ctx, {
          get: (on, key) => {
            const value: unknown = key === "getWebSockets" ? crowd.getWebSockets : Reflect.get(on, key, on);
            return typeof value === "function" ? value.bind(on) : value;
          },
        }),
      });
    });
    const response = await hub.fetch(asking("news"));
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("60");
  });
});
