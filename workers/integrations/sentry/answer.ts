/**
 * What the receiver's answer means. `deliver.ts` and `test-message.ts` ask. Relay
 * says why in the body (`detail`, `causes`) and in `X-Sentry-Error`; compatible
 * receivers say less. Pure.
 */
import { retryAfterMs as retryAfterOf } from "../../util/retry-after.ts";
import type { Failure, OutgoingAnswer } from "../contract.ts";
import type { Dsn } from "./dsn.ts";
import { DEFAULT_WAIT_MS } from "./limits.ts";
import { oneLine } from "./text.ts";

export type Verdict =
  | { kind: "taken"; otherId?: string }
  /** This content will not be taken. */
  | { kind: "refused"; failure: Failure }
  /** The same with less in it might be. */
  | { kind: "too large"; failure: Failure }
  /** It is not about this content: what follows would fare the same. */
  | { kind: "stop"; failure: Failure }
  /** Compressed bodies are not understood. */
  | { kind: "plain"; failure: Failure };

const MAX_REASON = 300;
const MAX_ID = 64;
/** Relay's words for keys and projects that it does not know, which it says with 400. */
const WRONG_DSN =
  /bad sentry dsn|project path parameter|missing authorization|sentry-auth|authorization payload|invalid project/i;
const TOO_LARGE = /exceeded size limit|too large|TooLarge|size limits? for type/i;

export function judge(answer: OutgoingAnswer, dsn: Dsn, eventId: string, now: number): Verdict {
  if (!answer.ok) return { kind: "stop", failure: answer.failure };
  const { status, headers } = answer;
  const reason = reasonOf(answer);
  const failed = (kind: Failure["kind"], message: string): Failure => ({ kind, message, status });
  if (status >= 200 && status < 300) {
    const lie = lieOf(answer);
    if (lie !== undefined) return { kind: "stop", failure: failed("lying", `${dsn.host} ${lie}`) };
    const otherId = otherIdOf(answer, eventId);
    return otherId === undefined ? { kind: "taken" } : { kind: "taken", otherId };
  }
  if (status === 429) {
    const retryAfterMs = retryAfterOf(headers.get("retry-after"), now) ?? DEFAULT_WAIT_MS;
    const message = `${dsn.host} asks to wait: the project's rate limit or quota is reached${said(reason)}.`;
    return { kind: "stop", failure: { ...failed("rate_limited", message), retryAfterMs } };
  }
  if (status === 413 || ((status === 400 || status === 403) && TOO_LARGE.test(reason))) {
    return { kind: "too large", failure: failed("refused", `It is too large for ${dsn.host}${said(reason)}.`) };
  }
  if (status === 401 || status === 403 || (status === 400 && WRONG_DSN.test(reason))) {
    return { kind: "stop", failure: failed("unauthorized", keyRefused(dsn, reason)) };
  }
  if (status === 404 || status === 405 || status === 410 || status < 400) {
    const message = `Nobody takes Sentry's envelopes at ${dsn.host} for project ${dsn.project} (status ${status}): is the DSN of this host?`;
    return { kind: "stop", failure: failed("misplaced", message) };
  }
  if (status === 415)
    return { kind: "plain", failure: failed("refused", `${dsn.host} takes no such body${said(reason)}.`) };
  if (status === 408 || status === 425 || status >= 500) {
    const retryAfterMs = retryAfterOf(headers.get("retry-after"), now);
    const failure = failed("unavailable", `${dsn.host} answers with status ${status}${said(reason)}.`);
    return { kind: "stop", failure: retryAfterMs === null ? failure : { ...failure, retryAfterMs } };
  }
  return { kind: "refused", failure: failed("refused", `${dsn.host} refused it (status ${status})${said(reason)}.`) };
}

function keyRefused({ host, project }: Dsn, reason: string): string {
  if (/with_reason: ProjectId\b/.test(reason)) {
    return `${host} does not know this key for project ${project}: the key is wrong or switched off, or belongs to another project or region${said(reason)}. Copy the DSN again from the project's settings, Client Keys.`;
  }
  return `${host} does not accept the key of project ${project}${said(reason)}. Copy the DSN again from the project's settings, Client Keys.`;
}

/**
 * A success that is none: a page of a portal or proxy, or JSON that plainly speaks
 * of an error. Anything else is believed, as SDKs do, which look at the status
 * alone: to doubt a receiver that answers in its own way is to send everything twice.
 */
function lieOf({ text }: OutgoingAnswer & { ok: true }): string | undefined {
  const body = text.trim();
  if (body === "") return undefined;
  // Small servers call everything text/html.
  if (body.startsWith("<")) return "says yes with a web page, which no Sentry does: is the DSN of this host?";
  const json = parsed(body);
  const error = json?.error ?? json?.detail;
  if (json?.id !== undefined || typeof error !== "string" || error === "") return undefined;
  return `says yes and speaks of an error: ${oneLine(error, MAX_REASON)}`;
}

/** The id by which the receiver calls it, where that is not the one that it was sent under. */
function otherIdOf({ text }: OutgoingAnswer & { ok: true }, eventId: string): string | undefined {
  const id = parsed(text)?.id;
  if (typeof id !== "string" || eventId === "" || id.replaceAll("-", "").toLowerCase() === eventId) return undefined;
  return oneLine(id, MAX_ID);
}

/** In one line; "" when it says none. */
function reasonOf({ text, headers }: OutgoingAnswer & { ok: true }): string {
  const json = parsed(text);
  const causes = Array.isArray(json?.causes) ? json.causes.map(String) : [];
  const detail = json?.detail ?? json?.error ?? json?.message;
  const parts = [typeof detail === "string" ? detail : "", ...causes].filter((part) => part !== "");
  const words = parts.length > 0 ? parts.join(": ") : (headers.get("x-sentry-error") ?? "");
  // A page of HTML says nothing to people in one line.
  const plain = words === "" && !text.trimStart().startsWith("<") ? text : words;
  return oneLine(plain, MAX_REASON);
}

const said = (reason: string) => (reason === "" ? "" : ` (it says: ${reason.replace(/[.\s]+$/, "")})`);

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
