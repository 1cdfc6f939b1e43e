/**
 * Tailrace as `tailrace rollout` talks to it: one Worker, one rollout at a time,
 * moved on by the test. What each request was is kept; an answer can be lost.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  DEFAULT_PLAN,
  type PreflightFinding,
  type Rollout,
  type RolloutAnswer,
  type RolloutEvent,
  type StartRollout,
} from "../../workers/api/contract.ts";

export interface Asked {
  method: string;
  /** With its query. */
  path: string;
  body: unknown;
}

interface Reply {
  status: number;
  body: unknown;
}

export class FakeRollouts {
  readonly asked: Asked[] = [];
  readonly rollouts: Rollout[] = [];
  readonly events: RolloutEvent[] = [];
  findings: PreflightFinding[] = [];
  /** Of the rollouts that are begun, after so many times that it was read. */
  fate: { after: number; change: Partial<Rollout> } | undefined;
  /** Requests whose effect happens, and whose answer is lost: `POST /api/v1/rollouts`. */
  lost: string[] = [];
  /** Requests that find nobody, while there are some. */
  away = 0;
  readonly #server: Server;
  #reads = 0;

  constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => void this.#handle(request, response));
  }

  static async start(): Promise<FakeRollouts> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return new FakeRollouts(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** `METHOD path` of what changed something, or wanted to. */
  get changes(): string[] {
    return this.asked
      .filter(({ method, path }) => method === "POST" && !path.endsWith("/preflight"))
      .map(({ method, path }) => `${method} ${path}`);
  }

  begin(more: Partial<Rollout> = {}): Rollout {
    const rollout: Rollout = {
      id: crypto.randomUUID(),
      script: "shop",
      state: "running",
      mode: "act",
      isWatched: false,
      old: { id: "v1", tag: "", message: "" },
      new: { id: "v2", tag: "2.0", message: "" },
      plan: DEFAULT_PLAN,
      step: 0,
      percent: 1,
      verdict: "unknown",
      reason: "It has only begun.",
      startedAt: Date.now(),
      startedBy: "a test",
      endedAt: null,
      changedAt: Date.now(),
      ...more,
    };
    this.rollouts.unshift(rollout);
    this.note("To 1 %.");
    return rollout;
  }

  note(text: string): void {
    this.events.push({ seq: this.events.length, at: Date.now(), kind: "decision", actor: "guard", text });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const { method = "", url = "" } = request;
    if (this.away > 0) {
      this.away--;
      request.socket.destroy();
      return;
    }
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    this.asked.push({ method, path: url, body });
    const { status, body: answer } = this.#answer(method, new URL(url, this.url), body);
    const at = this.lost.indexOf(`${method} ${url}`);
    if (at !== -1) {
      this.lost.splice(at, 1);
      request.socket.destroy();
      return;
    }
    if (typeof answer === "string") response.writeHead(status, { "content-type": "text/markdown" }).end(answer);
    else response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }

  #answer(method: string, { pathname, searchParams }: URL, body: unknown): Reply {
    if (pathname === "/api/v1/session") return { status: 200, body: { actor: "a test", scope: "deploy" } };
    if (pathname === "/api/v1/rollouts/preflight") return { status: 200, body: this.#preflight() };
    if (pathname === "/api/v1/rollouts")
      return method === "POST" ? this.#start(body as StartRollout) : this.#list(searchParams);
    const [, id = "", what] = /^\/api\/v1\/rollouts\/([^/]+)(?:\/(\w+))?$/.exec(pathname) ?? [];
    const rollout = this.rollouts.find((one) => one.id === id);
    if (rollout === undefined) return failure(404, "not_found", `There is no rollout ${id}.`);
    if (what === undefined) return { status: 200, body: this.#read(rollout) };
    if (what === "evidence") return { status: 200, body: "# Rollout\n\nA \u001b[31mred\u001b[0m line.\n" };
    if (rollout.endedAt !== null) return failure(409, "ended", "This rollout has ended.");
    if (what === "promote") return this.#promote(rollout, (body as { percent?: number }).percent);
    if (what === "abort") Object.assign(rollout, { state: "aborted", endedAt: Date.now(), percent: 0 });
    if (what === "pause") rollout.state = "paused";
    return { status: 200, body: rollout };
  }

  #preflight() {
    const ok = !this.findings.some(({ level }) => level === "refuse");
    const [old, next] = [
      { id: "v1", tag: "", message: "" },
      { id: "v2", tag: "2.0", message: "" },
    ];
    return { ok, old, new: next, plan: DEFAULT_PLAN, findings: this.findings };
  }

  #start({ id, script, version }: StartRollout): Reply {
    const begun = this.rollouts.find((one) => one.id === id);
    if (begun !== undefined) return { status: 200, body: begun };
    const running = this.rollouts.find((one) => one.endedAt === null);
    if (running !== undefined)
      return failure(409, "rollout_running", "A rollout runs already.", { rollout: running.id });
    return {
      status: 201,
      body: this.begin({ ...(id === undefined ? {} : { id }), script, new: { id: version, tag: "2.0", message: "" } }),
    };
  }

  /** Without a percentage it goes on by one step, however often it is asked. */
  #promote(rollout: Rollout, percent: number | undefined): Reply {
    const { steps } = rollout.plan;
    const step = percent === undefined ? rollout.step + 1 : steps.findIndex((one) => one.percent === percent);
    if (step <= rollout.step) return failure(400, "bad_request", "It can go on only.");
    Object.assign(rollout, { step, percent: steps[step]?.percent });
    return { status: 200, body: rollout };
  }

  #list(query: URLSearchParams): Reply {
    const script = query.get("script");
    const isRunning = query.get("state") === "running";
    const found = this.rollouts.filter(
      (one) => (script === null || one.script === script) && (!isRunning || one.endedAt === null),
    );
    return { status: 200, body: { rollouts: found } };
  }

  #read(rollout: Rollout): RolloutAnswer {
    if (this.fate !== undefined && ++this.#reads > this.fate.after) {
      Object.assign(rollout, { endedAt: Date.now(), ...this.fate.change });
      this.note(`It ends: ${rollout.state}.`);
      this.fate = undefined;
    }
    const soak = { ms: 1_000, ofMs: 300_000, limitMs: 7_200_000 };
    return { rollout, judgement: null, soak, bucketMs: 10_000, points: [], issues: [], events: this.events, blind: [] };
  }
}

const failure = (status: number, code: string, message: string, details?: unknown): Reply => ({
  status,
  body: { error: { code, message, ...(details === undefined ? {} : { details }) } },
});
