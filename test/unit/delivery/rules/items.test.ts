import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DestinationRules, Feed, Notification } from "../../../../workers/api/contract.ts";
import { matchesPattern } from "../../../../workers/delivery/rules/pattern.ts";
import { itemsOf, noticeItems, readRules, wantsWorker } from "../../../../workers/delivery/rules/rules.ts";
import type { TailraceEvent } from "../../../../workers/event/event.ts";
import type { Invocation } from "../../../../workers/integrations/contract.ts";

const TAKES: readonly Feed[] = ["errors", "logs", "traces", "notices"];

function rules(given: Partial<DestinationRules> = {}): DestinationRules {
  const read = readRules({ takes: TAKES }, given);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.rules;
}

const idOf = (n: number) => (n * 2_654_435_761).toString(16).padStart(32, "0");

function invocation(n: number, own: Partial<TailraceEvent>, ...more: Partial<TailraceEvent>[]): Invocation {
  const id = idOf(n);
  const shared = { script: "shop", invocation_id: id, sample_weight: 1, time: 1_763_700_000_000_000 + n, ...pick(own) };
  const events = [own, ...more].map(
    (event, seq) => ({ kind: "invocation", ...shared, ...event, seq }) as TailraceEvent,
  );
  return { script: "shop", id, events };
}
const pick = ({ outcome = "ok", status, version_id, version_tag }: Partial<TailraceEvent>) => ({
  ...{ outcome, version_id, version_tag },
  ...(status === undefined ? {} : { status }),
});

const log = (level: string, message = "hello"): Partial<TailraceEvent> => ({ kind: "log", level, message });
const thrown = (name: string): Partial<TailraceEvent> => ({ kind: "exception", level: "error", name, message: "m" });
const loggedError = (name: string): Partial<TailraceEvent> => ({
  ...log("error"),
  name,
  fingerprint: "f",
  stack: "  at x",
});

const feedsOf = (one: Invocation, given: Partial<DestinationRules> = {}) =>
  itemsOf(one, rules(given), "d1").items.map(({ feed, event }) => `${feed}:${event.kind}`);

describe("what an invocation is made into", () => {
  it("traces of itself and its spans, logs of its logs, errors of what was thrown", () => {
    const one = invocation(1, { outcome: "exception" }, log("info"), thrown("TypeError"), { kind: "span", name: "db" });
    expect(feedsOf(one)).toEqual(["traces:invocation", "logs:log", "errors:exception", "traces:span"]);
    expect(feedsOf(one, { feeds: ["errors"] })).toEqual(["errors:exception"]);
  });

  it("an error of itself when it failed and nothing explains it", () => {
    const only = { feeds: ["errors"] } satisfies Partial<DestinationRules>;
    expect(feedsOf(invocation(1, { status: 503 }), only)).toEqual(["errors:invocation"]);
    expect(feedsOf(invocation(1, { outcome: "exceededCpu" }), only)).toEqual(["errors:invocation"]);
    expect(feedsOf(invocation(1, { status: 503 }, log("error")), only)).toEqual(["errors:invocation"]);
    expect(feedsOf(invocation(1, { status: 503 }, thrown("E")), only)).toEqual(["errors:exception"]);
    expect(feedsOf(invocation(1, { status: 503 }, loggedError("E")), only)).toEqual(["errors:log"]);
    expect(feedsOf(invocation(1, { status: 404 }), only)).toEqual([]);
    expect(feedsOf(invocation(1, { outcome: "canceled", status: 500 }), only)).toEqual([]);
  });

  it("an error of itself beside what was thrown, when it is an issue of its own", () => {
    const died = invocation(1, { outcome: "exceededMemory", fingerprint: "f1" }, thrown("E"));
    expect(feedsOf(died, { feeds: ["errors"] })).toEqual(["errors:invocation", "errors:exception"]);
  });

  it("one item of a logged Error: an error where these are sent, else a log", () => {
    const one = invocation(1, {}, loggedError("TypeError"), log("error"));
    expect(feedsOf(one, { feeds: ["errors", "logs"] })).toEqual(["errors:log", "logs:log"]);
    expect(feedsOf(one, { feeds: ["logs"] })).toEqual(["logs:log", "logs:log"]);
    expect(feedsOf(one, { feeds: ["errors"] })).toEqual(["errors:log"]);
  });

  it("carries tags, the event and its invocation", () => {
    const one = invocation(1, {}, log("info"));
    const [item] = itemsOf(one, rules({ feeds: ["logs"], tags: { team: "checkout" } }), "d1").items;
    expect(item).toMatchObject({ tags: { team: "checkout" }, event: { message: "hello" }, feed: "logs" });
    expect(item?.invocation).toBe(one);
  });
});

