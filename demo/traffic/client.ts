/** Carries out one step against the local edge. Every failure is an outcome, none is thrown. */
import { Agent, type ClientRequest, request } from "node:http";
import type { ClientHint } from "../edge/traffic/client.ts";
import type { Visitor } from "./visitors.ts";
import type { Step } from "./visits.ts";

export type StepOutcome = "answered" | "left" | "unreachable";

/** Longer than the slowest route of the shop; a step must end. */
const TIMEOUT_MS = 15_000;
/** The edge's word for a client that left before the answer. */
const LEFT = 499;
const MALFORMED_SHARE = 0.05;

export interface ShopClient {
  run(step: Step, visitor: Visitor, sessionId: string): Promise<StepOutcome>;
  close(): void;
}

export function createClient(shopUrl: string, maxSockets: number): ShopClient {
  const agent = new Agent({ keepAlive: true, maxSockets });
  const sockets = new Set<WebSocket>();
  const pending = new Set<ClientRequest>();
  return {
    run: (step, visitor, sessionId) => {
      const headers = { ...headersOf(visitor, sessionId, step.leaveAfterMs), ...step.headers };
      return step.socketMs === undefined
        ? send(shopUrl, step, headers, agent, pending)
        : watchFeed(shopUrl, step.socketMs, visitor, headers, sockets);
    },
    close() {
      for (const open of pending) open.destroy();
      for (const socket of sockets) socket.close();
      agent.destroy();
    },
  };
}

function headersOf(
  { place, agent, ip, userId }: Visitor,
  sessionId: string,
  leavesAfterMs: number | undefined,
): Record<string, string> {
  const { weight: _, ...where } = place;
  const hint: Partial<ClientHint> = {
    ...where,
    ip,
    leavesAfterMs,
    httpProtocol: agent.httpProtocol,
    tlsVersion: agent.httpProtocol === "HTTP/1.1" ? "TLSv1.2" : "TLSv1.3",
  };
  return {
    "user-agent": agent.userAgent,
    // Header values are Latin-1; the places are not.
    "x-demo-client": JSON.stringify(hint).replace(
      /[\u0080-\uffff]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
    "Cloudflare-Workers-Version-Key": sessionId,
    accept: "application/json",
    cookie: `session=${sessionId}; user=${userId}; csrf_token=demo-not-a-secret`,
  };
}

function send(shopUrl: string, step: Step, headers: Record<string, string>, agent: Agent, pending: Set<ClientRequest>) {
  return new Promise<StepOutcome>((done) => {
    const body = step.body === undefined ? undefined : JSON.stringify(step.body);
    const extra =
      body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
    const outgoing = request(`${shopUrl}${step.path}`, {
      method: step.method,
      agent,
      headers: { ...headers, ...extra },
    });
    pending.add(outgoing);
    let outcome: StepOutcome = "unreachable";
    const giveUp = setTimeout(() => outgoing.destroy(), TIMEOUT_MS);
    outgoing.on("response", (response) => {
      outcome = response.statusCode === LEFT ? "left" : "answered";
      response.resume();
      response.on("error", () => {});
    });
    outgoing.on("error", () => {});
    outgoing.on("close", () => {
      clearTimeout(giveUp);
      pending.delete(outgoing);
      done(outcome);
    });
    outgoing.end(body);
  });
}

/** Settles once the socket is open: a watcher does not occupy a place among the requests. */
function watchFeed(
  shopUrl: string,
  stayMs: number,
  visitor: Visitor,
  headers: Record<string, string>,
  sockets: Set<WebSocket>,
) {
  return new Promise<StepOutcome>((done) => {
    // Node's WebSocket takes headers; the browser's type, which ours is, does not know them.
    const Socket = WebSocket as unknown as new (url: string, options: { headers: Record<string, string> }) => WebSocket;
    const socket = new Socket(`${shopUrl.replace(/^http/, "ws")}/live`, { headers });
    sockets.add(socket);
    const hangUp = setTimeout(() => socket.close(1000, "seen enough"), stayMs);
    hangUp.unref();
    socket.addEventListener("open", () => {
      // Now and then an old app sends something else than JSON.
      const isOldApp = (visitor.ip.length * 7 + stayMs) % 100 < MALFORMED_SHARE * 100;
      socket.send(isOldApp ? `subscribe ${visitor.place.country}` : JSON.stringify({ country: visitor.place.country }));
      done("answered");
    });
    socket.addEventListener("error", () => done("unreachable"));
    socket.addEventListener("close", () => {
      clearTimeout(hangUp);
      sockets.delete(socket);
      done("left");
    });
  });
}
