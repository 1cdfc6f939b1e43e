/** The request over real sockets, against a receiver that does what receivers should not. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLookUp } from "../../../../workers/delivery/egress/names.ts";
import { createRequest, USER_AGENT } from "../../../../workers/delivery/egress/request.ts";
import type { Failure, OutgoingAnswer } from "../../../../workers/integrations/contract.ts";
import { HostileReceiver } from "../../../support/hostile-receiver.ts";

const SECRET = "tr-Secret/That+Must=Stay&Here-0123456789";
/** Long enough for loopback on a busy machine, short enough to wait for. */
const TIMEOUT_MS = 500;

let receiver: HostileReceiver;
beforeAll(async () => {
  receiver = await HostileReceiver.start();
});
afterAll(() => receiver.stop());
beforeEach(() => {
  receiver.behave({ kind: "answer" });
  receiver.forget();
});

const request = createRequest({ allowLoopback: true, secrets: [SECRET] });
const ask = (
  more: { timeoutMs?: number; maxResponseBytes?: number; headers?: Record<string, string>; body?: string } = {},
) => request({ url: `${receiver.url}/v1/logs`, timeoutMs: 5_000, ...more });

function failureOf(answer: OutgoingAnswer): Failure {
  if (answer.ok) throw new Error(`it was answered with ${answer.status}`);
  return answer.failure;
}

describe("an answer", () => {
  it("comes with its status, whichever it is, and the request said who asks", async () => {
    for (const status of [200, 202, 400, 401, 404, 413, 429, 500, 503]) {
      receiver.behave({ kind: "answer", status, body: `{"status":${status}}`, headers: { "retry-after": "7" } });
      const answer = await ask({
        headers: { "User-Agent": "mine", Host: "other.example.com", "x-key": "k" },
        body: "hello",
      });
      expect(answer).toMatchObject({ ok: true, status, text: `{"status":${status}}`, cut: false });
      expect(answer.ok && answer.headers.get("retry-after")).toBe("7");
    }
    const [first] = receiver.received;
    expect(first).toMatchObject({
      method: "POST",
      path: "/v1/logs",
      headers: { "user-agent": USER_AGENT, "x-key": "k" },
    });
    expect(first?.headers.host).toBe(`127.0.0.1:${receiver.port}`);
    expect(first?.body.toString()).toBe("hello");
    expect(USER_AGENT).toMatch(/^Tailrace\/\d+\.\d+\.\d+$/);
  });

  it("without end is read to its bound", async () => {
    receiver.behave({ kind: "endless" });
    const answer = await ask({ maxResponseBytes: 1_000 });
    expect(answer).toMatchObject({ ok: true, status: 200, cut: true, text: "x".repeat(1_000) });
  });

  it("that unpacks without end is read to its bound", async () => {
    receiver.behave({ kind: "gzip-bomb" });
    const answer = await ask();
    expect(answer).toMatchObject({ ok: true, cut: true });
    expect(answer.ok && answer.bytes.length).toBe(64 << 10);
  });

  it("that is a page for people is handed on as it is: integrations know what theirs looks like", async () => {
    receiver.behave({ kind: "lie" });
    expect(await ask()).toMatchObject({ ok: true, status: 200, text: expect.stringContaining("<!doctype html>") });
  });

  it("that repeats what it was sent holds no secret: not in text, bytes or headers", async () => {
    receiver.behave({ kind: "echo", status: 403 });
    const headers = { authorization: `Basic ${btoa(`user:${SECRET}`)}`, "x-key": SECRET };
    const url = `${receiver.url}/hook/${encodeURIComponent(SECRET)}?key=${encodeURIComponent(SECRET)}`;
    const answer = await request({ url, headers, body: JSON.stringify({ key: SECRET }) });
    if (!answer.ok) throw new Error(answer.failure.message);
    expect(answer.status).toBe(403);
    const all = [answer.text, new TextDecoder().decode(answer.bytes), JSON.stringify([...answer.headers])].join("\n");
    for (const spelling of [SECRET, encodeURIComponent(SECRET), btoa(`user:${SECRET}`), SECRET.slice(0, 12)])
      expect(all, spelling).not.toContain(spelling);
  });
});

