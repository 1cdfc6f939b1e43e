import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import discord from "../../../../workers/integrations/catalog/discord.ts";
import { HostileReceiver } from "../../../support/hostile-receiver.ts";
import { testIo } from "../../../support/integration-items.ts";
import { HOSTILE, noticeItem } from "../../../support/notice-items.ts";

interface Embed {
  title: string;
  description?: string;
  url?: string;
  fields: { name: string; value: string }[];
}
interface Message {
  embeds: Embed[];
  allowed_mentions: { parse: string[] };
}

let receiver: HostileReceiver;
const values = () => ({ webhook_url: `${receiver.url}/api/webhooks/1/token` });
const io = testIo();
const TAKEN = { kind: "answer", body: '{"id":"1100"}' } as const;
const sent = () => JSON.parse(receiver.received.at(-1)?.body.toString() ?? "null") as Message;
const send = (items = [noticeItem()]) => discord.send(values(), items, io);

beforeAll(async () => {
  receiver = await HostileReceiver.start();
});
afterAll(() => receiver.stop());
beforeEach(() => {
  receiver.forget();
  receiver.behave(TAKEN);
});

test("an embed per notice; Discord is asked to confirm", async () => {
  expect((await send([noticeItem(), noticeItem({ kind: "rollout.promoted" })])).outcomes).toEqual([
    "delivered",
    "delivered",
  ]);
  expect(receiver.received[0]?.path).toBe("/api/webhooks/1/token?wait=true");
  const { embeds, allowed_mentions } = sent();
  expect(allowed_mentions).toEqual({ parse: [] });
  expect(embeds.map((embed) => embed.url)).toEqual([
    ...["https://tailrace.example.com/issues/12", "https://tailrace.example.com/rollouts/ro_1"],
  ]);
  expect(embeds[0]?.title).toBe("New issue in shop\\-storefront");
  expect(embeds[0]?.fields.map((field) => field.name)).toEqual(["Worker", "Version", "Where", "Seen"]);
});

test("a thread is named in the address", async () => {
  await discord.send({ ...values(), thread_id: "77" }, [noticeItem()], io);
  expect(receiver.received[0]?.path).toBe("/api/webhooks/1/token?wait=true&thread_id=77");
  expect(discord.check?.({ thread_id: "general" })).toHaveProperty("thread_id");
});

test("an error's text has no meaning in Discord's Markdown", async () => {
  await send([noticeItem({ script: HOSTILE, detail: { type: "", title: HOSTILE, culprit: HOSTILE } })]);
  const [embed] = sent().embeds;
  for (const text of [embed?.title, embed?.description, embed?.fields[0]?.value, embed?.fields[2]?.value]) {
    // Everything that could mean something stands behind a backslash.
    expect(text?.replace(/\\[^a-zA-Z0-9\s]/g, "")).not.toMatch(/[*_~`|<>[\]()#@:\\]/);
  }
});

test("keeps to Discord's limits, whatever the texts are", async () => {
  const text = fc.oneof(fc.string({ unit: "binary", maxLength: 3_000 }), fc.constant("*".repeat(3_000)));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 10 }), async (pairs) => {
      await send(pairs.map(([script, title]) => noticeItem({ script, detail: { title, culprit: title } })));
      const { embeds } = sent();
      let total = 0;
      for (const { title, description = "", fields } of embeds) {
        expect(title.length).toBeLessThanOrEqual(256);
        expect(description.length).toBeLessThanOrEqual(4_096);
        for (const { name, value } of fields) {
          expect(name.length).toBeLessThanOrEqual(256);
          expect(value.length).toBeLessThanOrEqual(1_024);
          expect(value).not.toBe("");
          total += name.length + value.length;
        }
        total += title.length + description.length;
      }
      expect(total).toBeLessThanOrEqual(6_000);
    }),
    { numRuns: 40 },
  );
});

test("waits as its body says on 429, and as its headers say when the bucket is empty", async () => {
  const body = '{"message":"You are being rate limited.","retry_after":0.35,"global":false}';
  receiver.behave({ kind: "answer", status: 429, headers: { "retry-after": "1" }, body });
  expect((await send()).outcomes[0]).toMatchObject({ again: { kind: "rate_limited", retryAfterMs: 350 } });
  const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "1.2" };
  receiver.behave({ ...TAKEN, headers });
  expect(await send()).toMatchObject({ outcomes: ["delivered"], holdMs: 1_200 });
});

test.each([
  [404, '{"message":"Unknown Webhook","code":10015}', "misplaced", "deleted"],
  [401, '{"message":"Invalid Webhook Token","code":50027}', "unauthorized", "token"],
  [502, "<html>", "unavailable", "502"],
])("%i %s is %s", async (status, body, kind, words) => {
  receiver.behave({ kind: "answer", status, body });
  const [outcome] = (await send()).outcomes;
  expect(outcome).toMatchObject({ again: { kind } });
  expect(JSON.stringify(outcome)).toContain(words);
});

test("400 is a message that Discord will never take, with what it minds", async () => {
  receiver.behave({ kind: "answer", status: 400, body: '{"code":50035,"errors":{"embeds":{"0":"too long"}}}' });
  const [outcome] = (await send()).outcomes;
  expect(outcome).toMatchObject({ refused: { kind: "refused" } });
  expect(JSON.stringify(outcome)).toContain("too long");
});

test("204 is taken; a page for people is not", async () => {
  receiver.behave({ kind: "answer", status: 204, body: "" });
  expect((await send()).outcomes).toEqual(["delivered"]);
  receiver.behave({ kind: "lie" });
  expect((await send()).outcomes[0]).toMatchObject({ again: { kind: "lying" } });
});
