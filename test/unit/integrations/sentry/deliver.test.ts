import { describe, expect, it, vi } from "vitest";
import sentry from "../../../../workers/integrations/catalog/sentry.ts";
import type { Item } from "../../../../workers/integrations/contract.ts";
import {
  type Answer,
  bodyOf,
  event,
  fakeIo,
  invocationOf,
  itemOf,
  NOW,
  newDsn,
  payloadOf,
} from "../../../support/sentry.ts";

const errors = (count: number): Item[] =>
  Array.from({ length: count }, (_, i) =>
    itemOf("errors", event("exception", i + 1, { name: "Error", message: `m${i}` })),
  );
const logs = (count: number): Item[] =>
  Array.from({ length: count }, (_, i) => itemOf("logs", event("log", i + 1, { message: `line ${i}` })));

async function send(items: Item[], answers: Parameters<typeof fakeIo>[0], dsn = newDsn()) {
  const io = fakeIo(answers);
  return { io, dsn, ...(await sentry.send({ dsn }, items, io)) };
}

describe("what the receiver answers", () => {
  it.each<[string, Answer, object]>([
    ["a wrong key", { status: 401, body: '{"detail":"bad x-sentry-auth header"}' }, { kind: "unauthorized" }],
    [
      "a key of another project",
      { status: 403, body: '{"detail":"event submission rejected with_reason: ProjectId"}' },
      { kind: "unauthorized", message: expect.stringContaining("another project") },
    ],
    [
      "a key that it cannot read",
      { status: 400, body: '{"detail":"bad sentry DSN public key"}' },
      { kind: "unauthorized" },
    ],
    ["nobody there", { status: 404, body: "<html>" }, { kind: "misplaced" }],
    [
      "trouble of its own",
      { status: 503, headers: { "retry-after": "7" } },
      { kind: "unavailable", retryAfterMs: 7_000 },
    ],
    ["too much", { status: 429, headers: { "retry-after": "30" } }, { kind: "rate_limited", retryAfterMs: 30_000 }],
    [
      "too much, until a date",
      { status: 429, headers: { "retry-after": new Date(NOW + 9_000).toUTCString() } },
      { retryAfterMs: 9_000 },
    ],
    ["too much, without a time", { status: 429 }, { kind: "rate_limited", retryAfterMs: 60_000 }],
    ["yes, in a page of a portal", { body: "<!doctype html><title>Sign in</title>" }, { kind: "lying" }],
    ["yes, and speaks of an error", { body: '{"error":"index is read-only"}' }, { kind: "lying" }],
  ])("%s: is tried again, and nothing is asked a hundred times", async (_, answer, failure) => {
    const { outcomes, io } = await send(errors(100), [answer]);
    expect(outcomes).toHaveLength(100);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ again: failure });
    expect(io.requests.length).toBeLessThanOrEqual(6);
  });

  it("a connection that is not there is told as it was", async () => {
    const failure = { kind: "unreachable", message: "No connection to o1", status: 0 } as const;
    const { outcomes, requests } = await send(errors(20), [{ ok: false, failure }]);
    expect(outcomes).toEqual(outcomes.map(() => ({ again: failure })));
    expect(requests).toBeLessThanOrEqual(6);
  });

  it.each(["", "ok", '{"id":"%"}', '{"id":"x"}', "{}", '{"id":"0000', "null", "[]", '{"error":null}'])(
    "a success that says %j is one",
    async (body) => {
      const [item] = errors(1) as [Item];
      const uuid = item.id.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-").toUpperCase();
      const { outcomes } = await send([item], [{ body: body.replace("%", uuid) }]);
      expect(outcomes).toEqual(["delivered"]);
    },
  );

  it("a receiver that answers slowly gets what it takes in time, and the rest later", async () => {
    const io = fakeIo();
    const { request } = io;
    io.request = async (asked) => {
      const answer = await request(asked);
      io.at += 1_000;
      return answer;
    };
    const { outcomes, requests } = await sentry.send({ dsn: newDsn() }, errors(100), io);
    expect(requests).toBeLessThan(40);
    expect(outcomes.slice(0, 20)).toEqual(Array(20).fill("delivered"));
    expect(outcomes.at(-1)).toMatchObject({ again: { kind: "timeout" } });
  });

  it("a refusal is of one event, with the reason, and the others go on", async () => {
    const no = { status: 400, body: '{"detail":"invalid event envelope","causes":["missing field"]}' };
    const { outcomes } = await send(errors(3), [{}, no, {}]);
    expect(outcomes.filter((outcome) => outcome === "delivered")).toHaveLength(2);
    expect(outcomes[1]).toMatchObject({
      refused: {
        kind: "refused",
        status: 400,
        message: expect.stringContaining("invalid event envelope: missing field"),
      },
    });
  });

  it("a refusal of logs is narrowed down to the log", async () => {
    const io = fakeIo();
    const { request } = io;
    io.request = async (asked) => {
      const answer = await request(asked);
      const isBad = Buffer.from(bodyOf(asked)).includes('line 5"');
      return isBad && answer.ok ? { ...answer, status: 400, text: '{"detail":"no"}' } : answer;
    };
    const { outcomes } = await sentry.send({ dsn: newDsn() }, logs(16), io);
    expect(outcomes.map((outcome) => (outcome === "delivered" ? "" : Object.keys(outcome)[0])).join()).toBe(
      ",,,,,refused,,,,,,,,,,",
    );
    expect(io.requests.length).toBeLessThanOrEqual(9);
  });
});

