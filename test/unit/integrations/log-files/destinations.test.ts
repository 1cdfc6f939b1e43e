import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { integrationOf } from "../../../../workers/integrations/catalog.ts";
import type { Destination, EventItem, SendResult } from "../../../../workers/integrations/contract.ts";
import { HostileReceiver } from "../../../support/hostile-receiver.ts";
import { invocation, itemOf, NOW, testIo } from "../../../support/integration-items.ts";
import { parseSyslog, splitLines } from "../../../support/rfc5424.ts";

const HOUR_US = 3_600_000_000;
const fates = ({ outcomes }: SendResult) =>
  outcomes.map((one) => (one === "delivered" ? "d" : "refused" in one ? "r" : "a")).join("");

function logs(count: number, fields = {}): EventItem[] {
  const from = invocation(
    fields,
    Array.from({ length: count }, (_, i) => ({ message: `line ${i}` })),
  );
  return from.events.slice(1).map((_, i) => itemOf(from, i + 1));
}

describe("log files in R2", () => {
  const r2 = integrationOf("log-files-r2") as Destination;
  const lines = (body: Uint8Array | string) =>
    gunzipSync(body as Uint8Array)
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).message);

  it("a file for each Worker and hour of the events", async () => {
    const io = testIo();
    const items = [...logs(2), ...logs(1, { script: "cart/eu" }), ...logs(1, { time: NOW * 1_000 + HOUR_US })];
    expect(fates(await r2.send({ folder: "/audit/" }, items, io))).toBe("dddd");
    expect([...io.objects.keys()].map((key) => key.replace(/[0-9a-f]{32}/, "ID"))).toEqual([
      "audit/worker=shop/date=2026-11-21/hour=12/20261121T120000.000000Z-ID-dst_test.ndjson.gz",
      "audit/worker=cart_eu/date=2026-11-21/hour=12/20261121T120000.000000Z-ID-dst_test.ndjson.gz",
      "audit/worker=shop/date=2026-11-21/hour=13/20261121T130000.000000Z-ID-dst_test.ndjson.gz",
    ]);
    expect([...io.objects.values()].map(({ body }) => lines(body))).toEqual([
      ["line 0", "line 1"],
      ["line 0"],
      ["line 0"],
    ]);
  });

  it("a batch that is tried again, in whatever sizes, leaves nothing twice and nothing out", async () => {
    const io = testIo();
    const items = logs(10);
    await r2.send({}, items.slice(0, 6), io);
    for (const [from, to] of [
      [0, 4],
      [4, 10],
    ] as const)
      await r2.send({}, items.slice(from, to), io);
    await r2.send({}, items, io);
    await r2.send({}, items.slice(0, 4), io);
    const all = [...io.objects.values()].flatMap(({ body }) => lines(body));
    expect(all.sort()).toEqual(items.map(({ event }) => event.message).sort());
  });

  it("two destinations that write to one folder keep out of each other's files, also when they begin with the same item", async () => {
    const one = testIo({ source: "dst_one" });
    const other = testIo({ source: "dst_other" });
    const items = logs(3);
    await r2.send({}, items, one);
    await r2.send({}, items.slice(0, 1), other);
    const paths = [...one.objects.keys(), ...other.objects.keys()];
    expect(new Set(paths).size).toBe(2);
  });

  it("what R2 did not take is tried again, what it took is done", async () => {
    let calls = 0;
    const io = testIo({
      putObject: () => (++calls === 2 ? Promise.reject(new Error("internal error (10001)")) : Promise.resolve()),
    });
    const result = await r2.send({}, [...logs(2), ...logs(2, { script: "cart" })], io);
    expect(fates(result)).toBe("ddaa");
    expect(result.outcomes[2]).toMatchObject({
      again: { kind: "unavailable", message: expect.stringContaining("10001") },
    });
  });

  it("lets a file grow for a minute, or as long as is wanted, to 1 MB", () => {
    const bytes = 1 << 20;
    expect(r2.linger?.({})).toEqual({ ms: 60_000, bytes });
    expect(r2.linger?.({ linger: "0" })).toEqual({ ms: 0, bytes });
    expect(r2.linger?.({ linger: "900" })).toEqual({ ms: 900_000, bytes });
    expect(r2.linger?.({ linger: "soon" })).toEqual({ ms: 60_000, bytes });
  });

  it("is uncompressed where that is wanted, as what it is", async () => {
    const io = testIo();
    await r2.send({ compression: "none", format: "rfc5424" }, logs(1), io);
    const [[key, object]] = [...io.objects] as [[string, { body: Uint8Array; contentType: string }]];
    expect([key.endsWith(".syslog"), object.contentType]).toEqual([true, "text/plain; charset=utf-8"]);
    expect(parseSyslog(splitLines(object.body)[0] as Uint8Array).message).toBe("line 0");
  });

  it("a test writes a file and says which", async () => {
    const io = testIo();
    expect(await r2.test({}, io)).toEqual({
      ok: true,
      message: expect.stringContaining("logs/tailrace-test.ndjson.gz"),
    });
    expect([...io.objects.keys()]).toEqual(["logs/tailrace-test.ndjson.gz"]);
    expect(r2.check?.({ folder: "a b" })).toHaveProperty("folder");
    expect(r2.check?.({ linger: "-1" })).toHaveProperty("linger");
  });
});