describe("a receiver that", () => {
  it("hangs before it answers is given up after the time-out", async () => {
    receiver.behave({ kind: "hang" });
    expect(failureOf(await ask({ timeoutMs: TIMEOUT_MS }))).toMatchObject({ kind: "timeout", status: 0 });
  });

  it("hangs in its answer is given up after the same time-out", async () => {
    receiver.behave({ kind: "hang-in-body" });
    expect(failureOf(await ask({ timeoutMs: TIMEOUT_MS })).kind).toBe("timeout");
  });

  it("drips is given up after the same time-out: each byte does not begin it anew", async () => {
    receiver.behave({ kind: "drip" });
    expect(failureOf(await ask({ timeoutMs: TIMEOUT_MS })).kind).toBe("timeout");
  });

  it("breaks off, closes, resets, sends a broken gzip or another protocol is unreachable", async () => {
    for (const kind of ["truncate", "close", "reset", "bad-gzip", "not-http", "huge-headers"] as const) {
      receiver.behave({ kind });
      expect(failureOf(await ask()), kind).toMatchObject({
        kind: "unreachable",
        message: expect.stringContaining("127.0.0.1"),
      });
    }
  });

  it("is not there is unreachable", async () => {
    const gone = await HostileReceiver.start();
    const { url } = gone;
    await gone.stop();
    expect(failureOf(await request({ url })).kind).toBe("unreachable");
  });

  it("redirects is not followed, wherever to; the failure names the host and nothing of the rest", async () => {
    const other = await HostileReceiver.start();
    const places = [
      `${other.url}/taken?key=${SECRET}`,
      "http://169.254.169.254/latest/meta-data/",
      "http://[::1]/",
      "//example.com/x",
      "/elsewhere",
      "",
      "file:///etc/passwd",
    ];
    for (const to of places)
      for (const status of [301, 302, 303, 307, 308]) {
        receiver.behave({ kind: "redirect", to, status });
        const failure = failureOf(await ask({ headers: { authorization: SECRET } }));
        expect(failure, to).toMatchObject({ kind: "misplaced", status });
        expect(failure.message).not.toContain(SECRET);
      }
    receiver.behave({ kind: "redirect", to: "http://169.254.169.254/latest/" });
    expect(failureOf(await ask()).message).toContain("169.254.169.254, which is not a public address");
    expect(other.received).toEqual([]);
    await other.stop();
  });
});

describe("what is not sent at all", () => {
  const strict = createRequest({ allowLoopback: false, secrets: [SECRET] });

  it("is what goes to this machine, a private network or over http", async () => {
    const urls = [receiver.url, "https://127.0.0.1/", "https://10.0.0.1/", "https://[fd00::1]/", "http://example.com/"];
    for (const url of urls) expect(failureOf(await strict({ url })).kind, url).toBe("blocked");
    expect(receiver.received).toEqual([]);
  });

  it("is a header that HTTP does not allow; its value is not repeated", async () => {
    const failure = failureOf(await ask({ headers: { authorization: `${SECRET}\r\nx-other: 1` } }));
    expect(failure.kind).toBe("blocked");
    expect(failure.message).not.toContain("tr-Secret");
    expect(receiver.received).toEqual([]);
  });

  it("is what goes to a name that leads to an address that is not public", async () => {
    let asked = 0;
    const lookUp = createLookUp(async (name) => {
      asked++;
      if (name === "away.example.com") throw new Error("no resolver");
      return name === "sneaky.example.com" ? ["93.184.216.34", "::ffff:10.0.0.7"] : ["93.184.216.34"];
    });
    const sent: string[] = [];
    const guarded = createRequest({
      ...{ allowLoopback: false, secrets: [], lookUp },
      fetch: async (url) => {
        sent.push(String(url));
        return new Response("{}");
      },
    });
    expect(failureOf(await guarded({ url: "https://sneaky.example.com/" }))).toMatchObject({
      kind: "blocked",
      message: expect.stringContaining("::ffff:10.0.0.7"),
    });
    expect(await guarded({ url: "https://honest.example.com/" })).toMatchObject({ ok: true });
    expect(await guarded({ url: "https://honest.example.com/" })).toMatchObject({ ok: true });
    expect(await guarded({ url: "https://away.example.com/" })).toMatchObject({ ok: true });
    expect(await guarded({ url: "https://1.1.1.1/" })).toMatchObject({ ok: true });
    expect(asked).toBe(3);
    expect(sent).toHaveLength(4);
  });
});

it("a runtime whose error is long enough to be cut within the secret says none of it", async () => {
  for (let before = 150; before < 200; before += 7) {
    const long = createRequest({
      ...{ allowLoopback: true, secrets: [SECRET] },
      fetch: async () => {
        throw new TypeError(`${"x".repeat(before)}${SECRET}`);
      },
    });
    expect(failureOf(await long({ url: receiver.url })).message).not.toContain("tr-");
  }
});

it("a runtime whose error repeats the request says no secret", async () => {
  const broken = createRequest({
    ...{ allowLoopback: true, secrets: [SECRET] },
    fetch: async () => {
      throw new TypeError(`cannot connect with ${encodeURIComponent(SECRET)}`, {
        cause: new Error(`refused ${SECRET}`),
      });
    },
  });
  const failure = failureOf(await broken({ url: receiver.url }));
  expect(failure).toMatchObject({ kind: "unreachable", message: expect.stringContaining("[secret]") });
  expect(failure.message).not.toContain("tr-Secret");
});