describe("ids of items", () => {
  it("are 32 hex digits, the same at every try, never the same for two of an invocation", () => {
    const one = invocation(7, { status: 500 }, ...Array.from({ length: 500 }, () => log("info")));
    const ids = itemsOf(one, rules(), "d1").items.map(({ id }) => id);
    expect(ids).toHaveLength(502);
    expect(new Set(ids).size).toBe(502);
    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
    expect(itemsOf(one, rules(), "d2").items.map(({ id }) => id)).toEqual(ids);
  });
});

describe("Workers, versions and levels", () => {
  it("are chosen by name, with stars, and left out by name", () => {
    const some = rules({ workers: ["shop-*", "api"], exceptWorkers: ["*-staging"] });
    const wanted = ["shop-a", "shop-", "api", "api2", "shop", "shop-a-staging"].filter((name) =>
      wantsWorker(some, name),
    );
    expect(wanted).toEqual(["shop-a", "shop-", "api"]);
    expect(wantsWorker(rules(), "anything")).toBe(true);
    expect(feedsOf(invocation(1, {}), { workers: ["other"] })).toEqual([]);
  });

  it("of versions by id or tag", () => {
    const one = invocation(1, { version_id: "0a1b", version_tag: "v1.2" });
    expect(feedsOf(one, { versions: ["v1.*"] })).toEqual(["traces:invocation"]);
    expect(feedsOf(one, { versions: ["0a*"] })).toEqual(["traces:invocation"]);
    expect(feedsOf(one, { versions: ["v2*"] })).toEqual([]);
    expect(feedsOf(invocation(1, {}), { versions: ["v1*"] })).toEqual([]);
  });

  it("of logs from a level on; console.log counts as info", () => {
    const one = invocation(1, {}, ...["debug", "log", "info", "warn", "error"].map((level) => log(level)));
    const levels = (minLevel: DestinationRules["minLevel"]) =>
      itemsOf(one, rules({ feeds: ["logs"], minLevel }), "d1").items.map(({ event }) => event.level);
    expect(levels("debug")).toEqual(["debug", "log", "info", "warn", "error"]);
    expect(levels("info")).toEqual(["log", "info", "warn", "error"]);
    expect(levels("warn")).toEqual(["warn", "error"]);
    expect(levels("error")).toEqual(["error"]);
  });
});

