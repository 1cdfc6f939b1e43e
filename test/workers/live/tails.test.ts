/** Sockets of `wrangler tail`: whole trace items by its own filters, told what they do not see, gone on where they were. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { entranceRequest, type TailFilter } from "../../../workers/live/contract.ts";
import { TRACE_ITEMS_PER_S } from "../../../workers/live/limits.ts";
import { until } from "../buffer/support.ts";
import { type Hub, hubOf, Shard } from "./support.ts";

const who = { credential: "token wrangler" };

interface Tail {
  id: string;
  socket: WebSocket;
  items: Record<string, unknown>[];
  closed: Promise<number>;
}

async function tail(hub: Hub, script: string, filters: TailFilter[] = []): Promise<Tail> {
  const ticket = await hub.createTail({ script, filters, clientIp: "192.0.2.1", who });
  if (ticket === "full") throw new Error("full");
  const { webSocket: socket, status } = await hub.fetch(entranceRequest({ kind: "trace", secret: ticket.secret }));
  if (socket === null) throw new Error(`no socket: ${status}`);
  const items: Record<string, unknown>[] = [];
  socket.addEventListener("message", ({ data }) => {
    items.push(JSON.parse(String(data)) as Record<string, unknown>);
  });
  const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
  socket.accept();
  socket.send(JSON.stringify({ debug: false }));
  return { id: ticket.id, socket, items, closed };
}

const outcomes = ({ items }: Tail) => items.map(({ outcome }) => outcome);

describe("a tail", () => {
  it("gets one trace item a message, those that its filters let through", async () => {
    const hub = hubOf("tail-one");
    const shard = new Shard("tail-one");
    const all = await tail(hub, "tail-one");
    const failing = await tail(hub, "tail-one", [{ outcome: ["exception"] }]);
    const answer = await hub.push(shard.push([shard.some(3, (k) => ({ outcome: k === 1 ? "exception" : "ok" }))]));
    expect(answer).toMatchObject({ items: true });
    await until(async () => all.items.length === 3 && failing.items.length === 1);
    expect([outcomes(all), outcomes(failing)]).toEqual([["ok", "exception", "ok"], ["exception"]]);
  });

  it("outlives the hub's memory", async () => {
    const hub = hubOf("tail-evicted");
    const shard = new Shard("tail-evicted");
    const one = await tail(hub, "tail-evicted", [{ outcome: ["exception"] }]);
    await evictDurableObject(hub, { webSockets: "hibernate" });
    await hub.push(shard.push([shard.some(4, (k) => ({ outcome: k % 2 === 0 ? "exception" : "ok" }))]));
    await until(async () => one.items.length === 2);
  });

  it("has a secret that is good once", async () => {
    const hub = hubOf("tail-secret");
    const ticket = await hub.createTail({ script: "tail-secret", filters: [], clientIp: "", who });
    if (ticket === "full") throw new Error("full");
    const open = () => hub.fetch(entranceRequest({ kind: "trace", secret: ticket.secret }));
    const first = await open();
    expect([first.status, first.headers.get("sec-websocket-protocol")]).toEqual([101, "trace-v1"]);
    first.webSocket?.accept();
    expect((await open()).status).toBe(401);
  });

  it("is told how many events a flood keeps from it; failures come through", async () => {
    const hub = hubOf("tail-flood");
    const shard = new Shard("tail-flood");
    const one = await tail(hub, "tail-flood");
    const flood = TRACE_ITEMS_PER_S * 4;
    await hub.push(shard.push([shard.some(flood, (k) => ({ outcome: k % 100 === 0 ? "exception" : "ok" }))]));
    await until(async () => one.items.some(({ event }) => (event as { type?: string } | null)?.type === "overload"));
    const notice = one.items.find(({ event }) => (event as { type?: string } | null)?.type === "overload");
    const { notShown } = (notice as { event: { notShown: { events: number; errors: number } } }).event;
    expect(one.items.length - 1 + notShown.events).toBe(flood);
    expect(notShown.errors).toBe(0);
    expect(outcomes(one).filter((outcome) => outcome === "exception")).toHaveLength(flood / 100);
  });

  it("is told of events that were logged and did not come", async () => {
    const hub = hubOf("tail-gap");
    const shard = new Shard("tail-gap");
    const one = await tail(hub, "tail-gap");
    await hub.push(shard.push([shard.some(1)]));
    shard.some(7);
    await hub.push(shard.push([shard.some(1)], 7));
    await until(async () => one.items.length === 3);
    expect(one.items[2]).toMatchObject({ event: { type: "overload", notShown: { events: 0, unchecked: 7 } } });
  });

  it("that was cut off and comes again goes on where it was, another begins now", async () => {
    const hub = hubOf("tail-return");
    const shard = new Shard("tail-return");
    const first = await tail(hub, "tail-return");
    await hub.push(shard.push([shard.some(2)]));
    await until(async () => first.items.length === 2);
    first.socket.close(4000, "cut");
    await until(async () => (await hub.listTails(who.credential)).length === 0);
    await hub.push(shard.push([shard.some(3)]));
    const again = await tail(hub, "tail-return");
    const other = await tail(hub, "tail-return", [{ sampling_rate: 1 }]);
    await hub.push(shard.push([shard.some(1)]));
    await until(async () => again.items.length === 4 && other.items.length === 1);
  });

  it("that comes again is told how much of what it missed is not there any more", async () => {
    const hub = hubOf("tail-gone");
    const shard = new Shard("tail-gone");
    const first = await tail(hub, "tail-gone");
    await hub.push(shard.push([shard.some(2)]));
    await until(async () => first.items.length === 2);
    first.socket.close(4000, "cut");
    await until(async () => (await hub.listTails(who.credential)).length === 0);
    shard.some(7);
    await hub.push(shard.push([shard.some(3)]));
    const again = await tail(hub, "tail-gone");
    await until(async () => again.items.length === 4);
    expect(again.items.at(-1)).toMatchObject({ event: { type: "overload", notShown: { events: 0, unchecked: 7 } } });
  });

  it("ends when it is deleted, by nobody but its own credential", async () => {
    const hub = hubOf("tail-delete");
    const one = await tail(hub, "tail-delete");
    expect(await hub.endTail(one.id, "token other")).toBe(false);
    expect(await hub.endTail(one.id, who.credential)).toBe(true);
    expect(await one.closed).toBe(1000);
  });

  it("ends with its credential", async () => {
    const hub = hubOf("tail-revoked");
    const one = await tail(hub, "tail-revoked");
    expect(await hub.dismiss({ credential: who.credential })).toBe(1);
    expect(await one.closed).toBe(4001);
  });

  it("is refused when its credential ended between the ticket and the socket", async () => {
    const hub = hubOf("tail-late");
    const id = crypto.randomUUID();
    await env.DB.prepare(
      "INSERT INTO tokens (id, name, hash, scope, created_at, created_by, revoked_at) VALUES (?, 'n', ?, 'read', 0, 'me', 1)",
    )
      .bind(id, id)
      .run();
    const request = { script: "tail-late", filters: [], clientIp: "", who: { credential: `token ${id}` } };
    const ticket = await hub.createTail(request);
    if (ticket === "full") throw new Error("full");
    const { status } = await hub.fetch(entranceRequest({ kind: "trace", secret: ticket.secret }));
    expect([status, await hub.listTails(request.who.credential)]).toEqual([401, []]);
  });

  it("comes in however long the address is that somebody made up for it", async () => {
    const hub = hubOf("tail-address");
    const request = { script: "tail-address", filters: [], clientIp: "1".repeat(20_000), who };
    const ticket = await hub.createTail(request);
    if (ticket === "full") throw new Error("full");
    const { status, webSocket } = await hub.fetch(entranceRequest({ kind: "trace", secret: ticket.secret }));
    webSocket?.accept();
    expect(status).toBe(101);
  });
});
