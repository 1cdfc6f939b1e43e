/** The client over real HTTP, against a server that answers as Cloudflare does, and as Cloudflare never should. */
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createClient } from "../../../workers/cloudflare/client.ts";
import type { ApiResult, DeployRequest } from "../../../workers/cloudflare/contract.ts";
import { type Answer, FaultyHttp, json, no, ok } from "../../support/faulty-http.ts";

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const TOKEN = "cfut_A-Secret-That-Must-Not-Be-Seen_0123456789";
const V1 = "11111111-1111-4111-8111-111111111111";
const V2 = "22222222-2222-4222-8222-222222222222";
const NOW = Date.parse("2026-11-21T08:00:00Z");
/** Long enough for a loopback answer on a busy machine, short enough to wait for. */
const TIMEOUT_MS = 400;

const live = {
  id: "dddddddd-0000-4000-8000-000000000002",
  created_on: "2026-11-21T07:00:00.5Z",
  source: "wrangler",
  strategy: "percentage",
  author_email: "ann@example.com",
  annotations: { "workers/message": "Tailrace r1 step", "workers/triggered_by": "deployment" },
  versions: [
    { version_id: V1, percentage: 95 },
    { version_id: V2, percentage: 5 },
  ],
};
const before = { ...live, id: "dddddddd-0000-4000-8000-000000000001", versions: [{ version_id: V1, percentage: 100 }] };
const version = {
  id: V2,
  number: 7,
  metadata: { created_on: "2026-11-21T06:00:00Z", author_email: "ann@example.com", source: "wrangler" },
  annotations: { "workers/message": "card check", "workers/tag": "v2", "workers/triggered_by": "version_upload" },
};
const request: DeployRequest = {
  versions: [
    { version: V1, percent: 75 },
    { version: V2, percent: 25 },
  ],
  message: "Tailrace r1 step",
  mode: "deferred",
};

let server: FaultyHttp;
let elsewhere: FaultyHttp;
let waits: number[];
const client = () =>
  createClient({
    baseUrl: `${server.url}/client/v4/`,
    accountId: ACCOUNT,
    token: TOKEN,
    timeoutMs: TIMEOUT_MS,
    wait: async (ms) => void waits.push(ms),
    now: () => NOW,
    random: () => 0.5,
  });

beforeAll(async () => {
  [server, elsewhere] = await Promise.all([FaultyHttp.start(), FaultyHttp.start()]);
});
afterAll(async () => {
  await Promise.all([server.stop(), elsewhere.stop()]);
});
beforeEach(() => {
  waits = [];
  elsewhere.script(ok({ deployments: [live] }));
});

/** What answers with it says, and that no part of it is the token. */
function failed(result: ApiResult<unknown>) {
  expect(JSON.stringify(result)).not.toContain(TOKEN);
  if (result.ok) throw new Error(`expected a failure, not ${JSON.stringify(result.value)}`);
  return result;
}

