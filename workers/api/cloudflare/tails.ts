/**
 * What `wrangler tail` asks of Cloudflare's API, answered by Tailrace
 * (docs/live.md): a POST makes a tail and answers with the address of its socket;
 * a DELETE ends it. The address holds a secret that is good once, since the socket
 * comes without a token. The account in the path may be anything.
 */
import * as v from "valibot";
import { entranceRequest, tailHub } from "../../live/contract.ts";
import { readTailFilters } from "../../live/trace/filters.ts";
import { looksLikeTailSecret } from "../../live/trace/tickets.ts";
import { rootMessage } from "../../util/error-message.ts";
import { clientAddress, countRefusedCredential } from "../auth/limits.ts";
import { listenerOf } from "../auth/listeners.ts";
import { type ApiContext, type Handler, principalOf } from "../context.ts";
import { type Failure, fail, withoutSecrets } from "../errors.ts";
import { plainText, readParams, scriptName } from "../input.ts";
import { openSocket, wantsSocket } from "../live-socket.ts";
import { success, UNKNOWN_WORKER } from "./envelope.ts";
import { readKnownWorkers } from "./known-workers.ts";

/** Cloudflare's name for messages of one trace item each; wrangler offers it and wants it back. */
const PROTOCOL = "trace-v1";
const SOCKET_PATH = "/client/v4/tails";
const MAX_ID_CHARS = 64;
/** The longest IPv6 address has 45. */
const MAX_ADDRESS_CHARS = 64;

const Tails = v.object({ script: scriptName });
const Tail = v.object({ script: scriptName, id: plainText(MAX_ID_CHARS) });
const Socket = v.object({ worker: scriptName, secret: v.pipe(v.string(), v.check(looksLikeTailSecret)) });

export const createTail: Handler = async (c) => {
  const params = readParams(c, Tails);
  if (!params.ok) return params.failure;
  const { script } = params.value;
  const body = await readBody(c);
  if (!body.ok) return body.failure;
  const read = readTailFilters(body.value);
  if (!read.ok) return fail("bad_request", read.message);
  const known = await readKnownWorkers(c.env.DB, script);
  if (!known.has) return unknownWorker(script, known.names);
  const clientIp = (c.req.header("cf-connecting-ip") ?? "").slice(0, MAX_ADDRESS_CHARS);
  const request = { script, filters: read.filters, clientIp, who: listenerOf(principalOf(c)) };
  return ask(async () => {
    const ticket = await hubOf(c, script).createTail(request);
    if (ticket === "full")
      return fail("too_many_requests", `Too many watch ${script} already. End some, or wait a minute.`);
    const { id, secret, expiresAt } = ticket;
    return c.json(success({ id, url: socketUrl(c, script, secret), expires_at: isoTime(expiresAt) }));
  });
};

export const deleteTail: Handler = async (c) => {
  const params = readParams(c, Tail);
  if (!params.ok) return params.failure;
  const { script, id } = params.value;
  const { credential } = listenerOf(principalOf(c));
  return ask(async () =>
    (await hubOf(c, script).endTail(id, credential))
      ? c.json(success(null))
      : fail("not_found", `No tail ${id} of ${script} has been made with this token, or it has ended already.`),
  );
};

/** Those of who asks. Their addresses are not told again: each was good once. */
export const listTails: Handler = async (c) => {
  const params = readParams(c, Tails);
  if (!params.ok) return params.failure;
  const { script } = params.value;
  const { credential } = listenerOf(principalOf(c));
  return ask(async () => {
    const tails = await hubOf(c, script).listTails(credential);
    return c.json(
      success(
        tails.map(({ id, expiresAt }) => ({ id, expires_at: expiresAt === undefined ? null : isoTime(expiresAt) })),
      ),
    );
  });
};

/** The socket. No token comes with it: the hub knows whether the secret is one, and whose. */
export const openTail: Handler = async (c) => {
  const offered = (c.req.header("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  if (!wantsSocket(c))
    return fail("upgrade_required", "This address speaks WebSocket: it is where a tail's events come.");
  if (!offered.includes(PROTOCOL)) return fail("bad_request", `Offer the WebSocket subprotocol ${PROTOCOL}.`);
  const params = readParams(c, Socket);
  if (!params.ok) return refused(c);
  const { worker, secret } = params.value;
  // Who asks has shown nothing yet: no hub comes into being for a name that somebody made up.
  if (!(await readKnownWorkers(c.env.DB, worker)).has) return refused(c);
  return ask(async () => {
    const opened = await openSocket(hubOf(c, worker), entranceRequest({ kind: "trace", secret }), PROTOCOL);
    return opened instanceof Response || opened.tag !== "unauthorized" ? opened : refused(c);
  });
};

/** Counted like any other credential that is none. */
async function refused(c: ApiContext): Promise<Failure> {
  const limited = await countRefusedCredential(c.env, clientAddress(c));
  const message = "This address is good once, within a minute: make a new tail for another connection.";
  return limited ?? fail("unauthorized", message);
}

const hubOf = (c: ApiContext, script: string) => c.env.LIVE.getByName(tailHub(script));
const isoTime = (ms: number) => new Date(ms).toISOString();

/** A hub that is being replaced refuses what is on its way: the client tries again. */
async function ask(question: () => Promise<Response | Failure>): Promise<Response | Failure> {
  try {
    return await question();
  } catch (error) {
    console.error(`asking the live hub: ${withoutSecrets(rootMessage(error))}`);
    return fail("unavailable", "The live stream does not answer. Try again.", { retryAfterS: 2 });
  }
}

/** wrangler says text/plain, and means JSON. */
async function readBody(c: ApiContext): Promise<{ ok: true; value: unknown } | { ok: false; failure: Failure }> {
  const text = await c.req.text();
  if (text.trim() === "") return { ok: true, value: undefined };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, failure: fail("bad_request", 'The body is not JSON. It looks like {"filters": […]}.') };
  }
}

function unknownWorker(script: string, names: readonly string[]): Failure {
  const known = names.length === 0 ? "It has seen none yet" : `It has seen ${names.join(", ")}`;
  const what = `Tailrace has seen nothing of a Worker called ${script}. ${known}.`;
  const advice = 'A new one must have been called once, and needs tail_consumers = [{ service = "tailrace" }].';
  return fail("not_found", `${what} ${advice}`, { cloudflareCode: UNKNOWN_WORKER });
}

/** The same host that was asked. */
function socketUrl(c: ApiContext, worker: string, secret: string): string {
  const url = new URL(SOCKET_PATH, c.req.url);
  // Behind a proxy that ends TLS, the request itself came over http.
  const isSecure = url.protocol === "https:" || c.req.header("x-forwarded-proto") === "https";
  url.protocol = isSecure ? "wss:" : "ws:";
  url.search = new URLSearchParams({ worker, secret }).toString();
  return url.href;
}
