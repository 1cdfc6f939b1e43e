/** Cards of the marketplace set up as a person does, in a whole Tailrace: what each receiver gets of the same invocations. */
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DestinationAnswer, TestAnswer } from "../../workers/api/contract/integrations.ts";
import { type Bundle, thrownBy, withEsbuild } from "../support/bundled-app.ts";
import { HostileReceiver } from "../support/hostile-receiver.ts";
import { errorItem, uploadMap, versionId } from "../support/issues.ts";
import { attributesOf, type DecodedRecord, decodeRequest } from "../support/otlp-requests.ts";
import { parseSyslog, splitLines } from "../support/rfc5424.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

const DEADLINE_MS = 60_000;
const POLL_MS = 100;
const SCRIPT = "exports-shop";
const SECRET = "s3cret-of-the-receiver-0123456789";
const IN_SOURCE = /priceOf \(\S*src\/cart\/line\.ts:\d+:\d+\)/;

let tailrace: TestStack;
let bundle: Bundle;
const receivers = new Map<string, HostileReceiver>();

/** Integration → what a person enters. */
const CARDS: Record<string, (url: string) => Record<string, string>> = {
  otlp: (endpoint) => ({ endpoint, headers: `Authorization: Bearer ${SECRET}`, encoding: "json" }),
  honeycomb: (endpoint) => ({ endpoint, key: SECRET, dataset: "workers" }),
  "grafana-cloud": (url) => ({ endpoint: `${url}/otlp`, instance: "123456", token: SECRET }),
  axiom: (endpoint) => ({ endpoint, dataset: "workers", token: SECRET }),
  "new-relic": (endpoint) => ({ endpoint, key: SECRET }),
  datadog: (url) => ({ logsUrl: url, eventsUrl: url, key: SECRET }),
  "log-files-http": (url) => ({ url: `${url}/in`, headers: `x-key: ${SECRET}`, format: "rfc5424" }),
  "log-files-r2": () => ({ folder: "audit" }),
};
const OTLP = ["otlp", "honeycomb", "grafana-cloud", "axiom", "new-relic"];

beforeAll(async () => {
  bundle = await withEsbuild();
  tailrace = await startTestStack();
  await uploadMap(tailrace.client, SCRIPT, versionId(1), bundle.map);
  for (const integration of Object.keys(CARDS)) receivers.set(integration, await HostileReceiver.start());
});
afterAll(async () => {
  await tailrace?.stop();
  for (const receiver of receivers.values()) await receiver.stop();
});

const received = (integration: string) => (receivers.get(integration) as HostileReceiver).received;

async function post<T>(path: string, body: unknown): Promise<T> {
  const answer = await tailrace.client.call<T>("POST", path, JSON.stringify(body), {
    "content-type": "application/json",
  });
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not within a minute: ${what}`);
    await sleep(POLL_MS);
  }
}

describe("each card", () => {
  it("is tested with a round trip, and enabled", async () => {
    for (const [integration, valuesOf] of Object.entries(CARDS)) {
      const values = valuesOf((receivers.get(integration) as HostileReceiver).url);
      const tested = await post<TestAnswer>("/api/v1/destinations/test", { integration, values });
      expect(tested, integration).toMatchObject({ ok: true });
      const rules = { workers: [SCRIPT], feeds: ["errors", "logs", ...(OTLP.includes(integration) ? ["traces"] : [])] };
      const made = await post<DestinationAnswer>("/api/v1/destinations", {
        integration,
        name: integration,
        values,
        rules,
      });
      expect(JSON.stringify(made)).not.toContain(SECRET);
    }
    const { name, message, stack = "" } = await thrownBy(bundle, "deep");
    const logs = [{ timestamp: Date.now(), level: "info", message: ["charging the card", { order: 7 }] }];
    await tailrace.client.ingest([errorItem({ script: SCRIPT, version: versionId(1), name, message, stack, logs })]);
  });

  for (const integration of OTLP) {
    it(`${integration} gets the error in the team's own source, the log and the span, in one trace`, async () => {
      const find = (from: string, holds: (record: DecodedRecord) => boolean) =>
        until(`${integration}: ${from}`, () =>
          received(integration)
            .filter(({ path }) => path.endsWith(from))
            .flatMap((request) => decodeRequest(request).flatMap(({ records }) => records))
            .find(holds),
        );
      const log = await find("/v1/logs", ({ body }) => body?.stringValue === "charging the card");
      const error = await find("/v1/logs", ({ attributes }) => "exception.type" in attributesOf(attributes));
      const span = await find("/v1/traces", ({ name }) => name === "POST /orders");
      expect(attributesOf(error.attributes)["exception.stacktrace"]).toMatch(IN_SOURCE);
      expect(attributesOf(log.attributes)).toMatchObject({ order: 7 });
      expect([log.traceId, error.traceId]).toEqual([span.traceId, span.traceId]);
      expect(span.status?.code).toBe(2);
      expect(JSON.stringify(received(integration).map(({ headers }) => headers))).toContain(
        integration === "grafana-cloud" ? Buffer.from(`123456:${SECRET}`).toString("base64") : SECRET,
      );
    });
  }

  it("datadog gets both as entries", async () => {
    const entries = () =>
      received("datadog").flatMap(({ body }): Record<string, never>[] => JSON.parse(gunzipSync(body).toString()));
    const error = await until("the error", () => entries().find((entry) => entry.error !== undefined));
    expect(error).toMatchObject({
      service: SCRIPT,
      status: "error",
      error: { stack: expect.stringMatching(IN_SOURCE) },
    });
    await until("the log", () => entries().find((entry) => String(entry.message) === "charging the card"));
  });

  it("an HTTP sink gets strictly valid syslog", async () => {
    const messages = () => received("log-files-http").flatMap(({ body }) => splitLines(body).map(parseSyslog));
    const log = await until("the log", () => messages().find(({ message }) => message === "charging the card"));
    expect(log).toMatchObject({ appName: SCRIPT, severity: 6, data: { "attributes@32473": [["order", "7"]] } });
  });

  it("R2 gets a file, by Worker, day and hour", async () => {
    const bucket = await tailrace.stack.mf.getR2Bucket("BUCKET", "tailrace");
    const object = await until("a file", async () => {
      const { objects } = await bucket.list({ prefix: `exports/audit/worker=${SCRIPT}/` });
      return objects[0];
    });
    expect(object.key).toMatch(
      /\/date=\d{4}-\d\d-\d\d\/hour=\d\d\/\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{32}-dst_[0-9a-f]+\.ndjson\.gz$/,
    );
    const body = await (await bucket.get(object.key))?.arrayBuffer();
    const lines = gunzipSync(Buffer.from(body as ArrayBuffer))
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ message }) => message)).toContain("charging the card");
    expect(lines.find(({ kind }) => kind === "exception").stack).toMatch(IN_SOURCE);
  });
});
