import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { integrationOf } from "../../../../workers/integrations/catalog.ts";
import type { Destination, SendResult, Values } from "../../../../workers/integrations/contract.ts";
import { HostileReceiver } from "../../../support/hostile-receiver.ts";
import { invocation, itemOf, NOW, testIo } from "../../../support/integration-items.ts";
import { attributesOf, decodeRequest, encodeResponse } from "../../../support/otlp-requests.ts";

const otlp = integrationOf("otlp") as Destination;
let receiver: HostileReceiver;
beforeAll(async () => {
  receiver = await HostileReceiver.start();
});
afterAll(() => receiver.stop());
beforeEach(() => {
  receiver.behave().forget();
});

const values = (more: Record<string, string> = {}): Values => ({ endpoint: receiver.url, ...more });
const io = testIo();

/** Two logs, an error and two spans. */
function mixed() {
  const from = invocation({}, [{ message: "1" }, { message: "2" }, { kind: "exception", name: "Error", message: "3" }]);
  return [itemOf(from, 0), itemOf(from, 1), itemOf(from, 2), itemOf(from, 3), itemOf(invocation(), 0)];
}
/** In one letter each: delivered, refused, again. */
const fates = ({ outcomes }: SendResult) =>
  outcomes.map((one) => (one === "delivered" ? "d" : "refused" in one ? "r" : "a")).join("");
const logsOnly = () => [itemOf(invocation({}, [{ message: "1" }]), 1)];
const answer = (status: number, more: object = {}) => receiver.behave({ kind: "answer", status, ...more });

describe("a batch", () => {
  for (const encoding of ["protobuf", "json"]) {
    for (const compression of ["gzip", "none"]) {
      it(`goes to /v1/logs and /v1/traces as ${encoding}, compression ${compression}`, async () => {
        const result = await otlp.send(
          values({ encoding, compression, headers: "Authorization: Bearer abc" }),
          mixed(),
          io,
        );
        expect(fates(result)).toBe("ddddd");
        expect(result.requests).toBe(2);
        const [logs, traces] = [...receiver.received].sort((a, b) => (a.path < b.path ? -1 : 1));
        expect([logs?.path, traces?.path]).toEqual(["/v1/logs", "/v1/traces"]);
        expect(logs?.headers).toMatchObject({
          authorization: "Bearer abc",
          "content-type": encoding === "json" ? "application/json" : "application/x-protobuf",
        });
        expect(logs?.headers["content-encoding"]).toBe(compression === "gzip" ? "gzip" : undefined);
        if (logs === undefined || traces === undefined) throw new Error("nothing came");
        expect(decodeRequest(logs)[0]?.records.map(({ body }) => body?.stringValue)).toEqual(["1", "2", "3"]);
        expect(decodeRequest(traces)[0]?.records).toHaveLength(2);
      });
    }
  }

  it("carries the same bytes at every try", async () => {
    const items = mixed();
    for (let i = 0; i < 2; i++) await otlp.send(values(), items, io);
    const [first, , third] = [...receiver.received].sort((a, b) => (a.path < b.path ? -1 : 1));
    const again = receiver.received.filter(({ path }) => path === "/v1/logs");
    expect(first?.body.equals(again[1]?.body as Buffer)).toBe(true);
    expect(third?.path).toBe("/v1/traces");
  });

  it("fails per signal: what one path took is delivered, whatever the other says", async () => {
    const split = testIo({
      request: (request) => {
        const ok = request.url.endsWith("/v1/logs");
        const [headers, bytes] = [new Headers({ "retry-after": "7" }), new Uint8Array()];
        return Promise.resolve({ ok: true, status: ok ? 200 : 503, headers, bytes, text: "", cut: false });
      },
    });
    const result = await otlp.send(values(), mixed(), split);
    expect(fates(result)).toBe("addda");
    expect(result.outcomes[0]).toMatchObject({ again: { kind: "unavailable", status: 503, retryAfterMs: 7_000 } });
  });

  it("is parted where a body would be larger than a receiver takes, and everything arrives", async () => {
    const newRelic = integrationOf("new-relic") as Destination;
    const from = invocation(
      {},
      Array.from({ length: 200 }, (_, i) => ({ message: `${i}-${"x".repeat(20_000)}` })),
    );
    const items = from.events.slice(1).map((_, i) => itemOf(from, i + 1));
    const result = await newRelic.send({ endpoint: receiver.url, key: "k" }, items, io);
    expect(fates(result)).toBe("d".repeat(200));
    expect(receiver.received.length).toBeGreaterThan(3);
    const bodies = receiver.received.flatMap((one) => decodeRequest(one)[0]?.records ?? []);
    expect(bodies.map(({ body }) => Number.parseInt(body?.stringValue ?? "", 10))).toEqual([...Array(200).keys()]);
  });
});