describe("sampling", () => {
  const rateOf = (given: Partial<DestinationRules>, one: (n: number) => Invocation, count = 20_000) => {
    const asked = rules(given);
    let [sent, sampled] = [0, 0];
    for (let n = 0; n < count; n++) {
      const { items, dropped } = itemsOf(one(n), asked, "d1");
      sent += items.length;
      sampled += dropped.sampled;
    }
    expect(sent + sampled).toBe(count);
    return sent / count;
  };
  const of = (own: Partial<TailraceEvent>) => (n: number) => invocation(n, own);

  it("keeps the share that its rule says: by class, by code, by outcome, else the rest's", () => {
    const given: Partial<DestinationRules> = {
      feeds: ["traces"],
      sampling: [
        { status: "404", rate: 0 },
        { status: "4xx", rate: 0.5 },
        { outcome: "exceededCpu", rate: 1 },
      ],
      otherwise: 0.1,
    };
    expect(rateOf(given, of({ status: 404 }))).toBe(0);
    expect(rateOf(given, of({ status: 410 }))).toBeCloseTo(0.5, 1);
    expect(rateOf(given, of({ outcome: "exceededCpu" }))).toBe(1);
    expect(rateOf(given, of({ status: 200 }))).toBeCloseTo(0.1, 1);
  });

  it("goes by the type of an exception, thrown or logged, and by feed; the first rule that matches decides", () => {
    const given: Partial<DestinationRules> = {
      feeds: ["errors", "logs"],
      sampling: [
        { exception: "Http*", rate: 0 },
        { feed: "errors", exception: "TypeError", rate: 1 },
        { feed: "errors", rate: 0.5 },
      ],
      otherwise: 0,
    };
    const one = invocation(3, {}, thrown("HttpError"), thrown("TypeError"), loggedError("TypeError"), log("error"));
    const { items, dropped } = itemsOf(one, rules(given), "d1");
    expect(items.map(({ event }) => event.name)).toEqual(["TypeError", "TypeError"]);
    expect(dropped.sampled).toBe(2);
  });

  it("does not take the name of a cron for the type of an exception", () => {
    const cron = invocation(1, { name: "Http cleanup", event_type: "scheduled", outcome: "exceededCpu" });
    expect(feedsOf(cron, { feeds: ["errors"], sampling: [{ exception: "Http*", rate: 0 }] })).toEqual([
      "errors:invocation",
    ]);
  });

  it("keeps or drops an invocation as a whole, the same at every try, others for another destination", () => {
    const half = rules({ otherwise: 0.5 });
    const kept = (destination: string) =>
      Array.from(
        { length: 400 },
        (_, n) => itemsOf(invocation(n, {}, log("info"), log("info")), half, destination).items.length,
      );
    const first = kept("d1");
    expect(new Set(first)).toEqual(new Set([0, 3]));
    expect(kept("d1")).toEqual(first);
    expect(kept("d2")).not.toEqual(first);
  });

  it("of a higher rate keeps all that a lower one keeps", () => {
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, a, b) => {
          const count = (otherwise: number) => itemsOf(invocation(n, {}), rules({ otherwise }), "d1").items.length;
          expect(count(Math.max(a, b))).toBeGreaterThanOrEqual(count(Math.min(a, b)));
        },
      ),
    );
  });
});

describe("notices", () => {
  const notice = (id: number, kind: Notification["kind"], script = "shop"): Notification => ({
    ...{ id, at: 1_763_700_000_000, kind, issueId: 1, script },
    detail: { type: "TypeError", title: "t", culprit: "", version: { id: "0a1b", tag: "v1", message: "" } },
  });

  it("are chosen by kind, Worker and version, and each has an id of its own that stays", () => {
    const all = [notice(1, "issue.new"), notice(2, "issue.regressed"), notice(3, "issue.new", "other")];
    const kinds = (given: Partial<DestinationRules>) =>
      noticeItems(all, rules(given), "d1").items.map(({ notice: { id } }) => id);
    expect(kinds({})).toEqual([1, 2, 3]);
    expect(kinds({ notices: ["issue.new"] })).toEqual([1, 3]);
    expect(kinds({ workers: ["shop"] })).toEqual([1, 2]);
    expect(kinds({ versions: ["v2"] })).toEqual([]);
    expect(kinds({ feeds: ["logs"] })).toEqual([]);
    const ids = noticeItems(all, rules(), "d1").items.map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(noticeItems(all, rules(), "d2").items.map(({ id }) => id)).toEqual(ids);
    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
  });

  it("are sampled only by a rule that names them: a rate for logs does not lose an alarm", () => {
    expect(noticeItems([notice(1, "issue.new")], rules({ otherwise: 0 }), "d1").items).toHaveLength(1);
    const none = rules({ sampling: [{ feed: "notices", rate: 0 }] });
    expect(noticeItems([notice(1, "issue.new")], none, "d1")).toEqual({ items: [], dropped: { sampled: 1 } });
  });
});

describe("a pattern", () => {
  it("matches as a regular expression of its parts would", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 10 });
    fc.assert(
      fc.property(text, name, (pattern, of) => {
        const expected = new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(of);
        expect(matchesPattern(pattern, of)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it("of many stars is as quick as any", () => {
    expect(matchesPattern(`${"*a".repeat(120)}*b`, "a".repeat(5_000))).toBe(false);
  });
});
