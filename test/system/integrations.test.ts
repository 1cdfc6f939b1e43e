/**
 * Integrations as somebody sets them up, over the API: tried out, previewed, made,
 * unplugged, plugged in again, mended, and removed, with a collector and a webhook of
 * one's own on this machine. At the end, what is on the disk is searched for the
 * credentials that went in.
 */
import { createHmac } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type {
  DeadLetterAnswer,
  DeadLettersAnswer,
  DestinationAnswer,
  DestinationRow,
  NewDestination,
  PreviewAnswer,
  SecretsAnswer,
  TestAnswer,
} from "../../workers/api/contract.ts";
import { runCli } from "../support/cli.ts";
import { until } from "../support/client.ts";
import { HostileReceiver, type ReceivedRequest } from "../support/hostile-receiver.ts";
import { errorItem, versionId } from "../support/issues.ts";
import { attributesOf, decodeRequest } from "../support/otlp-requests.ts";
import { probeItems } from "../support/probes.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

const DEADLINE_MS = 60_000;
const SCRIPT = "set-up";
const KEY = "Bearer-a-key-that-is-written-nowhere-5417";
const SIGNING = Buffer.from("thirty-two bytes that sign, 9201").toString("base64");

/** Base64 of 32 bytes each. */
const [OLD_KEY, NEW_KEY] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString("base64")) as [string, string];
const keyed = (keys: string) => ({ platform: { bindings: { TAILRACE_SECRET_KEY: keys } } });

let tailrace: TestStack;
let collector: HostileReceiver;
let hook: HostileReceiver;

beforeAll(async () => {
  tailrace = await startTestStack(keyed(OLD_KEY));
  collector = await HostileReceiver.start();
  hook = await HostileReceiver.start();
});
afterAll(async () => {
  await tailrace?.stop();
  await collector?.stop();
  await hook?.stop();
});

/** The same deployment with other keys. */
async function withKey(keys: string): Promise<void> {
  const { data } = tailrace;
  await tailrace.stack.stop();
  tailrace = await startTestStack({ data, ...keyed(keys) });
}

const api = <T>(method: string, path: string, body?: unknown) =>
  tailrace.client.call<T>(method, `/api/v1/${path}`, body === undefined ? undefined : JSON.stringify(body), {
    "content-type": "application/json",
  });

const otlp = (): NewDestination => ({
  integration: "otlp",
  name: "Our collector",
  values: { endpoint: collector.url, headers: `x-api-key: ${KEY}` },
  rules: { feeds: ["logs"], workers: [SCRIPT], tags: { team: "shop" } },
});
const webhook = (): NewDestination => ({
  integration: "webhook",
  name: "Our hook",
  values: { url: `${hook.url}/hooks`, secret: `whsec_${SIGNING}` },
  rules: { workers: [SCRIPT] },
});

async function made(given: NewDestination): Promise<DestinationRow> {
  const { status, body } = await api<DestinationAnswer>("POST", "destinations", given);
  expect(status, JSON.stringify(body)).toBe(201);
  return body.destination;
}
const read = async (id: string) => (await api<DestinationAnswer>("GET", `destinations/${id}`)).body.destination;

/** `batch/n` of each probe that the collector took, as often as it came. */
const probes = ({ received }: HostileReceiver): string[] =>
  received.flatMap((request) =>
    decodeRequest(request).flatMap(({ records }) =>
      records.flatMap((record) => {
        const attributes = attributesOf(record.attributes);
        return attributes["probe.batch"] === undefined ? [] : [`${attributes["probe.batch"]}/${attributes["probe.n"]}`];
      }),
    ),
  );
const batch = (id: string, size: number) => Array.from({ length: size }, (_, n) => `${id}/${n}`).sort();

const arrive = (wanted: number) =>
  until(
    async () => new Set(probes(collector)).size,
    (count) => count >= wanted,
    DEADLINE_MS,
  );

