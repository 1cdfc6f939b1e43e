/** What somebody on call sees: events as lines, in black and white, in colour, and whatever they hold. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { EventLines, type LineOptions } from "../../../../cli/tail/render/event-lines.ts";
import type { EventJson } from "../../../../workers/api/contract.ts";

beforeAll(() => {
  process.env.TZ = "UTC";
});

const V1 = "ccd4e7ca-e90e-8e57-a3cb-1f1cd422c09b";
const V2 = "592564cb-185f-8078-a969-233169545c6b";

const event = (fields: Partial<EventJson>): EventJson => ({
  time: "2026-11-21T04:33:20.206123Z",
  kind: "log",
  script: "shop",
  invocation_id: "a",
  seq: 1,
  sample_weight: 1,
  version_id: V1,
  version_tag: "v1.4.2",
  event_type: "fetch",
  outcome: "ok",
  level: "log",
  method: "GET",
  route: "/products/:id",
  status: 200,
  attributes: {},
  ...fields,
});

const request = (fields: Partial<EventJson> = {}): EventJson =>
  event({
    kind: "invocation",
    level: "info",
    seq: 0,
    message: "GET /products/:id",
    duration: 84.4,
    colo: "EWR",
    attributes: { "url.path": "/products/7", "client.address": "203.0.113.9", plan: "pro" },
    ...fields,
  });

const render = (events: readonly EventJson[], options: Partial<LineOptions> = {}): string => {
  const lines = new EventLines({ colour: false, full: false, ids: false, columns: () => 100, ...options });
  return `\n${events.map((each) => lines.format(each)).join("")}`;
};

const STACK = `    at price (src/price.ts:12:3)
    at async Object.fetch (src/index.ts:40:10)`;

describe("an invocation", () => {
  it("says once where it belongs; its logs and errors stand under it, errors with their mapped stack", () => {
    const failed = { outcome: "exception", status: undefined };
    const events = [
      request({ ...failed, version_id: V2, version_tag: "v1.5.0", script: "shop-storefront" }),
      event({ ...failed, level: "info", message: "looked up", attributes: { "user.id": "u-1", token: "REDACTED" } }),
      event({
        ...failed,
        kind: "exception",
        level: "error",
        name: "TypeError",
        message: "Cannot read properties of null",
        stack: "    at we (index.js:3:4363)",
        mapped_stack: `TypeError: Cannot read properties of null\n${STACK}`,
        issue: 2,
      }),
      request({ invocation_id: "b" }),
      event({
        invocation_id: "b",
        message: "{ service: 'catalog', ms: 14 }",
        attributes: { service: "catalog", ms: 14 },
      }),
      request({
        invocation_id: "c",
        script: "db",
        version_tag: "",
        message: "rpc levels",
        method: "",
        status: undefined,
      }),
    ];
    expect(render(events)).toBe(`
04:33:20.206 shop-storefront v1.5.0 GET /products/7  exception  84 ms  EWR  plan=pro
04:33:20.206   info   looked up  user.id=u-1
04:33:20.206   error  TypeError: Cannot read properties of null  issue #2
                        at price (src/price.ts:12:3)
                        at async Object.fetch (src/index.ts:40:10)
04:33:20.206 shop            v1.4.2 GET /products/7  200  84 ms  EWR  plan=pro
04:33:20.206   log    { service: 'catalog', ms: 14 }
04:33:20.206 db              ccd4e7ca rpc levels  ok  84 ms  EWR  plan=pro
`);
  });

  it("of which only a log was asked for: the line says in what it happened", () => {
    const events = [
      event({ level: "warn", message: "slow", outcome: "canceled", attributes: { ms: 1900 } }),
      event({ level: "error", message: "gave up", outcome: "canceled" }),
    ];
    expect(render(events)).toBe(`
04:33:20.206 shop v1.4.2 warn   slow  ms=1900  (GET /products/:id canceled 200)
04:33:20.206   error  gave up
`);
  });

  it("interrupted by a line about the stream says again where it belongs", () => {
    const lines = new EventLines({ colour: false, full: false, ids: true, columns: () => 100 });
    lines.format(request());
    lines.interrupted();
    expect(lines.format(event({ message: "x" }))).toBe(
      "04:33:20.206 shop v1.4.2 log    x  (GET /products/:id 200)  invocation:a\n",
    );
  });

  it("took milliseconds, seconds or minutes", () => {
    const took = (duration: number) => /200 {2}(.*?) {2}EWR/.exec(render([request({ duration })]))?.[1];
    expect([0, 0.42, 9.96, 84.4, 999, 1_234, 61_500].map(took)).toEqual([
      "0 ms",
      "0.4 ms",
      "10 ms",
      "84 ms",
      "999 ms",
      "1.23 s",
      "1 min 1 s",
    ]);
  });
});

describe("what is long", () => {
  const attributes = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`field${i}`, `value ${i}`]));

  it("attributes fill the line and no more; in full they are all there", () => {
    const [, line] = render([event({ message: "m", attributes })], { columns: () => 80 }).split("\n");
    expect(line).toBe('04:33:20.206 shop v1.4.2 log    m  field0="value 0" …+29  (GET /products/:id 200)');
    expect(render([event({ message: "m", attributes })], { full: true })).toContain('field29="value 29"');
    const long = event({ message: "m", attributes: { a: "x".repeat(500), b: "" } });
    expect(render([long], { columns: () => 200 })).toContain(`a=${"x".repeat(39)}… b=""  (`);
  });

  it("a message is cut, and says how much is left", () => {
    expect(render([event({ message: "x".repeat(3_000) })])).toMatch(
      / x{1000} … 2,000 more characters \(--full\) {2}\(/,
    );
    expect(render([event({ message: "x".repeat(3_000) })], { full: true })).toMatch(/ x{3000} /);
    const lines = render([event({ message: "line\n".repeat(50) })]).split("\n");
    expect(lines).toHaveLength(12);
    expect(lines.at(-2)).toBe(`${" ".repeat(22)}line … 200 more characters (--full)`);
  });

  it("a stack is cut; one that is in the message as well is not shown twice", () => {
    const stack = "    at f (a.js:1:1)\n".repeat(20);
    const thrown = event({ level: "error", message: `Error: no\n${stack}`, stack });
    const lines = render([thrown]).trimEnd().split("\n");
    expect(lines[1]).toMatch(/ error {2}Error: no {2}\(GET/);
    expect(lines.slice(2, -1)).toEqual(Array.from({ length: 12 }, () => `${" ".repeat(24)}at f (a.js:1:1)`));
    expect(lines.at(-1)).toBe(`${" ".repeat(24)}… 8 more lines (--full)`);
    expect(render([thrown], { full: true }).trimEnd().split("\n")).toHaveLength(22);
  });
});

describe("colours", () => {
  it("are the level's and the status's, and a version's own", () => {
    const colour = true;
    expect(render([event({ level: "error", message: "no" })], { colour })).toContain("\u001b[31mno\u001b[0m");
    expect(render([request({ status: 503 })], { colour })).toContain("\u001b[31m503\u001b[0m");
    expect(render([request({ status: 404 })], { colour })).toContain("\u001b[33m404\u001b[0m");
    const painted = (id: string) => /38;5;(\d+)mv/.exec(render([request({ version_id: id })], { colour }))?.[1];
    expect(painted(V1)).toBe(painted(V1));
    expect(painted(V1)).not.toBe(painted(V2));
  });

  it("of two versions of one Worker differ, also where their ids would share one", () => {
    const ids = Array.from({ length: 10 }, (_, i) => `version-${i}`);
    const text = render(
      ids.map((id) => request({ version_id: id })),
      { colour: true },
    );
    expect(new Set([...text.matchAll(/38;5;(\d+)m/g)].map(([, colour]) => colour)).size).toBe(10);
  });
});

describe("hostile text", () => {
  const EVIL = "\u001b]0;pwned\u0007\u001b[2J\u009b31m\r\u202egnp.exe\u2028\u0000";

  it("reaches no terminal, wherever it stands", () => {
    const evil = {
      ...{ script: EVIL, version_id: EVIL, version_tag: EVIL, message: EVIL, name: EVIL, outcome: EVIL },
      ...{ level: EVIL, method: EVIL, route: EVIL, colo: EVIL, stack: EVIL, mapped_stack: `x\n    at ${EVIL}` },
      ...{ invocation_id: EVIL, event_type: EVIL, time: EVIL, attributes: { [EVIL]: EVIL, "url.path": EVIL } },
    };
    for (const kind of ["invocation", "log", "exception", "span", EVIL]) {
      const text = render([event({ ...evil, kind })], { full: true, ids: true });
      expect(text).toContain("\\x1b]0;pwned\\x07\\x1b[2J\\x9b31m");
      expect(text).not.toMatch(/(?!\n)[\p{Cc}\u202e\u2028]/u);
    }
  });

  it("of any kind gives whole lines without control characters", () => {
    const value = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(EVIL, "", "\ud800"),
      fc.double(),
      fc.constant(null),
    );
    const fields = fc.dictionary(
      fc.constantFrom("message", "name", "level", "stack", "status", "duration", "outcome", "version_tag", "issue"),
      value,
    );
    const attributes = fc.dictionary(
      fc.string({ unit: "binary" }),
      fc.oneof(fc.string({ unit: "binary" }), fc.boolean()),
    );
    fc.assert(
      fc.property(fc.constantFrom("log", "invocation", "exception", "span"), fields, attributes, (kind, more, own) => {
        const text = render([event({ ...more, kind, attributes: own })]);
        expect(text.endsWith("\n")).toBe(true);
        expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cs}]/u);
      }),
    );
  });
});
