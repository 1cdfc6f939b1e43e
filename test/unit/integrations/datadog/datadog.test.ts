import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { integrationOf } from "../../../../workers/integrations/catalog.ts";
import type { Destination, NoticeItem, SendResult } from "../../../../workers/integrations/contract.ts";
import { HostileReceiver } from "../../../support/hostile-receiver.ts";
import { hexId, invocation, itemOf, NOW, testIo } from "../../../support/integration-items.ts";

const datadog = integrationOf("datadog") as Destination;
let receiver: HostileReceiver;
beforeAll(async () => {
  receiver = await HostileReceiver.start();
});
afterAll(() => receiver.stop());
beforeEach(() => receiver.behave({ kind: "answer", status: 202 }).forget());

const io = testIo();
const values = (more: Record<string, string> = {}) => ({
  ...{ key: "dd-key", logsUrl: receiver.url, eventsUrl: receiver.url, environment: "production" },
  ...more,
});
const fates = ({ outcomes }: SendResult) =>
  outcomes.map((one) => (one === "delivered" ? "d" : "refused" in one ? "r" : "a")).join("");
const entries = () => receiver.received.flatMap(({ body }) => JSON.parse(gunzipSync(body).toString()));
const log = (message: string) => itemOf(invocation({}, [{ message }]), 1);

function notice(issueId: number, kind: NoticeItem["notice"]["kind"] = "issue.new"): NoticeItem {
  const version = { id: "b5c3f8d0-1111-4222-8333-444455556666", tag: "v1.2.0", message: "" };
  const detail = { type: "TypeError", title: "x is not a function", culprit: "pay (src/pay.ts)", version };
  return {
    id: hexId(),
    feed: "notices",
    tags: { team: "payments" },
    notice: { id: issueId, at: NOW, kind, issueId, script: "shop", detail },
  };
}

describe("log entries", () => {
  it("have Datadog's reserved and standard attributes, and the Worker's own beside them", async () => {
    const from = invocation({ trace_id: "4bf92f3577b34da6a3ce929d0e0e4736" }, [
      { message: "declined", level: "warn", attributes: { "user.id": 7, service: "mine", "http.url": 1, "http.x": 1 } },
    ]);
    const item = itemOf(from, 1, "logs", { team: "payments" });
    expect(fates(await datadog.send(values(), [item], io))).toBe("d");
    const [request] = receiver.received;
    expect(request).toMatchObject({
      path: "/api/v2/logs",
      headers: { "dd-api-key": "dd-key", "content-type": "application/json", "content-encoding": "gzip" },
    });
    expect(entries()).toEqual([
      expect.objectContaining({
        ...{ message: "declined", status: "warn", service: "shop", ddsource: "cloudflare", timestamp: NOW },
        ddtags:
          "env:production,version:v1.2.0,version_id:b5c3f8d0-1111-4222-8333-444455556666,worker:shop,outcome:ok,colo:LHR,team:payments",
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
        ...{ "user.id": 7, "attr.service": "mine", "attr.http.url": 1, "http.x": 1 },
        http: expect.objectContaining({ method: "GET", status_code: 200, route: "/products/:id" }),
        tailrace: expect.objectContaining({ uid: item.id, kind: "log" }),
      }),
    ]);
  });

  it("an exception is an error with kind, message and stack; an invocation has its duration in ns", async () => {
    const from = invocation({ status: 500 }, [
      { kind: "exception", name: "TypeError", message: "x is not a function", stack: "    at a (index.js:1:2)" },
    ]);
    await datadog.send(values(), [itemOf(from, 1), itemOf(from, 0)], io);
    const [error, request] = entries();
    expect(error).toMatchObject({
      ...{ status: "error", message: "TypeError: x is not a function" },
      error: {
        kind: "TypeError",
        message: "x is not a function",
        stack: "TypeError: x is not a function\n    at a (index.js:1:2)",
      },
    });
    expect(request).toMatchObject({ message: "GET /products/:id 500", duration: 12_500_000 });
  });

  it("are never more than 1,000 or 5 MB a request, and none is larger than 1 MB", async () => {
    const many = Array.from({ length: 1_500 }, (_, i) => log(`${i}`));
    const large = Array.from({ length: 8 }, () => log("x".repeat(800_000)));
    const attributes = Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`a${i}`, "y".repeat(8_000)]));
    const huge = itemOf(invocation({}, [{ message: "huge", attributes }]), 1);
    const result = await datadog.send(values(), [...many, ...large, huge], io);
    expect(fates(result)).toBe("d".repeat(1_509));
    for (const { body } of receiver.received) {
      const plain = gunzipSync(body);
      expect(plain.length).toBeLessThanOrEqual(5_000_000);
      const list = JSON.parse(plain.toString());
      expect(list.length).toBeLessThanOrEqual(1_000);
      for (const entry of list) expect(JSON.stringify(entry).length).toBeLessThanOrEqual(1_000_000);
    }
    expect(entries()).toHaveLength(1_509);
    expect(entries().at(-1)).toMatchObject({ message: "huge", "tailrace.trimmed": true });
  });
});