describe("answers", () => {
  for (const status of [429, 500, 501, 502, 503, 504]) {
    it(`${status} is tried again when the receiver says`, async () => {
      answer(status, { headers: { "retry-after": new Date(NOW + 90_000).toUTCString() } });
      const result = await otlp.send(values(), logsOnly(), io);
      expect(result.outcomes[0]).toMatchObject({ again: { status, retryAfterMs: 90_000 } });
    });
  }
  for (const status of [400, 408, 409, 413, 415, 422, 431]) {
    it(`${status} refuses the content`, async () => {
      answer(status);
      expect(fates(await otlp.send(values(), mixed().slice(1, 3), io))).toBe("rr");
    });
  }
  for (const [status, kind] of [
    [401, "unauthorized"],
    [403, "unauthorized"],
    [404, "misplaced"],
    [405, "misplaced"],
    [410, "misplaced"],
  ] as const) {
    it(`${status} waits for a person`, async () => {
      answer(status);
      expect((await otlp.send(values(), logsOnly(), io)).outcomes[0]).toMatchObject({ again: { kind, status } });
    });
  }

  it("a signal that nobody takes is named with its path, and what to do", async () => {
    answer(404, { body: "404 page not found" });
    const { outcomes } = await otlp.send(values(), logsOnly(), io);
    const message = expect.stringMatching(/404 page not found.* \/v1\/logs.* errors and logs out of what is sent/);
    expect(outcomes[0]).toMatchObject({ again: { kind: "misplaced", message } });
  });

  it("a single record that is too large is trimmed and sent once more", async () => {
    receiver.behave({ kind: "answer", status: 413 }, { kind: "answer" });
    const [item] = [
      itemOf(invocation({}, [{ message: "x".repeat(30_000), attributes: { dump: "y".repeat(8_000) } }]), 1),
    ];
    const result = await otlp.send(values(), [item], io);
    expect([fates(result), result.requests]).toEqual(["d", 2]);
    const record = decodeRequest(receiver.received[1] as never)[0]?.records[0];
    expect(record?.body?.stringValue?.length).toBeLessThan(5_000);
    expect(attributesOf(record?.attributes ?? [])).toMatchObject({
      "tailrace.trimmed": true,
      "log.record.uid": item?.id,
    });
  });

  it("the words of a refusal are shown, from JSON and from protobuf", async () => {
    answer(400, { body: JSON.stringify({ code: 3, message: "bad trace id" }) });
    expect((await otlp.send(values(), logsOnly(), io)).outcomes[0]).toMatchObject({
      refused: { message: "Status 400: bad trace id" },
    });
    const status = Buffer.concat([Buffer.from([8, 3, 18, 12]), Buffer.from("bad trace id")]);
    answer(400, { headers: { "content-type": "application/x-protobuf" }, body: status });
    expect((await otlp.send(values(), logsOnly(), io)).outcomes[0]).toMatchObject({
      refused: { message: "Status 400: bad trace id" },
    });
  });

  describe("partial success", () => {
    const rejected = { count: 3, message: "too old" };
    for (const [signal, field] of [
      ["logs", "rejectedLogRecords"],
      ["traces", "rejectedSpans"],
    ] as const) {
      const items = () => (signal === "logs" ? logsOnly() : [itemOf(invocation(), 0)]);
      it(`of ${signal} is counted, in JSON`, async () => {
        answer(200, { body: JSON.stringify({ partialSuccess: { [field]: "3", errorMessage: "too old" } }) });
        const result = await otlp.send(values({ encoding: "json" }), items(), io);
        expect([fates(result), result.rejectedByReceiver]).toEqual(["d", rejected]);
      });
      it(`of ${signal} is counted, in protobuf`, async () => {
        const body = encodeResponse(signal, { partialSuccess: { [field]: 3, errorMessage: "too old" } });
        answer(200, { headers: { "content-type": "application/x-protobuf" }, body });
        const result = await otlp.send(values(), items(), io);
        expect([fates(result), result.rejectedByReceiver]).toEqual(["d", rejected]);
      });
    }
    it("that rejects nothing is a warning: everything was taken", async () => {
      answer(200, { body: JSON.stringify({ partialSuccess: { errorMessage: "use the new endpoint" } }) });
      const result = await otlp.send(values(), logsOnly(), io);
      expect([fates(result), result.rejectedByReceiver]).toEqual(["d", undefined]);
    });
  });

  for (const [what, more] of [
    ["nothing", { headers: { "content-type": "application/x-protobuf" }, body: "" }],
    ["an empty object", { body: "{}" }],
    ["a word", { headers: { "content-type": "text/plain" }, body: "ok" }],
    ["a JSON list", { body: "[]" }],
    ["broken JSON", { body: '{"partialSuccess":' }],
    [
      "bytes that are no message",
      { headers: { "content-type": "application/x-protobuf" }, body: new Uint8Array([255, 255, 255]) },
    ],
  ] as const) {
    it(`200 with ${what} is success: receivers answer in many ways`, async () => {
      answer(200, more);
      const result = await otlp.send(values(), logsOnly(), io);
      expect([fates(result), result.rejectedByReceiver]).toEqual(["d", undefined]);
    });
  }
  for (const body of ["<!doctype html><p>Log in", "  <html>", "<p>Welcome</p>"]) {
    it(`200 with a page for people (${body}) is not believed`, async () => {
      answer(200, { headers: { "content-type": "text/html" }, body });
      expect((await otlp.send(values(), logsOnly(), io)).outcomes[0]).toMatchObject({
        again: { kind: "lying", status: 200 },
      });
    });
  }

  for (const behaviour of [
    { kind: "truncate" },
    { kind: "close" },
    { kind: "reset" },
    { kind: "lie" },
    { kind: "not-http" },
    { kind: "bad-gzip" },
    { kind: "redirect", to: "http://169.254.169.254/" },
  ] as const) {
    it(`a receiver that does ${behaviour.kind} took nothing: again`, async () => {
      receiver.behave(behaviour);
      expect(fates(await otlp.send(values(), logsOnly(), io))).toBe("a");
    });
  }

  it("what the receiver echoes of a secret header is masked", async () => {
    receiver.behave({ kind: "echo", status: 400 });
    const secret = "Authorization: Bearer s3cret-token-of-mine";
    const result = await otlp.send(
      values({ headers: secret, encoding: "json", compression: "none" }),
      logsOnly(),
      testIo({ secrets: [secret] }),
    );
    expect(JSON.stringify(result)).not.toContain("s3cret-token-of-mine");
  });
});