describe("an item that cannot be told", () => {
  it("is refused alone: a person may have edited it into something else", async () => {
    const complained = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const broken = { ...itemOf("errors", event("exception", 1)), invocation: null } as unknown as Item;
    const items = [broken, ...errors(1), { ...broken, feed: "logs" } as Item, ...logs(1)];
    const { outcomes } = await send(items, [{}]);
    const refused = { refused: { kind: "refused", message: expect.stringContaining("Sentry's words") } };
    expect(outcomes).toMatchObject([refused, "delivered", refused, "delivered"]);
    expect(complained).toHaveBeenCalledTimes(2);
    complained.mockRestore();
  });
});

describe("rate limits", () => {
  it("of one category hold that one, in this batch and the next, and no other", async () => {
    const limited = {
      status: 429,
      headers: { "x-sentry-rate-limits": "120:log_item:organization:quota, 5:session:key" },
    };
    const dsn = newDsn();
    const first = await send([...logs(150), ...errors(2)], [limited, {}], dsn);
    expect(first.outcomes.slice(-2)).toEqual(["delivered", "delivered"]);
    for (const outcome of first.outcomes.slice(0, 150)) {
      expect(outcome).toMatchObject({ again: { kind: "rate_limited", retryAfterMs: 120_000, only: "logs" } });
    }
    expect(first).not.toHaveProperty("holdMs");
    const second = await send([...logs(5), ...errors(1)], [{}], dsn);
    expect(second.requests).toBe(1);
    expect(second.outcomes.at(-1)).toBe("delivered");
    expect(second.outcomes[0]).toMatchObject({ again: { kind: "rate_limited", only: "logs" } });
  });

  it("of all categories are of none alone", async () => {
    const both = { status: 429, headers: { "x-sentry-rate-limits": "60:log_item:key, 30::organization" } };
    for (const answer of [{ status: 429 }, both]) {
      const { outcomes } = await send(logs(2), [answer]);
      for (const outcome of outcomes) expect(outcome).not.toHaveProperty("again.only");
    }
  });

  it("end when their time is over", async () => {
    const dsn = newDsn();
    await send(logs(1), [{ status: 429, headers: { "x-sentry-rate-limits": "60:log_item:organization" } }], dsn);
    const io = fakeIo();
    io.at = NOW + 60_001;
    expect(await sentry.send({ dsn }, logs(1), io)).toMatchObject({ outcomes: ["delivered"] });
  });

  it("said with a yes count from the next event on", async () => {
    const { outcomes, holdMs } = await send(errors(1), [{ headers: { "x-sentry-rate-limits": "45::organization" } }]);
    expect({ outcomes, holdMs }).toEqual({ outcomes: ["delivered"], holdMs: 45_000 });
  });

  it.each(["", ":::", "abc:error", "-5:error", "99999999999:error", "1e9:", ",,,"])("%j is borne", async (header) => {
    const { outcomes } = await send(errors(1), [{ status: 429, headers: { "x-sentry-rate-limits": header } }]);
    const [outcome] = outcomes as readonly { again: { retryAfterMs: number } }[];
    expect(outcome?.again.retryAfterMs).toBeLessThanOrEqual(3_600_000);
  });
});

