/** The live stream of notifications: who may listen, and that what is published arrives. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { SCOPES, type Scope } from "../../../workers/api/contract.ts";
import { liveHub, NOTIFICATIONS_TOPIC } from "../../../workers/errors/issues/notify.ts";
import { ADMIN, call, errorCode, logIn, makeToken, ORIGIN } from "./client.ts";

const PATH = "/api/v1/notifications/live";
const upgrade = { upgrade: "websocket", connection: "Upgrade" };

const tokens = {} as Record<Scope, string>;
beforeAll(async () => {
  for (const scope of SCOPES) tokens[scope] = (await makeToken(scope)).token;
});

async function open(init: Parameters<typeof call>[1]): Promise<WebSocket> {
  const response = await call(PATH, { ...init, headers: { ...upgrade, ...init?.headers } });
  expect(response.status).toBe(101);
  const socket = response.webSocket;
  if (socket === null) throw new Error("no socket");
  socket.accept();
  return socket;
}

describe("the live stream", () => {
  it("tells what is published to all who listen: by token, and from the dashboard", async () => {
    const cookie = await logIn(ADMIN);
    const sockets = await Promise.all([
      open({ token: tokens.read }),
      open({ cookie, headers: { origin: ORIGIN } }),
      open({ cookie, headers: { "sec-fetch-site": "same-origin" } }),
    ]);
    const heard = sockets.map(
      (socket) => new Promise((resolve) => socket.addEventListener("message", (e) => resolve(e.data), { once: true })),
    );
    expect(await liveHub(env).publish(NOTIFICATIONS_TOPIC, ['{"id":1}'])).toBe(3);
    expect(await Promise.all(heard)).toEqual(['{"id":1}', '{"id":1}', '{"id":1}']);
    for (const socket of sockets) socket.close(1000);
  });

  it("is closed to other scopes, to nobody in particular, and to pages of someone else's", async () => {
    for (const scope of ["ingest", "deploy"] as const) {
      const response = await call(PATH, { token: tokens[scope], headers: upgrade });
      expect([scope, response.status]).toEqual([scope, 403]);
    }
    expect((await call(PATH, { headers: upgrade })).status).toBe(401);
    const cookie = await logIn(ADMIN);
    const foreign: Record<string, string>[] = [
      {},
      { origin: "https://evil.example" },
      { "sec-fetch-site": "cross-site", origin: ORIGIN },
    ];
    for (const headers of foreign) {
      const response = await call(PATH, { cookie, headers: { ...upgrade, ...headers } });
      expect([response.status, await errorCode(response)]).toEqual([403, "cross_origin"]);
    }
  });

  it("ends for a token that is revoked and what it opened, and for a session that is closed; others hear on", async () => {
    const [gone, stays] = [await makeToken("read"), await makeToken("read")];
    const closing = await logIn(ADMIN);
    const from = { headers: { origin: ORIGIN } };
    const ended = await Promise.all([
      open({ token: gone.token }),
      open({ cookie: await logIn(gone.token), ...from }),
      open({ cookie: closing, ...from }),
    ]);
    const others = await Promise.all([open({ token: stays.token }), open({ cookie: await logIn(ADMIN), ...from })]);
    const closed = ended.map((socket) => new Promise((resolve) => socket.addEventListener("close", resolve)));
    expect((await call(`/api/v1/tokens/${gone.id}`, { method: "DELETE", token: ADMIN })).status).toBe(200);
    expect((await call("/api/v1/session", { method: "DELETE", cookie: closing, ...from })).status).toBe(204);
    await Promise.all(closed);
    expect(await liveHub(env).publish(NOTIFICATIONS_TOPIC, [])).toBe(others.length);
    for (const socket of others) socket.close(1000);
  });

  it("says so to who does not speak WebSocket", async () => {
    const response = await call(PATH, { token: tokens.read });
    expect([response.status, response.headers.get("upgrade")]).toEqual([426, "websocket"]);
  });
});
