/** The documentation is what receivers go by: its code verifies what is sent, its schema describes it. */
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import webhook from "../../../../workers/integrations/catalog/webhook.ts";
import { HostileReceiver } from "../../../support/hostile-receiver.ts";
import { NOW, testIo } from "../../../support/integration-items.ts";
import { HOSTILE, KINDS, noticeItem } from "../../../support/notice-items.ts";

type Verify = (request: unknown, secret: string, now?: number) => Promise<{ id: string; type: string }>;
interface Schema {
  type?: string;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
}

const DOCUMENT = readFileSync("docs/webhooks.md", "utf8");
const block = (marker: string) =>
  new RegExp(`<!-- ${marker}[^\\n]*\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(DOCUMENT)?.[1] ?? "";
const schema = JSON.parse(block("schema")) as Schema;

const newSecret = () => `whsec_${randomBytes(32).toString("base64")}`;
const SECRET = newSecret();
const io = testIo();
let receiver: HostileReceiver;
let verify: Verify;
const values = (more = {}) => ({ url: `${receiver.url}/hook`, secret: SECRET, ...more });

/** What came, as a Worker would see it. */
function requests(): Request[] {
  return receiver.received.map(({ headers, body }) => {
    return new Request("https://example.com/hook", {
      method: "POST",
      headers: headers as HeadersInit,
      body: body.toString(),
    });
  });
}
const bodies = () => receiver.received.map(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>);
const idsOf = () => receiver.received.map(({ headers }) => headers["webhook-id"]);

beforeAll(async () => {
  receiver = await HostileReceiver.start();
  const code = `data:text/javascript;base64,${Buffer.from(block("verification")).toString("base64")}`;
  ({ verify } = (await import(/* @vite-ignore */ code)) as { verify: Verify });
});
afterAll(() => receiver.stop());
beforeEach(() => {
  receiver.forget();
  receiver.behave({ kind: "answer", status: 204, body: "" });
});

describe("the documented verification", () => {
  test("takes what is sent", async () => {
    const item = noticeItem({ detail: { title: HOSTILE } });
    expect((await webhook.send(values(), [item], io)).outcomes).toEqual(["delivered"]);
    const [request] = requests();
    expect(await verify(request as Request, SECRET, NOW)).toMatchObject({ id: `msg_${item.id}`, type: "issue.new" });
  });

  test("refuses another secret, another body, another id, an old request", async () => {
    await webhook.send(values(), [noticeItem()], io);
    const [request] = requests() as [Request];
    await expect(verify(request.clone(), newSecret(), NOW)).rejects.toThrow("does not fit");
    await expect(verify(request.clone(), SECRET, NOW + 301_000)).rejects.toThrow("too old");
    await expect(verify(request.clone(), SECRET, NOW - 301_000)).rejects.toThrow("too old");
    const { headers } = request;
    const body = await request.clone().text();
    const forged = new Request(request.url, { method: "POST", headers, body: body.replace("issue.new", "issue.old") });
    await expect(verify(forged, SECRET, NOW)).rejects.toThrow("does not fit");
    const renamed = new Headers(headers);
    renamed.set("webhook-id", "msg_other");
    await expect(
      verify(new Request(request.url, { method: "POST", headers: renamed, body }), SECRET, NOW),
    ).rejects.toThrow();
  });

  test("fits both secrets while they are changed", async () => {
    const next = newSecret();
    await webhook.send(values({ secret: next, previous_secret: SECRET }), [noticeItem()], io);
    const [request] = requests() as [Request];
    await verify(request.clone(), SECRET, NOW);
    await verify(request.clone(), next, NOW);
  });
});

test("signs as the specification says", async () => {
  await webhook.send(values(), [noticeItem()], io);
  const { headers, body } = receiver.received[0] as (typeof receiver.received)[number];
  const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", key).update(content).digest("base64")}`);
  expect(headers["webhook-timestamp"]).toBe(`${NOW / 1000}`);
});

test("a notice that is sent again has the same id, and another never has it", async () => {
  const items = [noticeItem(), noticeItem()];
  receiver.behave({ kind: "answer", status: 503 }, { kind: "answer" });
  const first = await webhook.send(values(), items, io);
  expect(first.requests).toBe(1);
  await webhook.send(values(), items, io);
  const ids = idsOf();
  expect(ids[0]).toBe(ids[1]);
  expect(ids[2]).not.toBe(ids[1]);
});

test("every payload is as its schema says, and as its table", async () => {
  await webhook.send(
    values(),
    KINDS.map((kind) => noticeItem({ kind })),
    io,
  );
  await webhook.test(values(), io);
  for (const body of bodies()) {
    expect(DOCUMENT).toContain(`| \`${body.type}\` |`);
    if (body.type !== "tailrace.test") expect(problems(schema, body, "")).toEqual([]);
  }
});

test.each([
  [400, "refused"],
  [422, "refused"],
])("%i is this one never", async (status, kind) => {
  receiver.behave({ kind: "answer", status, body: "no" }, { kind: "answer" });
  const { outcomes } = await webhook.send(values(), [noticeItem(), noticeItem()], io);
  expect(outcomes).toMatchObject([{ refused: { kind, status } }, "delivered"]);
});

test.each([
  [401, "unauthorized"],
  [410, "misplaced"],
  [429, "rate_limited"],
  [503, "unavailable"],
])("%i holds what comes after it, too", async (status, kind) => {
  receiver.behave({ kind: "answer", status, headers: { "retry-after": "7" } });
  const { outcomes, requests: made } = await webhook.send(values(), [noticeItem(), noticeItem()], io);
  expect(made).toBe(1);
  expect(outcomes).toMatchObject([{ again: { kind } }, { again: { kind } }]);
  if (status > 428) expect(outcomes[0]).toMatchObject({ again: { retryAfterMs: 7_000 } });
});

test("a redirect is not followed", async () => {
  receiver.behave({ kind: "redirect", to: "https://evil.example/" });
  const { outcomes } = await webhook.send(values(), [noticeItem()], io);
  expect(outcomes).toMatchObject([{ again: { kind: "misplaced" } }]);
});

test("says what a secret and an address must be", () => {
  const url = "https://hooks.example.com/";
  expect(webhook.check?.({ url, secret: SECRET })).toEqual({});
  for (const wrong of ["hooks", "ftp://hooks.example.com/"])
    expect(webhook.check?.({ url: wrong, secret: SECRET })).toHaveProperty("url");
  for (const secret of ["hunter2", "whsec_!!!", `whsec_${btoa("short")}`])
    expect(webhook.check?.({ secret })).toHaveProperty("secret");
});

/** As much of JSON Schema as the document uses. */
function problems(
  { type, required = [], properties = {}, additionalProperties }: Schema,
  value: unknown,
  path: string,
): string[] {
  const kind = Number.isInteger(value) ? "integer" : typeof value;
  if (type !== undefined && kind !== type) return [`${path}: ${kind}, not ${type}`];
  if (kind !== "object") return [];
  const entries = Object.entries(value as object);
  const missing = required
    .filter((name) => !Object.hasOwn(value as object, name))
    .map((name) => `${path}.${name} is missing`);
  // What is sent is in the document, all of it.
  const found = entries.flatMap(([name, part]) => {
    const own = properties[name] ?? additionalProperties;
    return own === undefined ? [`${path}.${name} is not documented`] : problems(own, part, `${path}.${name}`);
  });
  return [...missing, ...found];
}