describe("log lines over HTTP", () => {
  const http = integrationOf("log-files-http") as Destination;
  let receiver: HostileReceiver;
  beforeAll(async () => {
    receiver = await HostileReceiver.start();
  });
  afterAll(() => receiver.stop());
  beforeEach(() => receiver.behave().forget());
  const values = (more: Record<string, string> = {}) => ({ url: `${receiver.url}/in?source=tailrace`, ...more });
  const io = testIo();

  it("POSTs so many lines at a time, in order, with the headers", async () => {
    const result = await http.send(values({ batch: "4", headers: "Authorization: Bearer abc" }), logs(10), io);
    expect([fates(result), result.requests]).toEqual(["d".repeat(10), 3]);
    expect(
      receiver.received.map(({ path, headers }) => [path, headers.authorization, headers["content-type"]]),
    ).toEqual(Array(3).fill(["/in?source=tailrace", "Bearer abc", "application/x-ndjson"]));
    const lines = receiver.received.flatMap(({ body }) => body.toString().trimEnd().split("\n"));
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(Array.from({ length: 10 }, (_, i) => `line ${i}`));
  });

  it("says by Idempotency-Key that lines are the same", async () => {
    const items = logs(2);
    for (let i = 0; i < 2; i++) await http.send(values(), items, io);
    const [first, second] = receiver.received.map(({ headers }) => headers["idempotency-key"]);
    expect([first, first === second]).toEqual([`${items[0]?.id}-2`, true]);
  });

  it("compresses where the sink wants it", async () => {
    await http.send(values({ compression: "gzip", format: "text" }), logs(1), io);
    const [request] = receiver.received;
    expect(request?.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(request?.body as Buffer).toString()).toContain("line 0");
  });

  it("nothing overtakes what must wait; what is refused does not hold it up", async () => {
    receiver.behave(
      { kind: "answer" },
      { kind: "answer", status: 422 },
      { kind: "answer", status: 503, headers: { "retry-after": "5" } },
    );
    const result = await http.send(values({ batch: "2" }), logs(10), io);
    expect([fates(result), result.requests]).toEqual(["ddrraaaaaa", 3]);
    expect(result.outcomes[9]).toMatchObject({ again: { retryAfterMs: 5_000 } });
  });

  for (const behaviour of [
    { kind: "truncate" },
    { kind: "close" },
    { kind: "lie" },
    { kind: "redirect", to: "https://example.com/" },
  ] as const) {
    it(`a sink that does ${behaviour.kind} took nothing`, async () => {
      receiver.behave(behaviour);
      expect(fates(await http.send(values(), logs(2), io))).toBe("aa");
    });
  }

  it("a test sends one line, and says what to do when it is not taken", async () => {
    expect(await http.test(values(), io)).toMatchObject({ ok: true });
    receiver.behave({ kind: "answer", status: 403 });
    expect(await http.test(values(), io)).toMatchObject({
      ok: false,
      failure: { message: expect.stringContaining("Check the headers") },
    });
    expect(Object.keys(http.check?.({ url: "logs.example.com", headers: "x", batch: "0" }) ?? {})).toEqual([
      "url",
      "headers",
      "batch",
    ]);
  });
});