describe("what the client asks for, and how it reads the answers", () => {
  it("lists deployments, the live one first", async () => {
    server.script(ok({ deployments: [live, before] }));
    expect(await client().deployments("shop")).toEqual({
      ok: true,
      attempts: 1,
      value: [
        {
          id: live.id,
          createdAt: Date.parse("2026-11-21T07:00:00.500Z"),
          author: "ann@example.com",
          message: "Tailrace r1 step",
          triggeredBy: "deployment",
          versions: [
            { version: V1, percent: 95 },
            { version: V2, percent: 5 },
          ],
        },
        expect.objectContaining({ id: before.id, versions: [{ version: V1, percent: 100 }] }),
      ],
    });
    expect(server.received).toEqual([
      {
        method: "GET",
        path: `/client/v4/accounts/${ACCOUNT}/workers/scripts/shop/deployments`,
        authorization: `Bearer ${TOKEN}`,
        body: "",
      },
    ]);
  });

  it("posts a deployment as wrangler does", async () => {
    server.script(ok(live));
    await client().deploy("shop", request);
    await client().deploy("shop", { ...request, mode: "immediate", force: true });
    expect(server.received.map(({ method, path }) => `${method} ${path.split("/scripts/")[1]}`)).toEqual([
      "POST shop/deployments",
      "POST shop/deployments?force=true",
    ]);
    const [deferred, immediate] = server.received.map(({ body }) => JSON.parse(body));
    expect(deferred).toEqual({
      strategy: "percentage",
      versions: [
        { version_id: V1, percentage: 75 },
        { version_id: V2, percentage: 25 },
      ],
      annotations: { "workers/message": "Tailrace r1 step" },
      code_update_strategy: { mode: "deferred", max_delay: 300 },
    });
    expect(immediate.code_update_strategy).toEqual({ mode: "immediate" });
  });

  it("lists the versions that can be deployed", async () => {
    server.script(ok({ items: [version, { id: V1, number: 6 }, { no: "version" }] }));
    const result = await client().versions("shop");
    expect(result).toMatchObject({
      value: [
        {
          id: V2,
          number: 7,
          tag: "v2",
          message: "card check",
          author: "ann@example.com",
          triggeredBy: "version_upload",
        },
        { id: V1, number: 6, tag: "", message: "", createdAt: 0 },
      ],
    });
    expect(server.received[0]?.path).toContain("/workers/scripts/shop/versions?deployable=true");
  });

  it("reads one version: its migration and its bindings, without values", async () => {
    const bindings = [
      { type: "kv_namespace", name: "CACHE", namespace_id: "n1" },
      { type: "secret_text", name: "KEY", text: "a-value-nobody-should-see" },
      { type: "plain_text", name: "MODE", text: "a-value-nobody-should-see" },
      { type: "durable_object_namespace", name: "STOCK", script_name: "shop", class_name: "Stock" },
    ];
    const resources = {
      bindings,
      script: { etag: "e" },
      script_runtime: { compatibility_date: "2026-11-01", migration_tag: "v3", usage_model: "standard" },
    };
    server.script(ok({ ...version, resources }));
    const result = await client().version("shop", V2);
    expect(result).toMatchObject({
      value: {
        id: V2,
        migrationTag: "v3",
        compatibilityDate: "2026-11-01",
        bindings: [
          { name: "CACHE", type: "kv_namespace", target: '{"namespace_id":"n1"}' },
          { name: "KEY", type: "secret_text", target: "{}" },
          { name: "MODE", type: "plain_text", target: "{}" },
          { name: "STOCK", target: '{"class_name":"Stock","script_name":"shop"}' },
        ],
      },
    });
    expect(JSON.stringify(result)).not.toContain("nobody-should-see");
    server.script(ok({ ...version, resources: {} }));
    expect(await client().version("shop", V2)).toMatchObject({ value: { migrationTag: null, bindings: [] } });
  });

  it("reads where the tails lead", async () => {
    server.script(
      ok({ logpush: false, tail_consumers: [{ service: "tailrace" }, { service: "other", environment: "x" }] }),
    );
    expect(await client().tailConsumers("shop")).toMatchObject({ value: ["tailrace", "other"] });
    server.script(ok({ tail_consumers: null }));
    expect(await client().tailConsumers("shop")).toMatchObject({ value: [] });
  });

  it("asks for both permissions that rollouts need", async () => {
    const nobody = no(404, 10_007, "This Worker does not exist on your account.");
    server.script(ok({}), nobody);
    expect(await client().verify()).toMatchObject({ ok: true });
    server.script(ok({}), no(403, 10_000, "Authentication error"));
    expect(failed(await client().verify())).toMatchObject({ kind: "unauthorized" });
    server.script(no(400, 6003, "Invalid request headers"));
    expect(failed(await client().verify())).toMatchObject({ kind: "unauthorized", status: 400, code: 6003 });
    server.script(ok({}), (response) => void response.socket?.destroy());
    expect(failed(await client().verify())).toMatchObject({ kind: "unavailable" });
  });

  it("keeps every name inside its part of the path", async () => {
    const name = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("..", ".", "a/../../x", "a?b#c", "%2e%2e", "a\\b"),
    );
    server.script(ok({ deployments: [] }));
    const prefix = `/client/v4/accounts/${ACCOUNT}/workers/scripts/`;
    await fc.assert(
      fc.asyncProperty(name, async (script) => {
        server.received.length = 0;
        await client().deployments(script);
        for (const { path } of server.received) {
          expect(path.startsWith(prefix) && path.endsWith("/deployments")).toBe(true);
          expect(path.slice(prefix.length).split(/[/?#]/)).toHaveLength(2);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("when Cloudflare says no", () => {
  const cases: [string, Answer, object][] = [
    ["a bad token", no(401, 9109, "Invalid access token"), { kind: "unauthorized", status: 401, code: 9109 }],
    ["a token without the permission", no(403, 10_000, "Authentication error"), { kind: "unauthorized", code: 10_000 }],
    ["an unknown Worker", no(404, 10_007, "workers.api.error.script_not_found"), { kind: "not_found", code: 10_007 }],
    ["a changed secret", no(400, 10_220, "secret changed"), { kind: "refused", code: 10_220 }],
    [
      "200 with success: false",
      json(200, { success: false, errors: [{ code: 10_021, message: "no" }] }),
      { kind: "unavailable", code: 10_021 },
    ],
    [
      "success with a 4xx",
      json(400, { success: true, errors: [], result: { deployments: [live] } }),
      { kind: "refused" },
    ],
  ];
  it.each(cases)("%s is told from the rest", async (_, answer, expected) => {
    server.script(answer);
    expect(failed(await client().deployments("shop"))).toMatchObject(expected);
  });

  it("says in plain words what to do about a token", async () => {
    server.script(no(403, 10_000, "Authentication error"));
    const { message } = failed(await client().deployments("shop"));
    expect(message).toContain("does not accept the API token");
    expect(message).toContain("Workers Scripts: Edit");
  });

  it("says in plain words why no secret can be written while two versions are live", async () => {
    server.script(no(400, 10_215, "Secret edit failed."));
    const { kind, message } = failed(await client().deployments("shop"));
    expect([kind, message]).toEqual(["refused", expect.stringContaining("gradual deployment")]);
  });

  it("does not ask again: nothing would change", async () => {
    for (const answer of [no(403, 10_000, ""), no(404, 10_007, ""), no(400, 10_220, "")]) {
      server.script(answer);
      expect(failed(await client().deployments("shop")).attempts).toBe(1);
      expect(server.received).toHaveLength(1);
    }
  });

  it("never passes on the token, however it comes back", async () => {
    const echoes: Answer[] = [
      no(400, 6111, `Invalid format for Authorization header: Bearer ${TOKEN}`),
      (response) => void response.writeHead(502).end(`<html>${TOKEN}</html>`),
      (response) => void response.writeHead(302, { location: `https://x.example/?${TOKEN}` }).end(),
      json(200, { success: true, result: { [TOKEN]: TOKEN } }),
      ok({ deployments: [{ ...live, id: TOKEN }] }),
    ];
    for (const echo of echoes) {
      server.script(echo);
      expect(JSON.stringify(await client().deployments("shop"))).not.toContain(TOKEN);
    }
    server.script(ok({ deployments: [{ ...live, annotations: { "workers/message": TOKEN } }] }));
    expect(await client().deployments("shop")).toMatchObject({ value: [{ message: "[token]" }] });
  });
});

describe("when it is asked too often", () => {
  it("waits as long as it is asked to, in seconds or until a date", async () => {
    server.script(
      no(429, 971, "Please wait", { "retry-after": "2" }),
      no(429, 971, "Please wait", { "retry-after": new Date(NOW + 3_000).toUTCString() }),
      ok({ deployments: [live] }),
    );
    expect(await client().deployments("shop")).toMatchObject({ ok: true, attempts: 3 });
    expect(waits).toEqual([2_000, 3_000]);
  });

  it("knows it by the code as well as by the status, and without an envelope", async () => {
    for (const answer of [
      no(400, 971, "Please wait"),
      (response: Parameters<Answer>[0]) => void response.writeHead(429).end("slow down"),
    ]) {
      server.script(answer, ok({ deployments: [] }));
      expect(await client().deployments("shop")).toMatchObject({ ok: true, attempts: 2 });
      expect(waits.pop()).toBe(250);
    }
  });

  it("leaves a longer wait to the caller", async () => {
    server.script(no(429, 971, "Please wait", { "retry-after": "120" }));
    const result = failed(await client().deployments("shop"));
    expect(result).toMatchObject({ kind: "rate_limited", retryAfterMs: 120_000, attempts: 1 });
    expect(result.message).toContain("120 s");
    expect(waits).toEqual([]);
  });

  it("takes no header at its word that makes no sense", async () => {
    for (const [header, expected] of [
      ["soon", null],
      ["-5", null],
      ["999999999", 3_600_000],
      ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ] as const) {
      server.script(no(429, 971, "", { "retry-after": header }));
      expect(failed(await client().deploy("shop", request)).retryAfterMs, header).toBe(expected);
    }
  });
});

describe("when it is down, or lies", () => {
  const html: Answer = (response) =>
    void response.writeHead(200, { "content-type": "text/html" }).end("<html>log in</html>");
  const notFoundPage: Answer = (response) =>
    void response.writeHead(404, { "content-type": "text/html" }).end("<h1>404</h1>");
  const cut: Answer = (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "1000" }).write('{"success":true,');
    setTimeout(() => response.socket?.destroy(), 5);
  };
  const refuses: Answer = (response) => void response.socket?.destroy();
  const bodies: [string, Answer][] = [
    ["500 with an envelope", no(500, 10_013, "An unknown error has occurred")],
    ["400 with its own unknown error", no(400, 10_013, "An unknown error has occurred")],
    ["a page of HTML", html],
    ["a proxy's 404, which is none of Cloudflare's", notFoundPage],
    ["an empty body", (response) => void response.writeHead(200).end()],
    ["JSON that is no envelope", json(200, [1, 2])],
    ["an envelope without a result", json(200, { success: true, errors: [] })],
    ["a cut connection", refuses],
    ["a cut body", cut],
    ["a deployment without versions", ok({ deployments: [{ ...live, versions: [] }] })],
    [
      "percentages that are no split",
      ok({ deployments: [{ ...live, versions: [{ version_id: V1, percentage: 50 }] }] }),
    ],
    [
      "a percentage that is none",
      ok({ deployments: [{ ...live, versions: [{ version_id: V1, percentage: "100" }] }] }),
    ],
    [
      "the same version twice",
      ok({
        deployments: [
          {
            ...live,
            versions: [
              { version_id: V1, percentage: 50 },
              { version_id: V1, percentage: 50 },
            ],
          },
        ],
      }),
    ],
    ["a date that is none", ok({ deployments: [{ ...live, created_on: "yesterday" }] })],
  ];
  it.each(bodies)("%s is unavailable, and a read is tried three times", async (_, answer) => {
    server.script(answer);
    expect(failed(await client().deployments("shop"))).toMatchObject({ kind: "unavailable", attempts: 3 });
    expect(server.received).toHaveLength(3);
    expect(waits).toEqual([250, 500]);
  });

  it("does not let one odd deployment of the past hide the live one", async () => {
    server.script(ok({ deployments: [live, { id: "odd" }, before] }));
    expect(await client().deployments("shop")).toMatchObject({ value: [{ id: live.id }, { id: before.id }] });
  });

  it("goes on when it is up again", async () => {
    server.script(refuses, html, ok({ deployments: [live] }));
    expect(await client().deployments("shop")).toMatchObject({ ok: true, attempts: 3 });
  });

  it("tries a write once, whatever happens: it may have been done", async () => {
    for (const answer of [no(500, 10_013, ""), html, refuses, cut, no(429, 971, "", { "retry-after": "1" })]) {
      server.script(answer);
      expect(failed(await client().deploy("shop", request)).attempts).toBe(1);
      expect(server.received).toHaveLength(1);
    }
    expect(waits).toEqual([]);
  });

  const silent: Answer = () => undefined;
  const stalled: Answer = (response) => void response.writeHead(200).write('{"success":true,"result":');
  it.each([
    ["no answer at all", silent],
    ["a body that stops in the middle", stalled],
  ])("%s is a time-out", async (_, answer) => {
    server.script(answer);
    const result = failed(await client().deploy("shop", request));
    expect(result).toMatchObject({ kind: "timeout", status: 0, attempts: 1 });
    server.script(answer, answer, ok({ deployments: [live] }));
    expect(await client().deployments("shop")).toMatchObject({ ok: true, attempts: 3 });
  });

  it("stops reading a body that does not end", async () => {
    let sent = 0;
    let closed = false;
    const piece = `"${"x".repeat(64 << 10)}",`;
    const endless: Answer = (response) => {
      response.writeHead(200).write('{"success":true,"result":[');
      response.on("close", () => (closed = true));
      const more = () => {
        if (response.destroyed) return;
        sent += piece.length;
        response.write(piece) ? setImmediate(more) : response.once("drain", more);
      };
      more();
    };
    server.script(endless);
    const patient = createClient({ baseUrl: server.url, accountId: ACCOUNT, token: TOKEN, timeoutMs: 20_000 });
    expect(failed(await patient.deploy("shop", request))).toMatchObject({ kind: "unavailable" });
    await expect.poll(() => closed).toBe(true);
    // What was read, and what lay in sockets' buffers by then.
    expect(sent).toBeLessThan(32 << 20);
  });

  it("does not follow a redirect: the token would go along", async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      server.script((response) => void response.writeHead(status, { location: `${elsewhere.url}/client/v4/x` }).end());
      expect(failed(await client().deployments("shop"))).toMatchObject({ kind: "unavailable", status });
    }
    expect(elsewhere.received).toEqual([]);
  });

  it("has a failure for every answer there can be", async () => {
    const anything = fc.oneof(
      fc.json(),
      fc.string(),
      fc.jsonValue().map((result) => JSON.stringify({ success: true, result })),
      fc
        .jsonValue()
        .map((one) =>
          JSON.stringify({ success: true, result: { deployments: [one], items: [one], tail_consumers: [one] } }),
        ),
      fc.jsonValue().map((errors) => JSON.stringify({ success: false, errors: [errors] })),
    );
    await fc.assert(
      fc.asyncProperty(anything, fc.constantFrom(200, 201, 400, 404, 429, 500, 503), async (body, status) => {
        server.script((response) => void response.writeHead(status).end(body));
        const { deployments, versions, version: one, tailConsumers, deploy, verify } = client();
        const results = await Promise.all([
          deployments("s"),
          versions("s"),
          one("s", V1),
          tailConsumers("s"),
          deploy("s", request),
          verify(),
        ]);
        for (const result of results) if (!result.ok) expect(result.message.length).toBeGreaterThan(10);
        if (status >= 400) expect(results.slice(0, 5).some(({ ok }) => ok)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
});
