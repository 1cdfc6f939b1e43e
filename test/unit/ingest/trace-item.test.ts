import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { occurrencesOf } from "../../../workers/ingest/grouping/occurrences.ts";
import { traceItem } from "../../../workers/ingest/live/trace-item.ts";
import { compileNormalizer, type ItemDefaults, type Suspect } from "../../../workers/ingest/normalize/normalize.ts";
import { eventsOf, fetchItem, fixtures, NOW_MS, redactor, surroundings } from "./support.ts";

type Json = Record<string, unknown>;

const normalizer = compileNormalizer(redactor);

function textOf(item: unknown, defaults: ItemDefaults = {}): string {
  const invocation = normalizer.read(item, surroundings(defaults));
  if ("unreadable" in invocation) throw new Error(invocation.unreadable);
  const suspects: Suspect[] = [];
  const events = normalizer.events(invocation, NOW_MS, suspects);
  const occurrences = occurrencesOf(invocation, events, suspects);
  return traceItem({ invocation, found: { fields: invocation.fields, events, occurrences }, redactor });
}

const shown = (item: unknown, defaults?: ItemDefaults): Json => JSON.parse(textOf(item, defaults)) as Json;

/** What local workerd leaves out. */
const filled = ({ script, version }: ItemDefaults) => ({
  ...(script === undefined ? {} : { scriptName: script }),
  ...(version === undefined ? {} : { scriptVersion: version }),
});

/** Told apart below. */
const SECRETS = new Set(["fetch-secrets", "console"]);

describe("the items of every kind of invocation", () => {
  for (const [name, captured] of fixtures()) {
    test(`${name}: as it came, but for what is secret and what was left out`, () => {
      for (const { item, props } of captured) {
        const given = shown(item, props);
        const expected: Json = { ...item, ...filled(props) };
        if (SECRETS.has(name)) continue;
        if (item.scriptName === null && props.script === undefined) expected.scriptName = "unknown";
        expect(given).toEqual(expected);
      }
    });
  }
});

