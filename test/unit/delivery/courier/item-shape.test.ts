/** What people write into a dead letter: an item of the right types, or told what is wrong. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readItem } from "../../../../workers/delivery/courier/item-shape.ts";

const ID = "0123456789abcdef0123456789abcdef";
const EVENT = {
  ...{ time: 1_795_255_200_000_000, kind: "exception", script: "shop", invocation_id: ID, seq: 1, sample_weight: 1 },
  ...{ level: "error", name: "TypeError", message: "x is not a function", stack: "TypeError: x\n    at a.js:1:1" },
  attributes: { "user.id": "7", retries: 3, cached: false },
};
const ITEM = {
  ...{ id: ID, feed: "errors", tags: { team: "shop" }, event: EVENT },
  invocation: { script: "shop", id: ID, events: [EVENT, { ...EVENT, kind: "log", seq: 2 }] },
};
const DETAIL = { type: "TypeError", title: "x", culprit: "a.js", version: { id: "1", tag: "", message: "" } };
const NOTICE = {
  ...{ id: ID, feed: "notices", tags: {} },
  notice: { id: 3, at: 1_795_255_200_000, kind: "issue.new", issueId: 2, script: "shop", detail: DETAIL },
};

it.each([
  ["an event", ITEM],
  ["an event with what nobody knows", { ...ITEM, event: { ...EVENT, colour: ["red"] } }],
  ["a notice", NOTICE],
])("%s is an item", (_name, item) => {
  expect(readItem(JSON.stringify(item))).toEqual({ ok: true, item });
});

const withEvent = (more: object) => JSON.stringify({ ...ITEM, event: { ...EVENT, ...more } });
const withNotice = (more: object) => JSON.stringify({ ...NOTICE, notice: { ...NOTICE.notice, ...more } });

describe("is told what is wrong:", () => {
  it.each([
    ["no JSON", "{", "It is not JSON."],
    ["a list", "[]", "It must be an object."],
    ["nothing", "null", "It must be an object."],
    ["an id of another kind", JSON.stringify({ ...ITEM, id: "7" }), "id must be 32 hex digits."],
    ["tags that are no texts", JSON.stringify({ ...ITEM, tags: { a: 1 } }), "tags must be an object of texts."],
    ["no such feed", JSON.stringify({ ...ITEM, feed: "mail" }), "feed must be one of errors, logs, traces, notices."],
    ["no event", JSON.stringify({ ...ITEM, event: 7 }), "event must be an object."],
    ["no such kind", withEvent({ kind: "nonsense" }), "event.kind must be one of exception, log, raw, invocation."],
    ["a kind of another feed", withEvent({ kind: "span" }), "event.kind must be one of"],
    ["a time long before 1970", withEvent({ time: -1e18 }), "event.time must be whole microseconds since 1970."],
    ["a time beyond all numbers", withEvent({ time: 1e300 }), "event.time must be"],
    ["an endless number", withEvent({}).replace('"seq":1', '"seq":1e999'), "event.seq must be a whole number"],
    ["a message that is no text", withEvent({ message: 7 }), "event.message must be a text."],
    ["a stack that is a list", withEvent({ stack: [1] }), "event.stack must be a text."],
    ["a name that is null", withEvent({ name: null }), "event.name must be a text."],
    ["no Worker", withEvent({ script: "" }), "event.script must be a text that is not empty."],
    ["attributes that are nested", withEvent({ attributes: { a: {} } }), "event.attributes must be an object of"],
    ["attributes that are nothing", withEvent({ attributes: null }), "event.attributes must be an object of"],
    ["what only the prototype has", '{"__proto__":{}}', "id must be"],
    [
      "an event beside it",
      JSON.stringify({ ...ITEM, invocation: { ...ITEM.invocation, events: [EVENT, { ...EVENT, message: {} }] } }),
      "invocation.events[1].message must be a text.",
    ],
    ["no notice", JSON.stringify({ ...NOTICE, notice: [] }), "notice must be an object."],
    ["a notice of no kind", withNotice({ kind: "issue" }), "notice.kind must be one of issue.new"],
    ["a notice without detail", withNotice({ detail: null }), "notice.detail must be an object."],
    ["a title that is no text", withNotice({ detail: { ...DETAIL, title: 1 } }), "notice.detail.title must be a text."],
    ["a version of no name", withNotice({ detail: { ...DETAIL, version: {} } }), "notice.detail.version.id must be"],
  ])("%s", (_name, text, problem) => {
    const read = readItem(text);
    expect(read.ok ? "" : read.problem).toContain(problem);
  });
});

it("never throws, whatever is put anywhere", () => {
  const places = ["id", "feed", "tags", "event", "invocation"] as const;
  fc.assert(
    fc.property(
      fc.constantFrom(...places),
      fc.constantFrom(...Object.keys(EVENT)),
      fc.jsonValue(),
      (place, name, value) => {
        readItem(JSON.stringify({ ...ITEM, [place]: value }));
        const read = readItem(withEvent({ [name]: value }));
        if (read.ok && read.item.feed !== "notices") expect(typeof read.item.event.message).toBe("string");
        else expect(read).toMatchObject({ problem: expect.stringMatching(/^event\..* must be .*\.$/) });
      },
    ),
  );
});
