import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventItem } from "../../../../workers/integrations/contract.ts";
import { formatOf } from "../../../../workers/integrations/log-files/format.ts";
import { arbitraryEvent } from "../../../support/events.ts";
import { hexId, invocation, itemOf, NOW } from "../../../support/integration-items.ts";
import { parseSyslog, splitCounted, splitLines } from "../../../support/rfc5424.ts";

const NO_STACKS = new Map();
const write = (values: Record<string, string>, items: readonly EventItem[]) => formatOf(values).write(items, NO_STACKS);
const text = (values: Record<string, string>, items: readonly EventItem[]) =>
  new TextDecoder().decode(write(values, items));

const from = invocation({}, [
  { message: 'card "x" declined\nat once', level: "warn", attributes: { "user.id": 7, note: 'a]b\\c"d\né' } },
]);
const item = itemOf(from, 1);

const wild = fc.string({ unit: "binary", maxLength: 40 });
/** Anything that an event may hold, hostile texts in every place that ends up in a line. */
const anyItem = fc
  .record({ event: arbitraryEvent, script: wild, version: wild, level: wild, message: wild, name: wild, value: wild })
  .map(({ event, script, version, level, message, name, value }): EventItem => {
    const hostile = {
      ...event,
      script,
      version_id: version,
      level,
      message,
      name,
      attributes: { ...event.attributes, [name]: value },
    };
    return {
      id: hexId(),
      feed: "logs",
      event: hostile,
      invocation: { script, id: hexId(), events: [hostile] },
      tags: { team: value },
    };
  });

describe("NDJSON", () => {
  it("has what is known of an event, attributes apart", () => {
    const line = JSON.parse(text({ format: "ndjson" }, [item]));
    expect(line).toMatchObject({
      time: "2026-11-21T12:00:00.000000Z",
      ...{ id: item.id, level: "warn", worker: "shop", kind: "log", message: 'card "x" declined\nat once' },
      ...{ version: item.event.version_id, invocation_id: from.id, status: 200, route: "/products/:id" },
      attributes: { "user.id": 7 },
    });
  });

  it("is one valid object a line, whatever was logged", () => {
    fc.assert(
      fc.property(fc.array(anyItem, { minLength: 1, maxLength: 5 }), (items) => {
        const lines = text({ format: "ndjson" }, items).split("\n");
        expect(lines.pop()).toBe("");
        expect(lines.map((line) => JSON.parse(line).id)).toEqual(items.map(({ id }) => id));
      }),
    );
  });
});

describe("plain text", () => {
  it("is a line for people, with the rest as name=value", () => {
    expect(text({ format: "text" }, [item])).toMatch(
      /^2026-11-21T12:00:00\.000000Z WARN {2}shop card "x" declined\\nat once version=b5c3f8d0\S+ .*method=GET route=\/products\/:id status=200 .*user\.id=7 note="a]b\\\\c\\"d\\né" id=[0-9a-f]{32}\n$/,
    );
  });

  it("stays one line without control characters, whatever was logged", () => {
    fc.assert(
      fc.property(fc.array(anyItem, { minLength: 1, maxLength: 5 }), (items) => {
        const lines = text({ format: "text" }, items).split("\n");
        expect(lines.pop()).toBe("");
        expect(lines).toHaveLength(items.length);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there.
        for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      }),
    );
  });
});

describe("RFC 5424", () => {
  it("says everything in its place", () => {
    const message = parseSyslog(
      splitLines(write({ format: "rfc5424", hostname: "edge.example.com" }, [item]))[0] as Uint8Array,
    );
    expect(message).toMatchObject({
      ...{ facility: 16, severity: 4, time: NOW, hostname: "edge.example.com", appName: "shop", msgId: "log" },
      procId: item.event.version_id,
      message: 'card "x" declined\\nat once',
      bom: false,
    });
    expect(Object.fromEntries(message.data["tailrace@32473"] ?? [])).toMatchObject({ id: item.id, status: "200" });
    expect(Object.fromEntries(message.data["attributes@32473"] ?? [])).toEqual({
      "user.id": "7",
      note: 'a]b\\c"d\\né',
    });
  });

  it("marks a message of more than ASCII", () => {
    const umlaut = itemOf(invocation({}, [{ message: "schön" }]), 1);
    expect(parseSyslog(splitLines(write({ format: "rfc5424" }, [umlaut]))[0] as Uint8Array)).toMatchObject({
      message: "schön",
      bom: true,
    });
  });

  it("writes - for what is not there", () => {
    const bare = itemOf(invocation({ version_id: undefined }, [{ message: "m", version_id: undefined }]), 1);
    expect(parseSyslog(splitLines(write({ format: "rfc5424" }, [bare]))[0] as Uint8Array)).toMatchObject({
      procId: "-",
      hostname: "tailrace",
    });
  });

  for (const framing of ["newline", "octets"]) {
    it(`is strictly valid whatever was logged, framing ${framing}`, () => {
      fc.assert(
        fc.property(fc.array(anyItem, { minLength: 1, maxLength: 5 }), wild, (items, hostname) => {
          const body = write({ format: "rfc5424", framing, hostname }, items);
          const messages = (framing === "octets" ? splitCounted(body) : splitLines(body)).map(parseSyslog);
          const ids = messages.map(({ data }) => data["tailrace@32473"]?.find(([name]) => name === "id")?.[1]);
          expect(ids).toEqual(items.map(({ id }) => id));
        }),
        { numRuns: 300 },
      );
    });
  }
});
