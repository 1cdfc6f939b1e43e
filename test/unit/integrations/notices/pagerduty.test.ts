import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import pagerduty from "../../../../workers/integrations/catalog/pagerduty.ts";
import { HostileReceiver } from "../../../support/hostile-receiver.ts";
import { testIo } from "../../../support/integration-items.ts";
import { HOSTILE, KINDS, noticeItem } from "../../../support/notice-items.ts";

interface Event {
  routing_key: string;
  event_action: string;
  dedup_key: string;
  payload?: {
    summary: string;
    source: string;
    severity: string;
    timestamp: string;
    custom_details: Record<string, string>;
  };
  links?: { href: string }[];
}

const KEY = "0123456789abcdef0123456789abcdef";
let receiver: HostileReceiver;
const values = (more = {}) => ({ routing_key: KEY, url: `${receiver.url}/v2/enqueue`, ...more });
const io = testIo();
const TAKEN = {
  kind: "answer",
  status: 202,
  body: '{"status":"success","message":"Event processed","dedup_key":"x"}',
} as const;
const sent = () => receiver.received.map((request) => JSON.parse(request.body.toString()) as Event);

beforeAll(async () => {
  receiver = await HostileReceiver.start();
});
afterAll(() => receiver.stop());
beforeEach(() => {
  receiver.forget();
  receiver.behave(TAKEN);
});

test("an issue is one alert, whatever is told of it, until it is resolved; a rollout another, which ends when it goes through", async () => {
  const items = KINDS.map((kind) => noticeItem({ kind }));
  expect((await pagerduty.send(values(), items, io)).outcomes).toEqual(items.map(() => "delivered"));
  expect(sent().map((event) => [event.event_action, event.dedup_key, event.payload?.severity ?? ""])).toEqual([
    ["trigger", "tailrace/issue/12", "error"],
    ["trigger", "tailrace/issue/12", "error"],
    ["trigger", "tailrace/issue/12", "error"],
    ["resolve", "tailrace/issue/12", ""],
    // rollout.started opens nothing.
    ["trigger", "tailrace/rollout/ro_1", "warning"],
    ["resolve", "tailrace/rollout/ro_1", ""],
    ["trigger", "tailrace/rollout/ro_1", "critical"],
    ["resolve", "tailrace/rollout/ro_1", ""],
  ]);
});

test("says all that who was woken needs", async () => {
  await pagerduty.send(values(), [noticeItem()], io);
  const [event] = sent();
  expect(event?.routing_key).toBe(KEY);
  expect(event?.payload?.summary).toBe(
    "New issue in shop-storefront: TypeError: Cannot read properties of undefined (reading 'price')",
  );
  expect(event?.payload?.timestamp).toBe("2026-11-21T03:12:00.000Z");
  expect(event?.payload?.custom_details).toMatchObject({
    version: "v1.6.0 (1a2b3c4d): new checkout",
    where: "cartTotal (src/cart.ts:42)",
    seen: "1,204 times",
  });
  expect(event?.links).toEqual([{ href: "https://tailrace.example.com/issues/12", text: "Open in Tailrace" }]);
});

test("severities are chosen; none opens nothing and is not sent again", async () => {
  const chosen = values({ new_issues: "none", rollbacks: "info" });
  const result = await pagerduty.send(chosen, [noticeItem(), noticeItem({ kind: "rollout.rolled_back" })], io);
  expect(result.outcomes).toEqual(["delivered", "delivered"]);
  expect(sent().map((event) => event.payload?.severity)).toEqual(["info"]);
});

test("keeps to its limits", async () => {
  const long = HOSTILE.repeat(100);
  await pagerduty.send(values(), [noticeItem({ script: long, detail: { title: long, culprit: long } })], io);
  const [event] = sent();
  expect(event?.payload?.summary.length).toBeLessThanOrEqual(1_024);
  expect(event?.payload?.summary).not.toMatch(/\p{Cc}|\p{Cf}/u);
});

test("a wrong key is told from a wrong event", async () => {
  const errors = (text: string) =>
    JSON.stringify({ status: "invalid event", message: "Event object is invalid", errors: [text] });
  receiver.behave({
    kind: "answer",
    status: 400,
    body: errors("Length of 'routing_key' is incorrect (should be 32 characters)"),
  });
  expect((await pagerduty.send(values(), [noticeItem()], io)).outcomes[0]).toMatchObject({
    again: { kind: "unauthorized" },
  });
  receiver.behave({ kind: "answer", status: 400, body: errors("'payload.source' is missing or blank") });
  const [outcome] = (await pagerduty.send(values(), [noticeItem()], io)).outcomes;
  expect(outcome).toMatchObject({ refused: { kind: "refused" } });
  expect(JSON.stringify(outcome)).toContain("missing or blank");
});

test("429 waits, and what comes after it waits with it, in order", async () => {
  receiver.behave(TAKEN, { kind: "answer", status: 429, headers: { "retry-after": "12" } });
  const { outcomes, requests } = await pagerduty.send(values(), [noticeItem(), noticeItem(), noticeItem()], io);
  expect(requests).toBe(2);
  expect(outcomes[0]).toBe("delivered");
  expect(outcomes[1]).toMatchObject({ again: { kind: "rate_limited", retryAfterMs: 12_000 } });
  expect(outcomes[2]).toEqual(outcomes[1]);
});

test("its test opens an alert and resolves it; a page for people is no PagerDuty", async () => {
  expect(await pagerduty.test(values(), io)).toMatchObject({ ok: true });
  const events = sent();
  expect(events.map((event) => event.event_action)).toEqual(["trigger", "resolve"]);
  expect(events[0]?.dedup_key).toBe(events[1]?.dedup_key);
  receiver.behave({ kind: "lie" });
  expect(await pagerduty.test(values(), io)).toMatchObject({ ok: false, failure: { kind: "lying" } });
});

test("the region decides the address", async () => {
  const asked: string[] = [];
  const listening = testIo({
    request: async ({ url }) => {
      asked.push(url);
      return { ok: false, failure: { kind: "unreachable", message: "no", status: 0 } };
    },
  });
  for (const region of ["us", "eu", ""]) await pagerduty.send({ routing_key: KEY, region }, [noticeItem()], listening);
  expect(asked.map((url) => new URL(url).hostname)).toEqual([
    ...["events.pagerduty.com", "events.eu.pagerduty.com", "events.pagerduty.com"],
  ]);
});
