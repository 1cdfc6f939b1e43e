/**
 * What the receiver's answer means. `deliver.ts` and `test-message.ts` ask. Relay
 * says why in the body (`detail`, `causes`) and in `X-Sentry-Error`; compatible
 * receivers say less. Pure.
 */
import { retryAfterMs as retryAfterOf } from "../../util/retry-after.ts";
import type { Failure, OutgoingAnswer } from "../contract.ts";
import type { Dsn } from "./dsn.ts";
import { DEFAULT_WAIT_MS } from "./limits.ts";
import { clip, oneLine } from "./text.ts";

export type Verdict =
  | { kind: "taken" }
  /** This content will not be taken. */
  | { kind: "refused"; failure: Failure }
  /** The same with less in it might be. */
  | { kind: "too large"; failure: Failure }
  /** It is not about this content: what follows would fare the same. */
  | { kind: "stop"; failure: Failure }
  /** Compressed bodies are not understood. */
  | { kind: "plain"; failure: Failure };

const MAX_REASON = 300;
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
    const lie = lieOf(answer, eventId);
    return lie === undefined ? { kind: "taken" } : { kind: "stop", failure: failed("lying", `${dsn.host} ${lie}`) };
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
  if (status === 404 || status === 405 || status === 410) {
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

/** A success that is none: a page of a portal or proxy, or JSON that speaks of an error or of another event. */
function lieOf({ text, cut, headers }: OutgoingAnswer & { ok: true }, eventId: string): string | undefined {
  const body = text.trim();
  if (body === "") return undefined;
  const isPage = body.startsWith("<") || (headers.get("content-type") ?? "").startsWith("text/html");
  if (isPage) return "says yes with a web page, which no Sentry does: is the DSN of this host?";
  if (!body.startsWith("{")) return undefined;
  const json = parsed(body);
  if (json === undefined) return cut ? undefined : "says yes, but its answer breaks off.";
  const { id } = json;
  if (typeof id === "string" && eventId !== "" && id.replaceAll("-", "").toLowerCase() !== eventId) {
    return "says yes to another event than the one that was sent.";
  }
  const error = json.detail ?? json.error ?? json.errors;
  if (id === undefined && error !== undefined && error !== null && error !== false) {
    return `says yes and speaks of an error: ${clip(oneLine(String(error), MAX_REASON), MAX_REASON)}`;
  }
  return undefined;
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
