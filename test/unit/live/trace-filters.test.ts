/** Filters of `wrangler tail`: what is read, what is refused, what they let through. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TailFilter } from "../../../workers/live/contract.ts";
import { normalAddress } from "../../../workers/live/trace/address.ts";
import { compileBlocker, readTailFilters } from "../../../workers/live/trace/filters.ts";
import { linesOf, type TraceItem } from "../../../workers/live/trace/items.ts";
import { MAX_FILTERS, MAX_FILTERS_CHARS, MAX_VALUE_CHARS, MAX_VALUES } from "../../../workers/live/trace/limits.ts";

const VERSION = "1b671a64-40d5-491e-99b0-da01ff1f3341";
const ITEM = {
  outcome: "exception",
  scriptName: "shop",
  scriptVersion: { id: VERSION },
  logs: [{ message: ["card declined", { order: { id: 12 } }], level: "warn" }],
  exceptions: [{ name: "Error", message: "out of stock" }],
  event: {
    request: {
      method: "POST",
      url: "https://shop.example/cart",
      headers: { "x-team": "checkout-eu", "cf-connecting-ip": "2001:db8::7", "content-length": 12 },
    },
  },
};
const CRON = { outcome: "ok", logs: [], exceptions: [], event: { cron: "* * * * *", scheduledTime: 1 } };

const traced = (item: Record<string, unknown>, invocationId = "a".repeat(32)): TraceItem => ({
  ...{ invocationId, failed: false, rows: 1, item },
  text: () => JSON.stringify(item),
  printed: () => linesOf(item),
});
const passes = (filters: TailFilter[], item: Record<string, unknown> = ITEM, clientIp = "") =>
  compileBlocker(filters, clientIp)(traced(item)) === undefined;

describe("a filter lets through", () => {
  it.each<[filter: TailFilter, passes: boolean]>([
    [{ outcome: ["ok", "exception"] }, true],
    [{ outcome: ["ok"] }, false],
    [{ method: ["GET", "post"] }, true],
    [{ method: ["GET"] }, false],
    [{ header: { key: "X-Team" } }, true],
    [{ header: { key: "x-other" } }, false],
    [{ header: { key: "x-team", query: "checkout" } }, true],
    [{ header: { key: "x-team", query: "Checkout" } }, false],
    [{ header: { key: "content-length", query: "12" } }, true],
    [{ client_ip: ["192.0.2.1", "2001:DB8:0:0::7"] }, true],
    [{ client_ip: ["2001:db8::8"] }, false],
    [{ query: "card declined" }, true],
    [{ query: '"id":12' }, true],
    [{ query: "Card" }, false],
    [{ query: "out of stock" }, false],
    [{ scriptVersion: VERSION }, true],
    [{ scriptVersion: VERSION.slice(0, 8) }, false],
  ])("%j: %s", (filter, expected) => {
    expect(passes([filter])).toBe(expected);
  });

  it.each<TailFilter>([
    { method: ["GET"] },
    { header: { key: "x-team" } },
    { client_ip: ["self"] },
    { query: "anything" },
    { scriptVersion: VERSION },
  ])("%j nothing of a cron, which has none of it", (filter) => {
    expect(passes([filter], CRON, "2001:db8::7")).toBe(false);
  });

  it("self: who asked; nobody whose address is not known", () => {
    expect(passes([{ client_ip: ["self"] }], ITEM, "2001:db8::7")).toBe(true);
    expect(passes([{ client_ip: ["self"] }], ITEM, "2001:db8::8")).toBe(false);
    expect(passes([{ client_ip: ["self"] }], ITEM, "")).toBe(false);
    expect(passes([{ client_ip: ["self"] }], { event: { request: { headers: { "cf-connecting-ip": "" } } } }, "")).toBe(
      false,
    );
  });

  it("what all of several let through", () => {
    expect(passes([{ outcome: ["exception"] }, { method: ["POST"] }, { query: "card" }])).toBe(true);
    expect(passes([{ outcome: ["exception"] }, { method: ["GET"] }, { query: "card" }])).toBe(false);
    expect(passes([])).toBe(true);
  });

  it("a fair part of the invocations, the same for everybody who asks for it", () => {
    const sampleOf = (rate: number, ip = "") => {
      const blocker = compileBlocker([{ sampling_rate: rate }], ip);
      return (id: string) => blocker(traced(ITEM, id)) === undefined;
    };
    const ids = Array.from({ length: 20_000 }, (_, k) => k.toString(16).padStart(32, "0"));
    const kept = ids.filter(sampleOf(0.25));
    expect(kept.length / ids.length).toBeCloseTo(0.25, 1);
    expect(ids.filter(sampleOf(0.25, "x"))).toEqual(kept);
    expect(ids.every(sampleOf(1))).toBe(true);
  });

  it("and names the one that does not, for who debugs", () => {
    const blocker = compileBlocker([{ query: "no such text" }, { method: ["GET"] }], "");
    expect(blocker(traced(ITEM))).toEqual({ method: ["GET"] });
    expect(compileBlocker([{ method: ["POST"] }], "")(traced(ITEM))).toBeUndefined();
  });

  it("without a word about items of any shape", () => {
    const filters: TailFilter[] = [{ query: "a" }, { header: { key: "a", query: "b" } }, { client_ip: ["self"] }];
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), fc.jsonValue(), (rest, logs, event) => {
        for (const filter of filters)
          expect(typeof passes([filter], { ...rest, logs, event }, "1.2.3.4")).toBe("boolean");
      }),
    );
  });
});

describe("a body", () => {
  it("as wrangler sends it is understood", () => {
    const filters = [
      { sampling_rate: 0.5 },
      { outcome: ["exception", "exceededCpu", "exceededMemory", "unknown"] },
      { method: ["GET", "POST"] },
      { header: { key: "x-team" } },
      { header: { key: "x-team", query: "eu" } },
      { client_ip: ["self"] },
      { query: "foo" },
      { scriptVersion: VERSION },
    ];
    expect(readTailFilters({ filters })).toEqual({ ok: true, filters });
  });

  it.each([undefined, null, {}, { filters: [] }])("%j asks for everything", (body) => {
    expect(readTailFilters(body)).toEqual({ ok: true, filters: [] });
  });

  it.each<[body: unknown, says: RegExp]>([
    [[], /JSON object/],
    ["x", /JSON object/],
    [{ filters: {} }, /must be a list/],
    [{ filters: ["ok"] }, /filters\[0\] must be an object/],
    [{ filters: [{}] }, /one field: sampling_rate, outcome/],
    [{ filters: [{ method: ["GET"], query: "a" }] }, /one field/],
    [{ filters: [{ verb: ["GET"] }] }, /known here: verb/],
    [{ filters: [{ toString: ["GET"] }] }, /known here/],
    [{ filters: [{ sampling_rate: 0 }] }, /sampling_rate must be a number above 0/],
    [{ filters: [{ sampling_rate: "0.5" }] }, /must be a number/],
    [{ filters: [{ sampling_rate: 1.1 }] }, /up to 1/],
    [{ filters: [{ outcome: "ok" }] }, /filters\[0\]\.outcome must be a list/],
    [{ filters: [{ outcome: [] }] }, /with one at least/],
    [{ filters: [{ method: ["GET", 1] }] }, /method\[1\] must be a text/],
    [{ filters: [{ header: "x-team" }] }, /object with a key/],
    [{ filters: [{ header: { query: "x" } }] }, /header\.key must be a text/],
    [{ filters: [{ header: { key: "a", query: "" } }] }, /header\.query must be a text/],
    [{ filters: [{ query: "" }] }, /not empty/],
    [{ filters: [{ query: "x".repeat(MAX_VALUE_CHARS + 1) }] }, /at most/],
    [{ filters: [{ method: Array(MAX_VALUES + 1).fill("GET") }] }, /at most/],
    [{ filters: Array(MAX_FILTERS + 1).fill({ query: "a" }) }, /At most/],
    [{ filters: Array(5).fill({ query: "x".repeat(MAX_VALUE_CHARS) }) }, /together/],
  ])("%j is refused, with a word", (body, says) => {
    const read = readTailFilters(body);
    expect(read.ok ? "understood" : read.message).toMatch(says);
  });

  it("of any shape is read or refused, never more than an attachment takes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.jsonValue()), (body, filters) => {
        for (const given of [body, { filters }]) {
          const read = readTailFilters(given);
          if (read.ok) expect(JSON.stringify(read.filters).length).toBeLessThanOrEqual(MAX_FILTERS_CHARS);
          else expect(read.message).not.toBe("");
        }
      }),
    );
  });
});

describe("an address", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:DB8::1", "2001:db8:0:0:0:0:0:1"],
    ["2001:0db8:0:0:0:0:0:0001", "2001:db8:0:0:0:0:0:1"],
    ["::1", "0:0:0:0:0:0:0:1"],
    ["::", "0:0:0:0:0:0:0:0"],
    ["self:", "self:"],
    ["1::2::3", "1::2::3"],
  ])("%s is %s", (address, normal) => {
    expect(normalAddress(address)).toBe(normal);
  });
});
