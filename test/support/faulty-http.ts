/** A small HTTP server whose answers a test scripts, one per request, down to the bytes on the wire. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  method: string;
  /** With the query. */
  path: string;
  authorization: string | undefined;
  body: string;
}
export type Answer = (response: ServerResponse, received: Received) => void;

export class FaultyHttp {
  readonly received: Received[] = [];
  readonly #next: Answer[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<FaultyHttp> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return new FaultyHttp(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The last one is repeated when more is asked. */
  script(...answers: Answer[]): void {
    this.received.length = 0;
    this.#next.splice(0, this.#next.length, ...answers);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const received = {
      method: request.method ?? "",
      path: request.url ?? "",
      authorization: request.headers.authorization,
      body: Buffer.concat(chunks).toString("utf8"),
    };
    this.received.push(received);
    const answer = this.#next.length > 1 ? this.#next.shift() : this.#next[0];
    if (answer === undefined) throw new Error("the test has no answer for this request");
    answer(response, received);
  }
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));

/** In Cloudflare's envelope. */
export const ok = (result: unknown): Answer => json(200, { success: true, errors: [], messages: [], result });
export const no = (status: number, code: number, message: string, headers?: Record<string, string>): Answer =>
  json(status, { success: false, errors: [{ code, message }], messages: [], result: null }, headers);