describe("a test", () => {
  it("leaves a log record and a span that say what they are", async () => {
    expect(await otlp.test(values(), io)).toMatchObject({ ok: true });
    const all = receiver.received.flatMap(decodeRequest);
    expect(all.map(({ resource }) => attributesOf(resource)["service.name"])).toEqual(["tailrace", "tailrace"]);
    expect(JSON.stringify(all)).toContain("Tailrace test: this destination works");
  });

  it("says that a receiver takes only one signal", async () => {
    const logsAlone = testIo({
      request: (request) => {
        const status = request.url.endsWith("/v1/logs") ? 200 : 404;
        return Promise.resolve({
          ok: true,
          status,
          headers: new Headers(),
          bytes: new Uint8Array(),
          text: "",
          cut: false,
        });
      },
    });
    const result = await otlp.test(values(), logsAlone);
    expect(result).toMatchObject({ ok: true, message: expect.stringContaining("choose only errors and logs") });
  });

  it("says what to do about a refused key and a wrong address", async () => {
    answer(401, { body: "no" });
    expect(await otlp.test(values(), io)).toMatchObject({
      ok: false,
      failure: { kind: "unauthorized", message: expect.stringContaining("Check the headers") },
    });
    answer(404);
    expect(await otlp.test(values(), io)).toMatchObject({
      ok: false,
      failure: { kind: "misplaced", message: expect.stringContaining("4318") },
    });
  });
});

