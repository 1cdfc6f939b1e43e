/**
 * A real receiver on loopback that misbehaves as a test says, down to the bytes on
 * the wire. It reads the whole request first (unless it closes at once), and keeps
 * what it was sent.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { gzipSync } from "node:zlib";

export type Behaviour =
  /** 200 with `{}` unless told otherwise. */
  | { kind: "answer"; status?: number; headers?: Record<string, string>; body?: string | Uint8Array }
  /** Takes the request and says nothing. */
  | { kind: "hang" }
  /** Begins to answer, and stops in the body. */
  | { kind: "hang-in-body"; status?: number }
  /** A body without end, as fast as it is read. */
  | { kind: "endless" }
  /** Promises more bytes than it sends, and closes. */
  | { kind: "truncate"; status?: number }
  | { kind: "redirect"; to: string; status?: number }
  /** 200 with a page for people: a proxy or a log-in in front of the receiver. */
  | { kind: "lie" }
  /** One byte of the body every `everyMs`. */
  | { kind: "drip"; everyMs?: number }
  /** Closes without an answer, once the request is read. */
  | { kind: "close" }
  /** Resets the connection as soon as there is one. */
  | { kind: "reset" }
  /** A header of so many KB. */
  | { kind: "huge-headers"; kilobytes?: number }
  /** Says gzip, and is not. */
  | { kind: "bad-gzip" }
  /** 200 MB of zeros in 200 KB. */
  | { kind: "gzip-bomb" }
  /** Answers in another protocol. */
  | { kind: "not-http" }
  /** Sends back what it was sent, headers too: what a debug page does. */
  | { kind: "echo"; status?: number };

export interface ReceivedRequest {
  method: string;
  /** With the query. */
  path: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
  at: number;
}

/** The bomb is made once: it takes a second. */
let bomb: Buffer | undefined;
const BOMB_BYTES = 200 << 20;

export class HostileReceiver {
  readonly received: ReceivedRequest[] = [];
  readonly #server: Server;
  readonly #next: Behaviour[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<ReturnType<typeof setInterval>>();
  #waiting: (() => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => this.#connected(socket));
    server.on("request", (request, response) => void this.#answer(request, response));
  }

  /** @param port any free one unless told otherwise: so that a receiver can come back where it was */
  static async start(port = 0): Promise<HostileReceiver> {
    const server = createServer();
    await new Promise<void>((done, fail) => {
      server.once("error", fail);
      server.listen(port, "127.0.0.1", done);
    });
    return new HostileReceiver(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** One behaviour per request, in turn; the last one stays. Without any it answers well. */
  behave(...behaviours: Behaviour[]): this {
    this.#next.splice(0, this.#next.length, ...behaviours);
    return this;
  }

  forget(): void {
    this.received.length = 0;
  }

  /** Resolves when so many requests have come, in all. */
  async hasReceived(count: number): Promise<void> {
    while (this.received.length < count) await new Promise<void>((done) => this.#waiting.push(done));
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  #behaviour(): Behaviour {
    return (this.#next.length > 1 ? this.#next.shift() : this.#next[0]) ?? { kind: "answer" };
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => undefined);
    if (this.#next[0]?.kind !== "reset") return;
    this.#behaviour();
    socket.resetAndDestroy();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const { method = "", url: path = "", headers } = request;
    const received = { method, path, headers, body: Buffer.concat(chunks), at: Date.now() };
    this.received.push(received);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
    this.#act(this.#behaviour(), received, response, request.socket);
  }

  #act(behaviour: Behaviour, received: ReceivedRequest, response: ServerResponse, socket: Socket): void {
    switch (behaviour.kind) {
      case "answer":
        response.writeHead(behaviour.status ?? 200, { "content-type": "application/json", ...behaviour.headers });
        return void response.end(behaviour.body ?? "{}");
      case "hang":
      case "reset":
        return;
      case "hang-in-body":
        response.writeHead(behaviour.status ?? 200, { "content-type": "application/json" });
        return void response.write('{"ok":');
      case "endless": {
        response.writeHead(200, { "content-type": "text/plain" });
        const more = () => {
          while (!response.destroyed && response.write("x".repeat(16_384)));
        };
        response.on("drain", more);
        more();
        return;
      }
      case "truncate":
        response.writeHead(behaviour.status ?? 200, { "content-type": "application/json", "content-length": "1000" });
        return void response.write('{"ok":true', () => socket.end());
      case "redirect":
        return void response.writeHead(behaviour.status ?? 302, { location: behaviour.to }).end("moved");
      case "lie":
        response.writeHead(200, { "content-type": "text/html" });
        return void response.end("<!doctype html><title>Log in</title><h1>Welcome back</h1>");
      case "drip": {
        response.writeHead(200, { "content-type": "application/json" });
        const timer = setInterval(() => response.write(" "), behaviour.everyMs ?? 50);
        this.#timers.add(timer);
        return void response.on("close", () => clearInterval(timer));
      }
      case "close":
        return void socket.destroy();
      case "huge-headers": {
        const filler = "h".repeat((behaviour.kilobytes ?? 1_024) << 10);
        return void socket.write(`HTTP/1.1 200 OK\r\nx-filler: ${filler}\r\ncontent-length: 2\r\n\r\n{}`);
      }
      case "bad-gzip":
        response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
        return void response.end("this is no gzip");
      case "gzip-bomb":
        bomb ??= gzipSync(Buffer.alloc(BOMB_BYTES), { level: 9 });
        response.writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" });
        return void response.end(bomb);
      case "not-http":
        return void socket.end("220 mail.example.com ESMTP ready\r\n");
      case "echo":
        response.writeHead(behaviour.status ?? 400, { "content-type": "application/json", "x-echo": received.path });
        return void response.end(
          JSON.stringify({ path: received.path, headers: received.headers, body: received.body.toString("utf8") }),
        );
    }
  }
}
