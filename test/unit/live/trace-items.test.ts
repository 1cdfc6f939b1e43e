/** Trace items of a pushed entry: given ones as they came, others made again of the events. */
import { describe, expect, it } from "vitest";
import { BatchBuilder } from "../../../workers/event/batch-builder.ts";
import { decodeBatch } from "../../../workers/event/batch-wire.ts";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { traceItems, withBlocker } from "../../../workers/live/trace/items.ts";
import { eventsOf, fixtures } from "../ingest/support.ts";

type Fields = Record<string, unknown>;

function batchOf(events: readonly TailraceEvent[]) {
  const builder = new BatchBuilder();
  for (const event of events) builder.push(event);
  return decodeBatch(builder.encode());
}

const captured = (name: string, at = 0) => {
  const found = fixtures().get(name)?.[at];
  if (found === undefined) throw new Error(`no fixture ${name}`);
  return found;
};

function rebuilt(name: string, at = 0): { item: Fields; original: Fields } {
  const { item, props } = captured(name, at);
  const [made] = traceItems(batchOf(eventsOf(item, props)), undefined);
  return { item: JSON.parse(made?.text() ?? "null"), original: item };
}

const ID = "0".repeat(32);
const event = (more: Partial<TailraceEvent>): TailraceEvent => ({
  ...{ time: 1_795_000_000_000_000, kind: "invocation", script: "shop", invocation_id: ID, seq: 0, sample_weight: 1 },
  ...more,
});

describe("an item that came along", () => {
  it("is sent as it came, letter by letter", () => {
    const text = '{"outcome":"ok",  "logs":[],"exceptions":[]}';
    const [item] = traceItems(batchOf([event({})]), { items: { [ID]: text } });
    expect(item?.text()).toBe(text);
    expect(item?.item).toEqual({ outcome: "ok", logs: [], exceptions: [] });
  });

  it("says which filter would have left it out, for who debugs", () => {
    const [item] = traceItems(batchOf([event({})]), { items: { [ID]: '{"outcome":"ok"}' } });
    if (item === undefined) throw new Error("no item");
    expect(JSON.parse(withBlocker(item, { query: "a" }))).toEqual({ outcome: "ok", filteredBy: { query: "a" } });
  });
});

describe("a batch", () => {
  it("is an item per invocation, in the order of the log, with how many events each has", () => {
    const other = "1".repeat(32);
    const events = [
      event({}),
      event({ kind: "log", seq: 1, level: "log", message: "a" }),
      event({ invocation_id: other }),
      event({ kind: "log", seq: 2, level: "log", message: "b" }),
    ];
    const items = traceItems(batchOf(events), undefined);
    expect(items.map(({ invocationId, rows }) => [invocationId, rows])).toEqual([
      [ID, 3],
      [other, 1],
    ]);
  });

  it.each<[what: string, events: Partial<TailraceEvent>[], failed: boolean]>([
    ["ended well", [{ outcome: "ok", status: 200 }], false],
    ["threw", [{ outcome: "exception" }], true],
    ["answered 500", [{ outcome: "ok", status: 500 }], true],
    ["was left by its client", [{ outcome: "canceled" }], false],
    ["said something at level error", [{ outcome: "ok" }, { kind: "log", seq: 1, level: "error" }], true],
  ])("knows that an invocation %s", (_, events, failed) => {
    const all = events.map((more) => event({ outcome: events[0]?.outcome ?? "ok", ...more }));
    expect(traceItems(batchOf(all), undefined)[0]?.failed).toBe(failed);
  });
});

describe("an item made again of its events", () => {
  it("of a request has what both formats of wrangler tail print", () => {
    const { item, original } = rebuilt("fetch-post");
    const { request, response } = item.event as { request: Fields; response: Fields };
    const given = (original.event as { request: Fields; response: Fields }).request;
    expect([request.url, request.method]).toEqual([given.url, given.method]);
    expect(response).toEqual((original.event as Fields).response);
    expect(item).toMatchObject({
      outcome: original.outcome,
      eventTimestamp: original.eventTimestamp,
      scriptName: "shop",
    });
    expect(item.scriptVersion).toEqual(captured("fetch-post").props.version);
    expect((request.headers as Fields)["cf-connecting-ip"]).toBe((given.headers as Fields)["cf-connecting-ip"]);
    expect((request.headers as Fields)["user-agent"]).toBe((given.headers as Fields)["user-agent"]);
  });

  it.each([
    ["queue", "queue"],
    ["scheduled", "cron"],
    ["rpc", "rpcMethod"],
    ["do-rpc", "rpcMethod"],
    ["rpc-throw", "rpcMethod"],
    ["websocket", "getWebSocketEvent"],
  ])("of %s has its event", (name, field) => {
    const at = (fixtures().get(name) ?? []).findIndex(({ item }) => field in (item.event as Fields));
    const { item, original } = rebuilt(name, at);
    expect(item.event).toEqual(original.event);
  });

  it("has exceptions with name, message and stack", () => {
    const { item, original } = rebuilt("throw");
    expect(item.exceptions).toEqual(original.exceptions);
    expect(item.outcome).toBe(original.outcome);
  });

  it("has its console calls, with their levels and times", () => {
    const { item, original } = rebuilt("console");
    const [made, given] = [item.logs, original.logs] as [Fields[], Fields[]];
    expect(made.map(({ timestamp }) => timestamp)).toEqual(given.map(({ timestamp }) => timestamp));
    const isText = (part: unknown) => typeof part === "string" && !part.startsWith("{");
    const plain = given.findIndex((log) => log.errorInfo === undefined && (log.message as unknown[]).every(isText));
    const { message, level } = given[plain] ?? {};
    expect(made[plain]).toMatchObject({ level, message: [(message as string[]).join(" ")] });
  });

  it("has source-mapped stacks where there are some", () => {
    const thrown = event({ kind: "exception", seq: 1, name: "Error", message: "no", stack: "    at a (x.js:1:2)" });
    const stacks = { [`${ID}.1`]: "    at charge (src/pay.ts:12:3)" };
    const [made] = traceItems(batchOf([event({ outcome: "exception" }), thrown]), { stacks });
    expect(made?.item.exceptions).toMatchObject([{ stack: "    at charge (src/pay.ts:12:3)" }]);
  });

  it("of every kind that the runtime makes is of the same shape", () => {
    for (const [name, all] of fixtures()) {
      for (let at = 0; at < all.length; at++) {
        const { item } = rebuilt(name, at);
        expect(item, name).toMatchObject({
          ...{ outcome: expect.any(String), eventTimestamp: expect.any(Number), truncated: expect.any(Boolean) },
          ...{ logs: expect.any(Array), exceptions: expect.any(Array), diagnosticsChannelEvents: expect.any(Array) },
        });
        for (const log of item.logs as Fields[]) expect(log.message, name).toEqual(expect.any(Array));
        for (const thrown of item.exceptions as Fields[]) expect(thrown.name, name).toEqual(expect.any(String));
      }
    }
  });
});
