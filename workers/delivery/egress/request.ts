/**
 * The only request that leaves for a receiver: guarded before it is sent, bounded
 * in time and bytes, following no redirect, and with no secret in what comes back.
 * `delivery/io/` hands it to integrations as `Io.request`; expected failures are
 * values. Why this guard is where it is: docs/decisions/0028.
 */
import { version } from "../../../package.json";
import type { Failure, FailureKind, Io, OutgoingAnswer, OutgoingRequest } from "../../integrations/contract.ts";
import { rootMessage } from "../../util/error-message.ts";
import { kindOfHost } from "./address.ts";
import { readBody } from "./body.ts";
import { blocked, guardUrl } from "./guard.ts";
import { byteMasker, type Masker, masker } from "./mask.ts";
import type { LookUp } from "./names.ts";

export const USER_AGENT = `Tailrace/${version}`;

/** Healthy receivers answer within a second; a Courier tries again soon. */
const TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 30_000;
/** Answers say yes, or what was wrong with some items. */
const MAX_RESPONSE_BYTES = 64 << 10;
/** Of what the runtime says of a connection. */
const MAX_SAID_CHARS = 200;
/** All that workerd says when a name is not known, a connection is refused, or its network does not allow the address. */
const INTERNAL = /^internal error(; reference = \w+)?$/;
const plainly = (said: string) =>
  INTERNAL.test(said) ? "the name is not known, nobody listens there, or the network does not allow it." : said;
/** They belong to the connection, or are ours to say. */
const NOT_THEIRS = ["host", "connection", "content-length", "transfer-encoding", "upgrade", "user-agent"];

export interface RequestOptions {
  /** The local stack and tests: http, and addresses of this machine. */
  allowLoopback: boolean;
  /** Values that must not be seen in anything that comes out. */
  secrets: readonly string[];
  fetch?: typeof fetch;
  /** Says when a name leads to an address that is not public; without it names are believed. */
  lookUp?: LookUp;
}

/** What a runtime says of an error, in a few words. Masked before it is cut: half a secret is none that a mask knows. */
type Said = (error: unknown) => string;

export function createRequest(options: RequestOptions): Io["request"] {
  const mask = masker(options.secrets);
  const cover = cleaner(options.secrets, mask);
  const said: Said = (error) => mask(plainly(rootMessage(error))).slice(0, MAX_SAID_CHARS);
  return async (request) => {
    try {
      return cover(await ask(options, request, said));
    } catch (error) {
      return cover(failed("unreachable", `The request could not be made: ${said(error)}`));
    }
  };
}

async function ask(options: RequestOptions, request: OutgoingRequest, said: Said): Promise<OutgoingAnswer> {
  const guarded = guardUrl(request.url, options.allowLoopback);
  if (!guarded.ok) return guarded;
  const headers = headersOf(request.headers);
  if (headers === undefined)
    return blocked(
      "A header cannot be sent: its name or value has characters that HTTP does not allow (line breaks, for one).",
    );
  const { url } = guarded;
  if (options.lookUp !== undefined && isName(url.hostname)) {
    const problem = await options.lookUp(url.hostname);
    if (problem !== null) return blocked(problem);
  }
  return exchange({ send: options.fetch ?? fetch, url, headers, request, said });
}

/** Addresses end in a digit or a bracket; no public name does. localhost is spoken of by allowLoopback. */
const isName = (hostname: string) => /[a-z]\.?$/i.test(hostname) && kindOfHost(hostname) === "public";

function headersOf(given: Record<string, string> | undefined): Headers | undefined {
  try {
    const headers = new Headers(given);
    for (const name of NOT_THEIRS) headers.delete(name);
    headers.set("user-agent", USER_AGENT);
    return headers;
  } catch {
    // Its message repeats the value.
    return undefined;
  }
}

interface Exchange {
  send: typeof fetch;
  url: URL;
  headers: Headers;
  request: OutgoingRequest;
  said: Said;
}

/** One clock over all of it, the body included. A peer that ignores the abort is not waited for. */
async function exchange(asked: Exchange): Promise<OutgoingAnswer> {
  const timeoutMs = Math.min(asked.request.timeoutMs ?? TIMEOUT_MS, MAX_TIMEOUT_MS);
  const abort = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<OutgoingAnswer>();
  const timer = setTimeout(() => {
    resolve(failed("timeout", `${asked.url.host} did not answer within ${timeoutMs / 1_000} s.`));
    abort.abort();
  }, timeoutMs);
  try {
    return await Promise.race([converse(asked, abort.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function converse({ send, url, headers, request, said }: Exchange, signal: AbortSignal): Promise<OutgoingAnswer> {
  const { method = "POST", body = null } = request;
  let response: Response;
  try {
    response = await send(url, { method, headers, body, signal, redirect: "manual" });
  } catch (error) {
    return failed("unreachable", `No connection to ${url.host}: ${said(error)}`);
  }
  const { status } = response;
  if (status >= 300 && status < 400) return redirected(response, url);
  try {
    const { bytes, cut } = await readBody(response, request.maxResponseBytes ?? MAX_RESPONSE_BYTES);
    const text = new TextDecoder().decode(bytes);
    return { ok: true, status, headers: new Headers(response.headers), bytes, text, cut };
  } catch (error) {
    return failed(
      "unreachable",
      `${url.host} began to answer (status ${status}) and broke off: ${said(error)}`,
      status,
    );
  }
}

/** Names the host that it points to and no more of it: what follows may be a key. */
function redirected(response: Response, url: URL): OutgoingAnswer {
  response.body?.cancel().catch(() => undefined);
  const to = URL.parse(response.headers.get("location") ?? "", url);
  const where = to === null ? "nowhere" : to.host === url.host ? "another path of the same host" : to.host;
  const odd =
    to !== null && kindOfHost(to.hostname) !== "public" && to.host !== url.host
      ? ", which is not a public address"
      : "";
  return failed(
    "misplaced",
    `${url.host} answers with a redirect (status ${response.status}) to ${where}${odd}. Redirects are not followed: enter the address that it should be sent to.`,
    response.status,
  );
}

/** @returns what takes secrets out of an answer, wherever they may be in it */
function cleaner(secrets: readonly string[], mask: Masker) {
  const maskBytes = byteMasker(secrets);
  return (answer: OutgoingAnswer): OutgoingAnswer => {
    if (!answer.ok) return { ok: false, failure: { ...answer.failure, message: mask(answer.failure.message) } };
    for (const [name, value] of [...answer.headers]) {
      const masked = mask(value);
      if (masked !== value) answer.headers.set(name, masked);
    }
    return { ...answer, text: mask(answer.text), bytes: maskBytes(answer.bytes) };
  };
}

function failed(kind: FailureKind, message: string, status = 0): { ok: false; failure: Failure } {
  return { ok: false, failure: { kind, message, status } };
}
