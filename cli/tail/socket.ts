/**
 * A WebSocket to `/api/v1/live`, and what can become of it as values. Node 20
 * has none of its own that takes headers, hence the package `ws`.
 */
import type { IncomingMessage } from "node:http";
import WebSocket from "ws";
import { isWorthRetrying, readRetryAfter } from "../api/back-off.ts";
import { failureOf, headersOf } from "../api/failures.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import type { Server } from "../options.ts";
import type { Connect, LiveSocket, SocketEnd } from "./connection.ts";
import { filterFailure } from "./filter-failure.ts";

export interface LiveAddress extends Server {
  worker: string | null;
  q: string;
  rate: number | undefined;
  userAgent: string;
}

const HANDSHAKE_MS = 15_000;
/** The platform's own limit for a message. */
const MAX_MESSAGE_BYTES = 32 << 20;
/** Of an answer that is no WebSocket. */
const MAX_ANSWER_BYTES = 64 << 10;
/** From a close that is heard to the end of the connection, which a platform that hibernates leaves open for seconds. */
const CLOSED_MS = 500;
/** From our own close, for the other side to hear it. */
const CLOSE_MS = 300;

export function liveConnect({ worker, q, rate, ...server }: LiveAddress): Connect {
  const params = new URLSearchParams();
  if (worker !== null) params.set("script", worker);
  if (q !== "") params.set("q", q);
  if (rate !== undefined) params.set("rate", String(rate));
  const address = `${server.url.replace(/^http/, "ws")}/api/v1/live?${params}`;
  // Not in the types of `ws` yet.
  const options: WebSocket.ClientOptions & { closeTimeout: number } = {
    closeTimeout: CLOSED_MS,
    headers: headersOf(server, server.userAgent),
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: MAX_MESSAGE_BYTES,
    // Costs the platform more than the bytes are worth.
    perMessageDeflate: false,
  };
  return (listener) => {
    const socket = new WebSocket(address, options);
    let isOver = false;
    let isRefused = false;
    let broken: string | undefined;
    const end = (how: SocketEnd) => {
      if (isOver) return;
      isOver = true;
      listener.ended(how);
    };
    socket.on("open", () => isOver || listener.opened());
    socket.on("message", (data: Buffer) => isOver || listener.heard(data.toString()));
    socket.on("unexpected-response", (_request, response) => {
      isRefused = true;
      void readRefusal(response, server.url, q).then((refusal) => {
        end(refusal);
        // `ws` leaves the connection to whoever listens here.
        socket.terminate();
      });
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      broken = error.code ?? error.message;
    });
    socket.on("close", (code, reason) => {
      if (isRefused) return;
      if (broken === undefined || code !== 1006) end({ tag: "closed", code, reason: reason.toString() });
      else end({ tag: "unreachable", why: broken });
    });
    return controls(socket, () => {
      isOver = true;
    });
  };
}

function controls(socket: WebSocket, silence: () => void): LiveSocket {
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close() {
      silence();
      if (socket.readyState !== WebSocket.OPEN) {
        socket.terminate();
        return;
      }
      // A close frame that waits behind what nobody reads would never be seen.
      socket.resume();
      socket.close(1000);
      setTimeout(() => socket.terminate(), CLOSE_MS).unref();
    },
    destroy() {
      silence();
      socket.terminate();
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}

async function readRefusal(response: IncomingMessage, origin: string, q: string): Promise<SocketEnd> {
  const text = await readText(response);
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300)
    return {
      tag: "refused",
      failure: new CliFailure(
        `${origin} answers, but not with a live stream. Is TAILRACE_URL the address of Tailrace?`,
      ),
      retry: false,
    };
  const location = response.headers.location;
  const failure = failureOf({ status, location }, text, origin, "read");
  if (failure.code === "bad_query")
    return { tag: "refused", failure: filterFailure(q, failure.said, failure.details), retry: false };
  if (status === 400) return { tag: "refused", failure: usageFailure(failure.message), retry: false };
  const retryAfterMs = readRetryAfter(response.headers["retry-after"] ?? null, Date.now());
  const retry = isWorthRetrying(status);
  return retryAfterMs === undefined
    ? { tag: "refused", failure, retry }
    : { tag: "refused", failure, retry, retryAfterMs };
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = "";
  try {
    for await (const chunk of response.setEncoding("utf8")) {
      text += chunk;
      if (text.length > MAX_ANSWER_BYTES) break;
    }
  } catch {
    // Cut off: what came will do.
  }
  return text;
}