/** As the document for receivers has it. */
function isSigned({ headers, body }: ReceivedRequest): boolean {
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const signature = createHmac("sha256", Buffer.from(SIGNING, "base64")).update(signed).digest("base64");
  return String(headers["webhook-signature"]).split(" ").includes(`v1,${signature}`);
}

test("tried out, previewed and made, it gets what happens from then on, once", async () => {
  const { integration, values, rules } = otlp();
  const tried = await api<TestAnswer>("POST", "destinations/test", { integration, values });
  expect(tried.body, JSON.stringify(tried.body)).toMatchObject({ ok: true });
  expect(collector.received[0]?.headers["x-api-key"]).toBe(KEY);
  collector.forget();

  await tailrace.client.ingest(probeItems(SCRIPT, { id: "before", size: 30 }));
  const preview = await api<PreviewAnswer>("POST", "destinations/preview", { integration, rules });
  expect(preview.body.feeds.find(({ feed }) => feed === "logs")).toMatchObject({ candidates: 30, sent: 30 });

  const row = await made(otlp());
  await tailrace.client.ingest(probeItems(SCRIPT, { id: "after", size: 40 }));
  await tailrace.client.ingest(probeItems("another-worker", { id: "other", size: 5 }));
  await arrive(40);
  await until(
    () => read(row.id),
    ({ health }) => health.delivered === 40,
    DEADLINE_MS,
  );
  expect(probes(collector).sort()).toEqual(batch("after", 40));
  const [group] = decodeRequest(collector.received[0] as ReceivedRequest);
  expect(attributesOf(group?.resource ?? [])).toMatchObject({ "service.name": SCRIPT, team: "shop" });
});

test("unplugged and plugged in again, the gap is filled, and nothing comes twice", async () => {
  const { body } = await api<{ destinations: DestinationRow[] }>("GET", "destinations");
  const [row] = body.destinations as [DestinationRow];
  const { port } = collector;
  await collector.stop();
  await tailrace.client.ingest(probeItems(SCRIPT, { id: "gap-1", size: 30 }));
  await until(
    () => read(row.id),
    ({ health }) => health.lastError?.kind === "unreachable",
    DEADLINE_MS,
  );
  await tailrace.client.seal();
  await tailrace.client.ingest(probeItems(SCRIPT, { id: "gap-2", size: 30 }));
  collector = await HostileReceiver.start(port);
  await api("POST", `destinations/${row.id}/retry`);
  await arrive(60);
  await until(
    () => read(row.id),
    ({ health }) => health.delivered === 100 && health.condition !== "failing",
    DEADLINE_MS,
  );
  expect(probes(collector).sort()).toEqual([...batch("gap-1", 30), ...batch("gap-2", 30)].sort());
});

test("a new issue is told to the webhook, signed, once", async () => {
  const row = await made(webhook());
  const thrown = { script: SCRIPT, version: versionId(1), name: "SetUpError", message: "it broke while setting up" };
  await tailrace.client.ingest([errorItem(thrown), errorItem(thrown)]);
  await until(
    async () => hook.received.length,
    (count) => count > 0,
    DEADLINE_MS,
  );
  await until(
    () => read(row.id),
    ({ health }) => health.delivered === 1,
    DEADLINE_MS,
  );
  const [told] = hook.received as [ReceivedRequest];
  expect(hook.received).toHaveLength(1);
  expect(isSigned(told)).toBe(true);
  expect(JSON.parse(told.body.toString())).toMatchObject({ type: "issue.new" });
});

