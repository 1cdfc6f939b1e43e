/** The command's HTTP: tries again, waits as told, gives up, and says why. A real server on the loopback, no real waiting. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAX_TRIES, readRetryAfter, waitBefore } from "../../../cli/api/back-off.ts";
import { ApiClient } from "../../../cli/api/client.ts";
import type { ApiFailure } from "../../../cli/api/failures.ts";
import { Gate } from "../../../cli/maps/gate.ts";

let server: Server;
let answers: ((response: ServerResponse) => void)[];
let waits: number[];
beforeEach(async () => {
  answers = [];
  waits = [];
  server = createServer((request, response) => {
    request.resume().once("end", () => (answers.shift() ?? ok)(response));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const ok = (response: ServerResponse) => void response.end('{"fine":true}');
const status =
  (code: number, headers: Record<string, string> = {}, body = "{}") =>
  (response: ServerResponse) =>
    void response.writeHead(code, headers).end(body);
const cut = (response: ServerResponse) => void response.destroy();
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const client = () =>
  new ApiClient({
    url: url(),
    token: "trl_x",
    userAgent: "test",
    random: () => 0.5,
    wait: async (ms) => waits.push(ms),
  });

describe("a call", () => {
  it("tries again what may pass, longer each time", async () => {
    answers = [status(503), cut, status(502), status(429, { "retry-after": "7" })];
    expect(await client().call("GET", "/x")).toEqual({ fine: true });
    expect(waits).toEqual([375, 750, 1500, 7250]);
  });

  it("gives up after some tries, with what was said last", async () => {
    answers = Array.from({ length: MAX_TRIES }, () =>
      status(500, {}, '{"error":{"code":"internal","message":"Something broke."}}'),
    );
    await expect(client().call("GET", "/x")).rejects.toThrow(/answered 500: Something broke\./);
    expect(waits).toHaveLength(MAX_TRIES - 1);
  });

  it("does not try again what will not pass, nor for a server that wants to be left alone for an hour", async () => {
    answers = [status(400, {}, '{"error":{"code":"bad_request","message":"No.","details":[{"path":"file"}]}}')];
    const failure: ApiFailure = await client()
      .call("GET", "/x")
      .then(
        () => expect.unreachable(),
        (error) => error,
      );
    expect(failure).toMatchObject({ status: 400, code: "bad_request", exitCode: 1 });
    expect(failure.message).toMatch(/No\. .*file/);
    answers = [status(429, { "retry-after": "3600" })];
    await expect(client().call("GET", "/x")).rejects.toThrow(/429/);
    expect(waits).toEqual([]);
  });

  it("says that nobody is there", async () => {
    const gone = client();
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await expect(gone.call("GET", "/x", { tries: 1 })).rejects.toThrow(
      /cannot be reached: ECONNREFUSED\. Is TAILRACE_URL/,
    );
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  });

  it("says who it is, to Tailrace and to the Access in front of it", async () => {
    const asked = new Promise<Record<string, unknown>>((done) =>
      server.once("request", ({ headers }) => done(headers)),
    );
    const access = { id: "an-id", secret: "a-secret" };
    await new ApiClient({ url: url(), token: "trl_x", access, userAgent: "test" }).call("GET", "/x");
    expect(await asked).toMatchObject({
      authorization: "Bearer trl_x",
      "cf-access-client-id": "an-id",
      "cf-access-client-secret": "a-secret",
    });
  });

  it("is told from one to something that is not Tailrace", async () => {
    answers = [
      status(200, {}, "<html>"),
      status(404, {}, "<html>"),
      status(301, { location: "https://other.example/x" }),
    ];
    await expect(client().call("GET", "/x")).rejects.toThrow(/not JSON/);
    await expect(client().call("GET", "/x")).rejects.toThrow(/no such route/);
    await expect(client().call("GET", "/x")).rejects.toThrow(/leads to https:\/\/other\.example\/x/);
  });

  it.each(["not an address", "ftp://t.example", ""])("has no address in %j", (address) => {
    expect(() => new ApiClient({ url: address, token: "x", userAgent: "test" })).toThrow(/TAILRACE_URL/);
  });
});

describe("waiting", () => {
  it("grows to a limit, with chance in it, and never less than the server asks for", () => {
    expect([0, 1].map((random) => waitBefore(1, random))).toEqual([250, 500]);
    expect([0, 1].map((random) => waitBefore(5, random))).toEqual([4000, 8000]);
    expect(waitBefore(MAX_TRIES, 0.5)).toBeUndefined();
    expect(waitBefore(1, 0, 5_000)).toBe(5_000);
    expect(waitBefore(1, 0, 61_000)).toBeUndefined();
  });

  it("is told in seconds or as a date", () => {
    const now = Date.parse("2026-11-21T00:00:00Z");
    expect(readRetryAfter("3", now)).toBe(3_000);
    expect(readRetryAfter("Sat, 21 Nov 2026 00:00:09 GMT", now)).toBe(9_000);
    expect(readRetryAfter("Fri, 20 Nov 2026 00:00:00 GMT", now)).toBe(0);
    expect([readRetryAfter("soon", now), readRetryAfter(null, now)]).toEqual([undefined, undefined]);
  });
});

describe("a gate", () => {
  it("lets in what fits, in order, and what is too large alone", async () => {
    const gate = new Gate(10);
    const log: string[] = [];
    const ends: (() => void)[] = [];
    const enter = (name: string, amount: number) =>
      gate.run(amount, () => {
        log.push(name);
        return new Promise<void>((done) => ends.push(done));
      });
    const all = [enter("a", 6), enter("b", 4), enter("huge", 99), enter("c", 1)];
    await Promise.resolve();
    expect(log).toEqual(["a", "b"]);
    for (let n = 0; n < all.length; n++) {
      while (ends.length === 0) await new Promise((done) => setImmediate(done));
      ends.shift()?.();
    }
    await Promise.all(all);
    expect(log).toEqual(["a", "b", "huge", "c"]);
  });

  it("goes on after a failure", async () => {
    const gate = new Gate(1);
    await expect(gate.run(1, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await gate.run(1, async () => "yes")).toBe("yes");
  });
});