describe("secrets", () => {
  const told = (overrides: Json) => textOf(fetchItem(overrides));
  const log = (...message: unknown[]) => told({ logs: [{ timestamp: NOW_MS, level: "log", message }] });
  const request = (fields: Json) =>
    told({ event: { request: { url: "https://shop.test/", method: "GET", ...fields }, response: { status: 200 } } });

  test("of the fixtures", () => {
    const captured = fixtures();
    const [fetched] = captured.get("fetch-secrets") ?? [];
    expect((shown(fetched?.item, fetched?.props).event as { request: { url: string } }).request.url).toBe(
      "http://shop.test/search?q=shoes&token=REDACTED&api_key=REDACTED",
    );
    const [logged] = captured.get("console") ?? [];
    const { logs } = shown(logged?.item, logged?.props) as { logs: { message: unknown[] }[] };
    expect(logs.at(-1)?.message).toEqual([
      "token=REDACTED Authorization: REDACTED",
      { card: "REDACTED", password: "REDACTED" },
    ]);
  });

  test.each<[string, string]>([
    ["a query parameter", request({ url: "https://shop.test/?token=hunter2" })],
    ["user and password of a URL", request({ url: "https://me:hunter2@shop.test/" })],
    ["a header", request({ headers: { "X-Api-Key": "hunter2", cookie: "a=hunter2" } })],
    ["a token in any header", request({ headers: { "x-note": "Bearer hunter2hunter2hunter2" } })],
    ["a field of cf", request({ cf: { botManagement: { jwtToken: "hunter2" } } })],
    ["a header in a list", log([["cookie", "a=hunter2"]])],
    ["a header in a list in a field", log({ deep: { headers: [["x-api-key", "hunter2"]] } })],
    ["a header in a set in a list", log([new Set(["cookie", "a=hunter2"])])],
    ["a text", log("password=hunter2")],
    ["a field", log({ user: { password: "hunter2" } })],
    ["all below a field", log({ credentials: { a: { b: ["hunter2"] } } })],
    ["texts below a name of many, but not numbers", log({ tokens: { first: "hunter2", list: ["hunter2"] } })],
    ["a list under a name", log({ tokens: ["hunter2"] })],
    ["a name", log({ "token=hunter2": 1 })],
    ["what an argument announces of the next", log("password:", "hunter2")],
    ["what a format announces", log("password=%s", "hunter2")],
    ["what two arguments say together", log("at 7", "Bearer", "hunter2hunter2hunter2")],
    ["JSON in a text", log('{"password":"hunter2"}')],
    ["beside an object", log("secret:", "hunter2", { order: 1 })],
    ["an exception", told({ exceptions: [{ name: "E", message: "password=hunter2", timestamp: NOW_MS }] })],
    [
      "a stack",
      told({
        exceptions: [{ name: "E", message: "", stack: "E: token=hunter2\n    at f (a.js:1:2)", timestamp: NOW_MS }],
      }),
    ],
    ["a message of an exception that is an object", told({ exceptions: [{ name: "E", message: { pwd: "hunter2" } }] })],
    [
      "a diagnostic",
      told({
        diagnosticsChannelEvents: [
          { channel: "c", timestamp: NOW_MS, message: { at: new Map([["secret", new Set(["hunter2"])]]) } },
        ],
      }),
    ],
    ["a field that nobody knows", told({ somethingNew: { password: "hunter2" } })],
    ["a tail attribute", told({ tailAttributes: { apiKey: "hunter2" } })],
    ["an event that nobody knows", told({ event: { newKind: { secret: "hunter2" } } })],
    ["an Error beside a log", told({ logs: [{ message: ["E"], errorInfo: [{ name: "E", message: "pwd=hunter2" }] }] })],
    ["a level", told({ logs: [{ message: ["x"], level: "token=hunter2" }] })],
  ])("%s", (_, text) => {
    expect(text).not.toContain("hunter2");
    expect(text).toContain("REDACTED");
  });

  test("a list of headers stays a list", () => {
    const [line] = (
      JSON.parse(
        log([
          ["cookie", "a=hunter2"],
          ["accept", "*/*"],
        ]),
      ) as { logs: Json[] }
    ).logs;
    expect(line?.message).toEqual([
      [
        ["cookie", "REDACTED"],
        ["accept", "*/*"],
      ],
    ]);
  });

  test("a method that is none is not shown", () => {
    expect(request({ method: "password=hunter2" })).not.toContain("hunter2");
    expect(request({ method: "PURGE" })).toContain('"method":"PURGE"');
  });

  test("what does not get into the events of a log or an error does not get into its item either", () => {
    const secret = "zq-s3cr3t-9917";
    const word = fc.constantFrom(
      "password",
      "token",
      "a",
      "user",
      "secret:",
      "Bearer",
      "api_key=",
      "Authorization:",
      "=",
      "%s",
    );
    const text = fc
      .array(fc.oneof(word, fc.constant(secret)), { maxLength: 4 })
      .chain((words) => fc.constantFrom(" ", "", ": ", "=", '":"').map((between) => words.join(between)));
    const key = fc.constantFrom("password", "note", "tokens", "a", "key", "auth", "cookie");
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.integer(),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(key, tie("value"), { maxKeys: 3 }),
      ),
    }));
    const item = fc.record({
      logs: fc.array(fc.record({ message: fc.array(value, { maxLength: 4 }), level: fc.constant("log") }), {
        maxLength: 2,
      }),
      exceptions: fc.array(fc.record({ name: text, message: text, stack: text }), { maxLength: 1 }),
      diagnosticsChannelEvents: fc.array(fc.record({ channel: fc.constant("c"), message: value }), { maxLength: 1 }),
    });
    fc.assert(
      fc.property(item, (overrides) => {
        const whole = fetchItem(overrides);
        if (JSON.stringify(eventsOf(whole)).includes(secret)) return;
        expect(textOf(whole)).not.toContain(secret);
      }),
      { numRuns: 3_000 },
    );
  });

  test("whatever the shape, what is under a sensitive name does not leave", () => {
    const secret = "s3cr3t-s3cr3t";
    const around = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 6 },
        fc.record({ password: tie("hidden"), note: fc.string() }),
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie("any"), { maxKeys: 3 }),
        fc.constant(`apiKey=${secret}`),
        fc.constant(`Authorization: Bearer ${secret}`),
        fc.jsonValue(),
      ),
      hidden: fc.oneof(
        { maxDepth: 4 },
        fc.constant(secret),
        fc.array(tie("hidden"), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie("hidden"), { maxKeys: 3 }),
      ),
    })).any;
    fc.assert(
      fc.property(around, fc.constantFrom("logs", "diagnostics", "cf", "further"), (value, where) => {
        const text = {
          logs: () => log("x", value),
          diagnostics: () => told({ diagnosticsChannelEvents: [{ channel: "c", message: value, timestamp: NOW_MS }] }),
          cf: () => request({ cf: { value } }),
          further: () => told({ further: value }),
        }[where]();
        expect(text).not.toContain(secret);
      }),
      { numRuns: 300 },
    );
  });
});