describe("what is too large", () => {
  const long = "x".repeat(400_000);
  const big = event("exception", 3, { name: "Error", message: long, attributes: { dump: long } });
  const around = invocationOf(
    event("invocation", 0),
    ...Array.from({ length: 60 }, (_, i) => event("log", i + 1, { message: long, time: 1 })),
    big,
  );

  it("is told in less detail at each 413, down to the last", async () => {
    const { outcomes, io } = await send([itemOf("errors", big, around)], [{ status: 413 }]);
    const sizes = io.requests.map((request) => bodyOf(request).length);
    expect(sizes).toHaveLength(4);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(sizes.at(-1)).toBeLessThan(8_000);
    expect(outcomes).toMatchObject([{ refused: { status: 413 } }]);
  });

  it("arrives as soon as it fits, and says what is missing", async () => {
    const { outcomes, io } = await send([itemOf("errors", big, around)], [{ status: 413 }, { status: 413 }, {}]);
    expect(outcomes).toEqual(["delivered"]);
    expect(payloadOf(io.requests.at(-1)).tags["tailrace.trimmed"]).toBe("context");
  });

  it("is also what Relay says with 400", async () => {
    const detail =
      "envelope exceeded size limits for type 'event' (https://develop.sentry.dev/sdk/envelopes/#size-limits)";
    const { outcomes } = await send(
      [itemOf("errors", big, around)],
      [{ status: 400, body: JSON.stringify({ detail }) }, {}],
    );
    expect(outcomes).toEqual(["delivered"]);
  });

  it("of logs is divided, and a single one is cut", async () => {
    const tooMuch = { status: 413 };
    const { outcomes, io } = await send(logs(2), [tooMuch, tooMuch, {}]);
    expect(outcomes).toEqual(["delivered", "delivered"]);
    expect(io.requests.map((request) => payloadOf(request).items.length)).toEqual([2, 1, 1, 1]);
    expect(payloadOf(io.requests[2]).items[0].attributes["tailrace.trimmed"]).toEqual({ value: true, type: "boolean" });
  });

  it("is packed, unless the receiver does not understand that", async () => {
    const dsn = newDsn();
    const { io, outcomes } = await send([itemOf("errors", big, around)], [{ status: 415 }, {}], dsn);
    expect(outcomes).toEqual(["delivered"]);
    expect(io.requests.map((request) => request.headers?.["content-encoding"])).toEqual(["gzip", undefined]);
    const next = await send([itemOf("errors", big, around)], [{}], dsn);
    expect(next.io.requests.map((request) => request.headers?.["content-encoding"])).toEqual([undefined]);
  });
});

describe("the test", () => {
  it("sends one message that people recognise, twice under one id, so that a relay has looked the key up", async () => {
    const io = fakeIo();
    const result = await sentry.test({ dsn: newDsn(), environment: "staging" }, io);
    expect(result).toMatchObject({ ok: true, message: expect.stringContaining("Tailrace can send to this project") });
    const payloads = io.requests.map(payloadOf);
    expect(payloads).toMatchObject([{ level: "info", environment: "staging", tags: { "tailrace.test": "true" } }, {}]);
    expect(payloads[0].event_id).toBe(payloads[1].event_id);
  });

  it.each<[string, Answer[], object]>([
    [
      "a wrong key that is found out late",
      [{}, { status: 403, body: '{"detail":"event submission rejected with_reason: ProjectId"}' }],
      { kind: "unauthorized", message: expect.stringContaining("Copy the DSN again") },
    ],
    [
      "a host without Sentry",
      [{ status: 404, body: "not found" }],
      { kind: "misplaced", message: expect.stringContaining("is the DSN of this host?") },
    ],
    ["a page", [{ body: "<html>" }], { kind: "lying" }],
  ])("says it when it is %s", async (_, answers, failure) => {
    expect(await sentry.test({ dsn: newDsn() }, fakeIo(answers))).toMatchObject({ ok: false, failure });
  });

  it("says when the receiver calls the event by another id", async () => {
    const result = await sentry.test({ dsn: newDsn() }, fakeIo([{ body: '{"id":"x"}' }]));
    expect(result).toMatchObject({ ok: true, message: expect.stringContaining("It calls it x") });
  });

  it("sends nothing with a DSN that is none", async () => {
    const io = fakeIo();
    expect(await sentry.test({ dsn: "nonsense" }, io)).toMatchObject({ ok: false });
    expect(io.requests).toHaveLength(0);
  });
});