test("what a receiver will not take is a dead letter: seen, edited, sent again", async () => {
  hook.forget();
  hook.behave({ kind: "answer", status: 422, body: "no" }, { kind: "answer" });
  const { body } = await api<{ destinations: DestinationRow[] }>("GET", "destinations");
  const row = body.destinations.find(({ integration }) => integration === "webhook") as DestinationRow;
  const thrown = { script: SCRIPT, version: versionId(1), name: "OtherError", message: "and another one" };
  await tailrace.client.ingest([errorItem(thrown)]);
  const letters = `destinations/${row.id}/dead-letters`;
  const { deadLetters } = await until(
    async () => (await api<DeadLettersAnswer>("GET", letters)).body,
    ({ total }) => total === 1,
    DEADLINE_MS,
  );
  const id = deadLetters[0]?.id;
  const { deadLetter } = (await api<DeadLetterAnswer>("GET", `${letters}/${id}`)).body;
  expect(deadLetter.failure).toMatchObject({ kind: "refused", status: 422 });
  const item = deadLetter.item.replaceAll("and another one", "one that was edited");
  expect(item).not.toBe(deadLetter.item);
  expect((await api("PUT", `${letters}/${id}`, { item })).status).toBe(200);
  expect((await api("PUT", `${letters}/${id}`, { item: '{"feed":"logs"}' })).status).toBe(422);
  hook.behave({ kind: "answer" });
  hook.forget();
  expect((await api("POST", `${letters}/replay`, { ids: [id] })).body).toEqual({ changed: 1, refused: 0 });
  expect(hook.received[0]?.body.toString()).toContain("one that was edited");
  expect((await api<DeadLettersAnswer>("GET", letters)).body.total).toBe(0);
});

test("the command lists and tries them, and says no key aloud", async () => {
  const { url } = tailrace.stack;
  const listed = await runCli(["destinations", "list"], { url });
  expect(listed.stdout).toMatch(/Our collector +otlp +\w+ +100 delivered/);
  expect(await runCli(["destinations", "test", "our collector"], { url })).toMatchObject({ code: 0 });
  collector.behave({ kind: "answer", status: 401, body: `not ${KEY}` });
  const refused = await runCli(["destinations", "test", "Our collector"], { url });
  expect(refused.code).toBe(1);
  expect(refused.stderr + refused.stdout).not.toContain(KEY);
  expect(await runCli(["destinations", "test", "nobody"], { url })).toMatchObject({ code: 1 });
});

test("secrets move to a new key, and the old one may go", async () => {
  const { body: before } = await api<SecretsAnswer>("GET", "secrets");
  expect(before).toMatchObject({ unreadable: [], sealed: [{ key: before.key, count: 3 }] });
  await withKey(`${NEW_KEY},${OLD_KEY}`);
  const rotated = await runCli(["secrets", "rotate"], { url: tailrace.stack.url });
  expect(rotated).toMatchObject({ code: 0, stdout: expect.stringContaining("3 secrets sealed again") });
  await withKey(NEW_KEY);
  const { body: after } = await api<SecretsAnswer>("GET", "secrets");
  expect(after).toMatchObject({ unreadable: [], sealed: [{ key: after.key, count: 3 }] });
  expect(after.key).not.toBe(before.key);
  collector.behave({ kind: "answer" });
  expect(await runCli(["destinations", "test", "Our collector"], { url: tailrace.stack.url })).toMatchObject({
    code: 0,
  });
});

test("nothing that is kept on the disk holds a credential", async () => {
  await tailrace.client.seal();
  const { destinations } = (await api<{ destinations: DestinationRow[] }>("GET", "destinations")).body;
  const answers = await Promise.all(
    ["destinations", "audit", "secrets", ...destinations.map(({ id }) => `destinations/${id}`)].map((path) =>
      api("GET", path).then(({ body }) => JSON.stringify(body)),
    ),
  );
  const wanted = [KEY, SIGNING].flatMap((secret) => [secret, Buffer.from(secret).toString("base64")]);
  for (const text of answers) for (const secret of wanted) expect(text).not.toContain(secret);
  await tailrace.stack.stop();
  const files = filesBelow(tailrace.data);
  expect(files.length).toBeGreaterThan(3);
  const found = files.filter((file) => {
    const bytes = readFileSync(file);
    return wanted.some((secret) => bytes.includes(secret));
  });
  expect(found).toEqual([]);
});

const filesBelow = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile());