describe("hostile items", () => {
  const withMessage = (message: unknown) =>
    shown(fetchItem({ diagnosticsChannelEvents: [{ channel: "c", timestamp: NOW_MS, message }] }));

  test("a cycle ends", () => {
    const cycle: Json = { name: "loop" };
    cycle.self = cycle;
    expect(withMessage(cycle)).toMatchObject({ truncated: true, diagnosticsChannelEvents: [{ channel: "c" }] });
  });

  test("a getter that throws is left out", () => {
    const cf = Object.defineProperty({ kept: 1 }, "thrown", {
      enumerable: true,
      get: () => {
        throw new Error("no");
      },
    });
    const event = { request: { url: "https://shop.test/", method: "GET", cf }, response: { status: 200 } };
    expect(shown(fetchItem({ event }))).toMatchObject({ event: { request: { cf: { kept: 1 } } } });
  });

  test("functions are left out, dates are as JSON has them, what JSON cannot say is null or a text", () => {
    const at = new Date("2026-01-01T00:00:00.000Z");
    const message = { f: () => 1, at, list: [undefined, () => 1, Number.NaN], big: 12n, map: new Map([["a", 1]]) };
    expect(withMessage(message)).toMatchObject({
      diagnosticsChannelEvents: [
        { message: { at: "2026-01-01T00:00:00.000Z", list: [null, null, null], big: "12", map: { a: 1 } } },
      ],
    });
  });

  test("`__proto__` is a name like any other", () => {
    const message = JSON.parse('{"__proto__":{"polluted":true},"a":1}') as Json;
    expect(textOf(fetchItem({ logs: [{ message: [message] }] }))).toContain('{"__proto__":{"polluted":true},"a":1}');
    expect(({} as Json).polluted).toBeUndefined();
  });

  test("a huge item is cut, keeps its exceptions and its request, and says that it is cut", () => {
    const logs = Array.from({ length: 5_000 }, () => ({ message: ["x".repeat(40_000)], timestamp: NOW_MS }));
    const text = textOf(fetchItem({ logs, exceptions: [{ name: "E", message: "no", timestamp: NOW_MS }] }));
    expect(text.length).toBeLessThan(600_000);
    expect(JSON.parse(text)).toMatchObject({
      truncated: true,
      exceptions: [{ name: "E", message: "no" }],
      event: { request: { url: "https://shop.test/" } },
    });
  });

  test("a list of a million values is cut", () => {
    const { length } = textOf(fetchItem({ logs: [{ message: [Array.from({ length: 1_000_000 }, (_, i) => i)] }] }));
    expect(length).toBeLessThan(300_000);
  });

  test("whatever is posted, readers find texts where they look for texts and lists where they look for lists", () => {
    const any = fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: true });
    const event = fc.dictionary(
      fc.constantFrom(
        "request",
        "cron",
        "queue",
        "rpcMethod",
        "mailFrom",
        "rcptTo",
        "message",
        "type",
        "consumedEvents",
      ),
      any,
    );
    const item = fc.record({
      event,
      logs: fc.array(any),
      exceptions: fc.array(any),
      scriptVersion: any,
      entrypoint: any,
    });
    fc.assert(
      fc.property(item, (overrides) => {
        const out = shown(fetchItem(overrides)) as {
          event: Json | null;
          logs: { message: unknown; level: unknown }[];
          exceptions: { name: unknown; stack?: unknown }[];
        };
        for (const name of ["cron", "queue", "rpcMethod", "mailFrom", "rcptTo", "message", "type"]) {
          expect(["string", "undefined"]).toContain(typeof out.event?.[name]);
        }
        if (out.event?.request !== undefined) {
          expect(out.event.request).toMatchObject({ url: expect.any(String), method: expect.any(String) });
        }
        if (out.event?.consumedEvents !== undefined) expect(out.event.consumedEvents).toBeInstanceOf(Array);
        for (const log of out.logs)
          expect(log).toMatchObject({ message: expect.any(Array), level: expect.any(String) });
        for (const { name, stack } of out.exceptions) {
          expect(typeof name).toBe("string");
          expect(["string", "undefined"]).toContain(typeof stack);
        }
      }),
      { numRuns: 500 },
    );
  });
});
