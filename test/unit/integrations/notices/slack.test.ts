import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import slack from "../../../../workers/integrations/catalog/slack.ts";
import { HostileReceiver } from "../../../support/hostile-receiver.ts";
import { testIo } from "../../../support/integration-items.ts";
import { HOSTILE, KINDS, noticeItem } from "../../../support/notice-items.ts";

interface Text {
  type: string;
  text: string;
  emoji?: boolean;
  verbatim?: boolean;
}
interface Message {
  text: string;
  parse: string;
  link_names: boolean;
  blocks: { type: string; text?: Text; fields?: Text[]; elements?: Text[] }[];
}

let receiver: HostileReceiver;
const values = () => ({ webhook_url: `${receiver.url}/services/T01234567/B01234567/k3yk3yk3yk3yk3yk3yk3yk3y` });
const io = testIo();
const OK = { kind: "answer", body: "ok", headers: { "content-type": "text/html" } } as const;
const sent = (n = -1) => JSON.parse(receiver.received.at(n)?.body.toString() ?? "null") as Message;
const send = (items = [noticeItem()]) => slack.send(values(), items, io);
const failure = async () => {
  const [outcome] = (await send()).outcomes;
  return outcome as { again?: { kind: string; message: string; retryAfterMs?: number }; refused?: { message: string } };
};

beforeAll(async () => {
  receiver = await HostileReceiver.start();
});
afterAll(() => receiver.stop());
beforeEach(() => {
  receiver.forget();
  receiver.behave(OK);
});

const texts = ({ blocks }: Message) =>
  blocks.flatMap((b) => [b.text, ...(b.fields ?? []), ...(b.elements ?? [])]).filter((t) => t !== undefined);

test("says what happened, where, since which version, how often, and links there", async () => {
  expect(await send()).toEqual({ outcomes: ["delivered"], requests: 1 });
  const message = sent();
  expect(message.text).toContain("New issue in shop-storefront: TypeError: Cannot read");
  const all = texts(message).map(({ text }) => text);
  expect(all).toContain("🔴 New issue in shop-storefront");
  expect(all).toContain("TypeError: Cannot read properties of undefined (reading 'price')");
  expect(all).toContain("v1.6.0 (1a2b3c4d): new checkout");
  expect(all).toContain("cartTotal (src/cart.ts:42)");
  expect(all.join("\n")).toContain("1,204 times, since <!date^");
  expect(all.join("\n")).toContain("<https://tailrace.example.com/issues/12|Open in Tailrace>");
});

test.each(KINDS)("%s has words of its own", async (kind) => {
  await send([noticeItem({ kind })]);
  expect(sent().text).toContain("shop-storefront");
  if (kind.startsWith("rollout.")) expect(JSON.stringify(sent())).toContain("/rollouts/ro_1|");
});

test("an error's text mentions nobody, makes no link and no formatting", async () => {
  await send([noticeItem({ script: HOSTILE, detail: { type: "", title: HOSTILE, culprit: HOSTILE } })]);
  const message = sent();
  expect([message.parse, message.link_names]).toEqual(["none", false]);
  expect(message.text).not.toMatch(/<[!@#h]/);
  for (const { type, text, emoji, verbatim } of texts(message)) {
    if (type === "plain_text") expect(emoji).toBe(false);
    else {
      expect(verbatim).toBe(true);
      // What is markup is ours alone: a date, a link to our pages.
      for (const [, inner] of text.matchAll(/<([^>]*)>/g)) expect(inner).toMatch(/^(!date\^|https:\/\/tailrace\.)/);
    }
  }
});

test("keeps to the limits of Block Kit, whatever the texts are", async () => {
  const text = fc.string({ unit: "binary", maxLength: 4_000 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 10 }), async (pairs) => {
      await send(pairs.map(([script, title]) => noticeItem({ script, detail: { title, culprit: title } })));
      const message = sent();
      expect(message.blocks.length).toBeLessThanOrEqual(50);
      for (const block of message.blocks) {
        if (block.type === "header") expect(block.text?.text.length).toBeLessThanOrEqual(150);
        expect(block.fields?.length ?? 1).toBeLessThanOrEqual(10);
        for (const field of block.fields ?? []) expect([...field.text].length).toBeLessThanOrEqual(2_000);
        for (const { text: shown } of [block.text, ...(block.fields ?? [])].filter((t) => t !== undefined))
          expect(shown).not.toBe("");
      }
    }),
    { numRuns: 40 },
  );
});

describe("its answers", () => {
  test.each([
    [404, "no_service", "misplaced", "does not know this webhook any more"],
    [410, "channel_is_archived", "misplaced", "archived"],
    [403, "action_prohibited", "unauthorized", "restricted"],
    [403, "invalid_token", "unauthorized", "does not accept"],
    [500, "rollup_error", "unavailable", "trouble of its own"],
  ])("%i %s is %s, in plain words", async (status, body, kind, words) => {
    receiver.behave({ kind: "answer", status, body });
    const { again } = await failure();
    expect(again?.kind).toBe(kind);
    expect(again?.message).toContain(words);
  });

  test("429 waits as long as Retry-After says", async () => {
    receiver.behave({ kind: "answer", status: 429, headers: { "retry-after": "30" }, body: "rate_limited" });
    const { again } = await failure();
    expect(again).toMatchObject({ kind: "rate_limited", retryAfterMs: 30_000 });
  });

  test("a message that it cannot read is sent in halves, and the one it minds is put aside", async () => {
    const bad = { kind: "answer", status: 400, body: "invalid_payload" } as const;
    // All four; the first two; the last two; the third; the fourth.
    receiver.behave(bad, OK, bad, bad, OK);
    const { outcomes, requests } = await send([noticeItem(), noticeItem(), noticeItem(), noticeItem()]);
    expect(requests).toBe(5);
    expect(outcomes.map((o) => (typeof o === "string" ? o : Object.keys(o)[0]))).toEqual([
      ...["delivered", "delivered", "refused", "delivered"],
    ]);
  });

  test.each([
    [{ kind: "lie" }, "lying"],
    [{ kind: "answer", body: '{"ok":false}' }, "lying"],
    [{ kind: "answer", body: "no_service" }, "misplaced"],
  ] as const)("2xx that is no yes is no delivery: %o is %s", async (behaviour, kind) => {
    receiver.behave(behaviour);
    expect((await failure()).again?.kind).toBe(kind);
  });

  test.each(["", "{}", "OK", '{"success":true}'])("services that take Slack's messages may answer %o", async (body) => {
    receiver.behave({ kind: "answer", body });
    expect((await send()).outcomes).toEqual(["delivered"]);
  });

  test("the webhook's address is in no message", async () => {
    receiver.behave({ kind: "echo", status: 400 });
    const secret = values().webhook_url;
    const { outcomes } = await slack.send(values(), [noticeItem()], testIo({ secrets: [secret] }));
    expect(JSON.stringify(outcomes)).not.toContain("k3yk3yk3y");
  });
});

test("its test is a real message", async () => {
  expect(await slack.test(values(), io)).toEqual({ ok: true, message: "Slack took a message: look into the channel." });
  expect(sent().text).toContain("Tailrace can write here");
  receiver.behave({ kind: "answer", status: 404, body: "no_service" });
  expect(await slack.test(values(), io)).toMatchObject({ ok: false, failure: { kind: "misplaced" } });
});
