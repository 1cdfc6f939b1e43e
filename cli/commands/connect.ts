/** `tailrace connect`, `tailrace connect --list`, `tailrace disconnect`: Workers whose tails lead to Tailrace. Results go to stdout, the rest to stderr. */
import type { Connection, ConnectionAnswer, ConnectionsAnswer } from "../../workers/api/contract.ts";
import type { AccountRequest } from "../account/arguments.ts";
import type { ApiClient } from "../api/client.ts";
import { EXIT } from "../failure.ts";
import type { Output } from "../output.ts";
import { safeJson, safeLine } from "../safe-text.ts";

/** A person looks at it, and every look asks Cloudflare once. */
const LOOK_EVERY_MS = 2_000;
const PATH = "/api/v1/connections";

export interface ConnectSurroundings {
  api: ApiClient;
  output: Output;
  now: () => number;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** @returns what stops listening */
  onInterrupt: (run: () => void) => () => void;
}

type Of<C extends AccountRequest["command"]> = Extract<AccountRequest, { command: C }>;

/** @returns the exit code */
export async function connect(request: Of<"connect">, surroundings: ConnectSurroundings): Promise<number> {
  const { api, output } = surroundings;
  const { worker, waitMs, json } = request;
  const answer = await api.call<ConnectionAnswer>("PUT", pathOf(worker));
  if (answer.notice !== undefined) output.warn(safeLine(answer.notice));
  const { connection } = answer;
  if (!json) {
    output.note(byWhom(connection));
    output.note(
      "To make it last, this line belongs into its wrangler.toml; a deploy may take the entry out otherwise:",
    );
    output.say(safeLine(answer.toml));
  }
  if (waitMs === null || connection.verified)
    return done(connection.verified ? "seen" : "unasked", answer, request, output);
  output.note(
    `Waiting for its first event. Cause one: send ${worker} a request, or what else it is called by. Ctrl-C ends the waiting, not the connection.`,
  );
  const last = await firstEvent(worker, waitMs, surroundings);
  return done(last?.connection.verified ? "seen" : "missing", last ?? answer, request, output);
}

function byWhom({ script, byTailrace, others }: Connection): string {
  const beside =
    others.length === 0 ? "" : ` Other tail consumers are as they were: ${others.map(safeLine).join(", ")}.`;
  return byTailrace
    ? `${script} is connected.${beside}`
    : `${script} is connected by its own configuration: nothing was changed.${beside}`;
}

function done(
  events: "seen" | "missing" | "unasked",
  answer: ConnectionAnswer,
  { worker, json }: Of<"connect">,
  output: Output,
): number {
  if (json) output.say(safeJson(answer));
  else if (events === "seen") output.say(`${worker}: events arrive.`);
  else if (events === "missing")
    output.note(`${worker} is connected; no event has come yet. tailrace tail ${worker} shows them when they do.`);
  return events === "missing" ? EXIT.stillRunning : EXIT.ok;
}

/** @returns the last answer; undefined when there was none */
async function firstEvent(
  worker: string,
  waitMs: number,
  { api, now, sleep, onInterrupt }: ConnectSurroundings,
): Promise<ConnectionAnswer | undefined> {
  const interrupted = new AbortController();
  const stopListening = onInterrupt(() => interrupted.abort());
  const { signal } = interrupted;
  const end = now() + waitMs;
  let last: ConnectionAnswer | undefined;
  try {
    while (!signal.aborted && now() < end) {
      await sleep(Math.min(LOOK_EVERY_MS, Math.max(0, end - now())), signal);
      if (signal.aborted) break;
      last = await api.call<ConnectionAnswer>("GET", pathOf(worker), { signal });
      if (last.connection.verified) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    stopListening();
  }
  return last;
}

export async function disconnect(request: Of<"disconnect">, { api, output }: ConnectSurroundings): Promise<number> {
  const { worker, force, json } = request;
  const answer = await api.call<ConnectionAnswer>("DELETE", `${pathOf(worker)}${force ? "?force=true" : ""}`);
  if (answer.notice !== undefined) output.warn(safeLine(answer.notice));
  if (json) output.say(safeJson(answer));
  else output.say(`${worker} is not connected any more. What it sent stays.`);
  return EXIT.ok;
}

export async function listConnections(
  { json }: Of<"connections">,
  { api, output, now }: Pick<ConnectSurroundings, "api" | "output" | "now">,
): Promise<number> {
  const answer = await api.call<ConnectionsAnswer>("GET", PATH);
  if (json) {
    output.say(safeJson(answer));
    return EXIT.ok;
  }
  if (!answer.account.connected)
    output.note(
      "No Cloudflare account is connected: these are the Workers that events came from. Settings connects one.",
    );
  const { connections } = answer;
  const widest = Math.max(0, ...connections.map(({ script }) => script.length));
  for (const one of connections)
    output.say(`${safeLine(one.script).padEnd(widest)}  ${stateOf(one).padEnd(34)}  ${seenOf(one, now())}`);
  if (connections.length === 0) output.note("There are no Workers.");
  return EXIT.ok;
}

function stateOf({ connected, byTailrace, self }: Connection): string {
  if (self) return "Tailrace itself";
  if (connected) return byTailrace ? "connected by Tailrace" : "connected by its own configuration";
  return byTailrace ? "a deploy took the entry out" : "not connected";
}

function seenOf({ lastSeen }: Connection, now: number): string {
  if (lastSeen === null) return "never seen";
  const at = new Date(Math.min(lastSeen, now)).toISOString().slice(0, 16).replace("T", " ");
  return `last seen ${at} UTC`;
}

const pathOf = (worker: string) => `${PATH}/${encodeURIComponent(worker)}`;