describe("events", () => {
  it("all about one issue have one aggregation key", async () => {
    const result = await datadog.send(values(), [notice(7), log("a"), notice(7, "issue.regressed"), notice(8)], io);
    expect(fates(result)).toBe("dddd");
    const events = receiver.received
      .filter(({ path }) => path === "/api/v1/events")
      .map(({ body }) => JSON.parse(body.toString()));
    expect(events.map(({ aggregation_key: key }) => key)).toEqual([
      "tailrace-issue-7",
      "tailrace-issue-7",
      "tailrace-issue-8",
    ]);
    expect(events[0]).toMatchObject({
      ...{
        title: "New issue in shop",
        alert_type: "error",
        date_happened: NOW / 1_000,
        source_type_name: "cloudflare",
      },
      text: expect.stringContaining("TypeError: x is not a function"),
      tags: ["env:production", "service:shop", "worker:shop", "version:v1.2.0", "notice:issue.new", "team:payments"],
    });
    expect(events[0].text).toContain("https://tailrace.example.com/issues/7");
  });

  it("keep within the lengths that Datadog takes", async () => {
    const long = notice(7);
    long.notice.detail.title = "t".repeat(20_000);
    long.notice.script = "s".repeat(255);
    await datadog.send(values(), [long], io);
    const event = JSON.parse(receiver.received[0]?.body.toString() ?? "");
    expect([event.title.length <= 100, event.text.length <= 4_000, event.text.endsWith("%%%")]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("nothing overtakes what must wait", async () => {
    receiver.behave({ kind: "answer", status: 202 }, { kind: "answer", status: 503 });
    expect(fates(await datadog.send(values(), [notice(1), notice(2), notice(3)], io))).toBe("daa");
    expect(receiver.received).toHaveLength(2);
  });
});

describe("answers", () => {
  for (const [status, kind] of [
    [401, "unauthorized"],
    [403, "unauthorized"],
    [404, "misplaced"],
    [408, "timeout"],
    [429, "rate_limited"],
    [500, "unavailable"],
    [503, "unavailable"],
  ] as const) {
    it(`${status} is not the content's fault`, async () => {
      receiver.behave({ kind: "answer", status });
      expect((await datadog.send(values(), [log("a")], io)).outcomes[0]).toMatchObject({ again: { kind, status } });
    });
  }
  it("400 refuses, 413 of one entry is tried with less of it", async () => {
    receiver.behave({ kind: "answer", status: 400, body: '{"errors":["bad date"]}' });
    expect((await datadog.send(values(), [log("a"), log("b")], io)).outcomes[1]).toMatchObject({
      refused: { message: "Status 400: bad date" },
    });
    receiver.behave({ kind: "answer", status: 413 }, { kind: "answer", status: 202 });
    expect(await datadog.send(values(), [log("z".repeat(20_000))], io)).toMatchObject({
      outcomes: ["delivered"],
      requests: 2,
    });
  });
  it("a page for people is not believed", async () => {
    receiver.behave({ kind: "lie" });
    expect((await datadog.send(values(), [log("a")], io)).outcomes[0]).toMatchObject({ again: { kind: "lying" } });
  });
});

describe("a test", () => {
  it("sends one entry, and says what a refused key means", async () => {
    expect(await datadog.test(values(), io)).toMatchObject({ ok: true });
    expect(entries()).toEqual([
      expect.objectContaining({ message: "Tailrace test: this destination works", service: "tailrace" }),
    ]);
    receiver.behave({ kind: "answer", status: 403, body: '{"errors":["Forbidden"]}' });
    expect(await datadog.test(values(), io)).toMatchObject({
      ok: false,
      failure: { kind: "unauthorized", message: expect.stringContaining("keys belong to one site") },
    });
  });

  it("the site decides where", async () => {
    const asked: string[] = [];
    const nobody = testIo({
      request: (request) => {
        asked.push(request.url);
        return Promise.resolve({ ok: false, failure: { kind: "unreachable", message: "", status: 0 } });
      },
    });
    await datadog.send({ key: "k", site: "datadoghq.eu" }, [log("a"), notice(1)], nobody);
    await datadog.send({ key: "k", site: "evil.example.com" }, [log("a")], nobody);
    expect(asked).toEqual([
      "https://http-intake.logs.datadoghq.eu/api/v2/logs",
      "https://api.datadoghq.eu/api/v1/events",
      "https://http-intake.logs.datadoghq.com/api/v2/logs",
    ]);
  });
});
