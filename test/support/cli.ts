/** The real `tailrace` command, as a process; and a proxy that stands between it and the platform and misbehaves. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { ADMIN_TOKEN } from "./stack.ts";

const COMMAND = resolve("cli/tailrace.mjs");

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** What it has printed so far. */
  printed: { stdout: string; stderr: string };
  ended: Promise<Ended>;
}

export interface CliOptions {
  url: string;
  token?: string;
  cwd?: string;
  env?: Record<string, string>;
}

export function startCli(
  args: readonly string[],
  { url, token = ADMIN_TOKEN, cwd = ".", env = {} }: CliOptions,
): Running {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd,
    env: { ...process.env, TAILRACE_URL: url, TAILRACE_TOKEN: token, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    printed.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    printed.stderr += text;
  });
  const ended = new Promise<Ended>((done) => {
    child.once("close", (code) => done({ code, ...printed }));
  });
  return { child, printed, ended };
}

export const runCli = (args: readonly string[], options: CliOptions): Promise<Ended> => startCli(args, options).ended;

/** What to do with a request: pass it on, answer with a status, cut the connection, or never answer. */
export type Fate = "pass" | "cut" | "hold" | { status: number; headers?: Record<string, string> };

export class FaultyProxy {
  /** `METHOD path` of all that came. */
  readonly seen: string[] = [];
  readonly #server: Server;
  readonly #target: string;
  readonly #fate: (request: string, nth: number) => Fate;

  constructor(server: Server, target: string, fate: (request: string, nth: number) => Fate) {
    this.#server = server;
    this.#target = target;
    this.#fate = fate;
    server.on("request", (request, response) => void this.#handle(request, response));
  }

  /** @param fate told the request, and how many like it came before (from 1) */
  static async start(target: string, fate: (request: string, nth: number) => Fate): Promise<FaultyProxy> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return new FaultyProxy(server, target, fate);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = `${request.method} ${request.url}`;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The client was killed.
      return;
    }
    this.seen.push(asked);
    const fate = this.#fate(asked, this.seen.filter((one) => one === asked).length);
    if (fate === "hold") return;
    if (fate === "cut") {
      request.socket.destroy();
      return;
    }
    if (fate !== "pass") {
      response.writeHead(fate.status, fate.headers).end("it is away");
      return;
    }
    const body = chunks.length === 0 ? null : Buffer.concat(chunks);
    const headers = { authorization: request.headers.authorization ?? "", "content-type": "application/json" };
    const answer = await fetch(this.#target + request.url, { method: request.method ?? "GET", headers, body });
    response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
  }
}