describe("presets", () => {
  const cases: [string, Record<string, string>, Record<string, string>][] = [
    [
      "honeycomb",
      { key: "hcaik_1", dataset: "shop" },
      { "x-honeycomb-team": "hcaik_1", "x-honeycomb-dataset": "shop" },
    ],
    [
      "grafana-cloud",
      { instance: "123", token: "glc_ü" },
      { authorization: `Basic ${Buffer.from("123:glc_ü").toString("base64")}` },
    ],
    ["axiom", { dataset: "shop", token: "xaat-1" }, { authorization: "Bearer xaat-1", "x-axiom-dataset": "shop" }],
    ["new-relic", { key: "abcNRAL" }, { "api-key": "abcNRAL" }],
  ];
  for (const [id, own, headers] of cases) {
    it(`${id} identifies itself as the service wants`, async () => {
      const integration = integrationOf(id) as Destination;
      const given = values(own);
      expect(integration.check?.(given)).toEqual({});
      expect(await integration.test(given, io)).toMatchObject({ ok: true });
      expect(fates(await integration.send(given, mixed(), io))).toBe("ddddd");
      for (const request of receiver.received) expect(request.headers).toMatchObject(headers);
      expect(receiver.received.flatMap(decodeRequest)).toHaveLength(4);
    });

    it(`${id} keeps its credential in a secret field, and has a page of documentation`, () => {
      const { fields, documentation } = integrationOf(id) as Destination;
      expect(fields.filter(({ secret }) => secret).map(({ name }) => name)).toEqual([
        id === "axiom" || id === "grafana-cloud" ? "token" : "key",
      ]);
      expect(documentation.length).toBeGreaterThan(300);
    });
  }

  it("regions are addresses of the service", async () => {
    const asked: string[] = [];
    const nobody = testIo({
      request: (request) => {
        asked.push(request.url);
        return Promise.resolve({ ok: false, failure: { kind: "unreachable", message: "", status: 0 } });
      },
    });
    for (const [id, region] of [
      ["honeycomb", "eu"],
      ["axiom", "eu"],
      ["new-relic", "eu"],
      ["new-relic", "us"],
    ] as const) {
      await (integrationOf(id) as Destination).send({ region, key: "k", token: "t", dataset: "d" }, logsOnly(), nobody);
    }
    expect(asked).toEqual([
      "https://api.eu1.honeycomb.io/v1/logs",
      "https://api.eu.axiom.co/v1/logs",
      "https://otlp.eu01.nr-data.net/v1/logs",
      "https://otlp.nr-data.net/v1/logs",
    ]);
  });

  it("Honeycomb is told the sample rate by its own name", async () => {
    const items = [itemOf(invocation({ sample_weight: 10 }), 0)];
    await (integrationOf("honeycomb") as Destination).send(values({ key: "k" }), items, io);
    const [record] = decodeRequest(receiver.received[0] as never)[0]?.records ?? [];
    expect(attributesOf(record?.attributes ?? [])).toMatchObject({ SampleRate: 10 });
  });

  it("keys of the wrong kind are told before anything is sent", () => {
    const problems = (id: string, given: Values) =>
      Object.keys((integrationOf(id) as Destination).check?.(given) ?? {});
    expect(problems("honeycomb", { key: "hcxmk_1" })).toEqual(["key"]);
    expect(problems("new-relic", { key: "NRAK-1" })).toEqual(["key"]);
    expect(problems("new-relic", { key: "eu01xxNRAL" })).toEqual(["region"]);
    expect(problems("axiom", { token: "xapt-1" })).toEqual(["token"]);
    expect(
      problems("grafana-cloud", {
        endpoint: "https://otlp-gateway-prod-eu.grafana.net",
        instance: "x",
        token: "glsa_1",
      }),
    ).toEqual(["endpoint", "instance", "token"]);
    expect(problems("otlp", { endpoint: "collector:4318", headers: "Authorization" })).toEqual(["endpoint", "headers"]);
    for (const endpoint of ["https://me:word@c.example.com", "https://c.example.com/?api_key=abc"]) {
      expect(problems("otlp", { endpoint })).toEqual(["endpoint"]);
    }
  });
});

it("an endpoint may have a path, a slash at its end, or name a signal", async () => {
  for (const path of ["", "/", "/otlp", "/otlp/", "/otlp/v1/traces"]) {
    await otlp.send({ endpoint: `${receiver.url}${path}` }, logsOnly(), io);
  }
  expect(receiver.received.map(({ path }) => path)).toEqual([
    "/v1/logs",
    "/v1/logs",
    "/otlp/v1/logs",
    "/otlp/v1/logs",
    "/otlp/v1/logs",
  ]);
});
