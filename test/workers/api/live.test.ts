/** The door of the live stream: who may look, and what is said before the upgrade. */
import { beforeAll, describe, expect, it } from "vitest";
import { type ApiError, SCOPES, type Scope } from "../../../workers/api/contract.ts";
import { ADMIN, type Call, call, errorCode, logIn, makeToken, ORIGIN } from "./client.ts";

const PATH = "/api/v1/live";
const upgrade = { upgrade: "websocket", connection: "Upgrade" };

const tokens = {} as Record<Scope, string>;
beforeAll(async () => {
  for (const scope of SCOPES) tokens[scope] = (await makeToken(scope)).token;
});

const knock = (query: string, { headers, ...init }: Call) =>
  call(`${PATH}?${query}`, { ...init, headers: { ...upgrade, ...headers } });

async function greeting(response: Response): Promise<unknown> {
  const { webSocket, status } = response;
  if (webSocket === null) throw new Error(`no socket: ${status}`);
  const first = new Promise((resolve) => webSocket.addEventListener("message", (e) => resolve(e.data), { once: true }));
  webSocket.accept();
  const message = JSON.parse(String(await first)) as unknown;
  webSocket.close(1000);
  return message;
}

describe("the live stream", () => {
  it("opens for a token that may read, and for the dashboard", async () => {
    const cookie = await logIn(ADMIN);
    const calls: Call[] = [
      { token: tokens.read },
      { token: ADMIN },
      { cookie, headers: { origin: ORIGIN } },
      { cookie, headers: { "sec-fetch-site": "same-origin" } },
    ];
    for (const init of calls) {
      const hello = await greeting(await knock("script=shop&q=level:error&rate=10", init));
      expect(hello).toMatchObject({ type: "ready", script: "shop", q: "level:error", rate: 10 });
    }
    expect(await greeting(await knock("", { token: tokens.read }))).toMatchObject({
      type: "ready",
      script: null,
      q: "",
    });
  });

  it("is closed to other scopes, to nobody in particular, and to pages of someone else's", async () => {
    for (const scope of ["ingest", "deploy"] as const)
      expect((await knock("", { token: tokens[scope] })).status).toBe(403);
    expect((await knock("", {})).status).toBe(401);
    const cookie = await logIn(ADMIN);
    const foreign: Record<string, string>[] = [
      {},
      { origin: "https://evil.example" },
      { "sec-fetch-site": "cross-site", origin: ORIGIN },
    ];
    for (const headers of foreign) {
      const response = await knock("", { cookie, headers });
      expect([response.status, await errorCode(response)]).toEqual([403, "cross_origin"]);
    }
  });

  it.each([
    ["level:", 6],
    ["(level:error", 12],
    ["level:error | stats count()", 14],
    ["message:/(/", 8],
  ])("says where the filter %s is wrong, with an upgrade or without", async (q, position) => {
    for (const headers of [upgrade, {}] as Record<string, string>[]) {
      const response = await call(`${PATH}?${new URLSearchParams({ q })}`, { token: tokens.read, headers });
      const { error } = (await response.json()) as ApiError;
      expect([response.status, error.code, error.details]).toEqual([
        400,
        "bad_query",
        expect.objectContaining({ position }),
      ]);
    }
  });

  it.each(["rate=0", "rate=5001", "rate=1.5", "rate=x", `script=${"x".repeat(300)}`, "script=a%00b"])(
    "refuses %s",
    async (query) => {
      const response = await knock(query, { token: tokens.read });
      expect([response.status, await errorCode(response)]).toEqual([400, "bad_request"]);
    },
  );

  it("refuses a filter that is too long or too big to compare with", async () => {
    for (const q of ["x".repeat(5_000), "x".repeat(20_000), "message:/(a{1,200}b{1,200}){1,200}/"]) {
      const response = await knock(new URLSearchParams({ q }).toString(), { token: tokens.read });
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
    }
  });

  it("says so to who does not speak WebSocket", async () => {
    const response = await call(PATH, { token: tokens.read });
    expect([response.status, response.headers.get("upgrade"), await errorCode(response)]).toEqual([
      ...[426, "websocket", "upgrade_required"],
    ]);
  });
});
