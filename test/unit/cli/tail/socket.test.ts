/** A real WebSocket to a server of our own: what goes along, and what each way to end looks like. */
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import type { LiveSocket, SocketEnd } from "../../../../cli/tail/connection.ts";
import { type LiveAddress, liveConnect } from "../../../../cli/tail/socket.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(answer: RequestListener, live?: (socket: WebSocket) => void): Promise<string> {
  server = createServer(answer);
  if (live !== undefined) new WebSocketServer({ server }).on("connection", live);
  await new Promise<void>((done) => server?.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Seen {
  socket: LiveSocket;
  heard: string[];
  opened: Promise<void>;
  ended: Promise<SocketEnd>;
}
function connect(url: string, more: Partial<LiveAddress> = {}): Seen {
  const heard: string[] = [];
  let socket: LiveSocket | undefined;
  let ended: Promise<SocketEnd> | undefined;
  const opened = new Promise<void>((opened) => {
    ended = new Promise((ended) => {
      const address = { url, token: "trl_x", userAgent: "tailrace/test", worker: null, q: "", rate: undefined };
      socket = liveConnect({ ...address, ...more })({ opened, heard: (text) => heard.push(text), ended });
    });
  });
  return { socket: socket as never as LiveSocket, heard, opened, ended: ended as never as Promise<SocketEnd> };
}

const nothing: RequestListener = (_request, response) => response.writeHead(404).end();

it("says who it is, and what it wants to see", async () => {
  let url = "";
  let headers: IncomingHttpHeaders = {};
  const origin = await serve(nothing, (socket) => socket.close(1000));
  server?.on("upgrade", (request) => {
    url = request.url ?? "";
    headers = request.headers;
  });
  const access = { id: "an-id", secret: "a-secret" };
  await connect(origin, { worker: "shop", q: 'status:>=500 "a b"', rate: 50, access }).ended;
  expect(url).toBe("/api/v1/live?script=shop&q=status%3A%3E%3D500+%22a+b%22&rate=50");
  expect(headers).toMatchObject({
    authorization: "Bearer trl_x",
    "user-agent": "tailrace/test",
    "cf-access-client-id": "an-id",
    "cf-access-client-secret": "a-secret",
  });
  expect(headers["sec-websocket-extensions"]).toBeUndefined();
});

it("talks both ways, and stops reading for as long as it is told to", async () => {
  let theirs: WebSocket | undefined;
  const origin = await serve(nothing, (socket) => {
    theirs = socket;
    socket.on("message", (data) => socket.send(`heard ${data}`));
  });
  const { socket, heard, opened } = connect(origin);
  await opened;
  socket.send("ä");
  await expect.poll(() => heard).toEqual(["heard ä"]);
  socket.pause();
  await new Promise<void>((sent) => theirs?.send("more", () => sent()));
  socket.resume();
  await expect.poll(() => heard).toEqual(["heard ä", "more"]);
});

it("a close has its code and reason, and one that the other side leaves hanging is over soon", async () => {
  const origin = await serve(nothing, (socket) => {
    // Like a Durable Object that hibernates: the close frame comes, the connection stays.
    const { _socket: connection } = socket as never as { _socket: { end: () => void } };
    connection.end = () => {};
    socket.close(4001, "revoked");
  });
  expect(await connect(origin).ended).toEqual({ tag: "closed", code: 4001, reason: "revoked" });
});

it("a connection that breaks, and one that cannot be made", async () => {
  const origin = await serve(nothing, (socket) => socket.terminate());
  expect(await connect(origin).ended).toMatchObject({ tag: "closed", code: 1006 });
  const { port } = new URL(origin);
  await new Promise((done) => server?.close(done));
  expect(await connect(`http://127.0.0.1:${port}`).ended).toEqual({ tag: "unreachable", why: "ECONNREFUSED" });
});

it("nothing is heard of a socket that was closed here", async () => {
  let closed: ((code: number) => void) | undefined;
  const code = new Promise<number>((done) => {
    closed = done;
  });
  const origin = await serve(nothing, (socket) => {
    socket.on("close", (code) => closed?.(code));
    socket.send("late");
  });
  const { socket, heard, opened } = connect(origin);
  await opened;
  socket.close();
  expect(await code).toBe(1000);
  expect(heard.filter((text) => text !== "late")).toEqual([]);
});

const problem = (code: string, message: string, details?: unknown) =>
  JSON.stringify({ error: { code, message, details } });
it.each<[string, [number, string, Record<string, string>?], RegExp, object]>([
  [
    "a token",
    [401, problem("unauthorized", "Unknown.")],
    /does not know the token \(401\).*scope read/,
    { retry: false },
  ],
  ["a scope", [403, problem("forbidden", "It asks for read.")], /may not do this \(403\)/, { retry: false }],
  [
    "a filter",
    [400, problem("bad_query", "expected x at column 3", { position: 2 })],
    /not understood: expected x at column 3\n {2}a:\(\n {4}\^$/,
    { retry: false },
  ],
  [
    "an argument",
    [400, problem("bad_request", "q is too long.")],
    /400: q is too long\./,
    { retry: false, failure: { exitCode: 2 } },
  ],
  [
    "Cloudflare Access",
    [302, "", { location: "https://team.cloudflareaccess.com/login?x=1" }],
    /Cloudflare Access stands in front/,
    { retry: false },
  ],
  ["another server", [404, "nope"], /no such route \(404\)\. Is TAILRACE_URL/, { retry: false }],
  ["a page", [200, "<html>"], /answers, but not with a live stream/, { retry: false }],
  [
    "too many",
    [429, problem("overloaded", "Full."), { "retry-after": "7" }],
    /429: Full/,
    { retry: true, retryAfterMs: 7_000 },
  ],
  ["a redeploy", [503, "away"], /503/, { retry: true }],
])("refused: %s", async (_what, [status, body, headers], says, how) => {
  const origin = await serve((_request, response) => response.writeHead(status, headers).end(body));
  const end = await connect(origin, { q: "a:(" }).ended;
  expect(end).toMatchObject({ tag: "refused", ...how });
  expect(end.tag === "refused" && end.failure.message).toMatch(says);
});
