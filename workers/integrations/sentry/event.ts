/**
 * An item of the feed `errors` → Sentry's event: what was thrown, what was logged
 * as an Error, or an invocation that failed and said nothing. `envelopes.ts` hands
 * in what had to be looked up (stack, issue) and the budget that the event has to
 * fit. Pure.
 */
import type { TailraceEvent } from "../../event/event.ts";
import type { ResolvedTrace } from "../frames.ts";
import { breadcrumbsOf } from "./breadcrumbs.ts";
import { contextsOf, extraOf, requestOf, tagsOf, userOf } from "./describe.ts";
import { exceptionsOf } from "./exceptions.ts";
import { type Budget, MAX_NAME, MAX_TRANSACTION } from "./limits.ts";
import type { Level, Mechanism, SentryEvent } from "./protocol.ts";
import { SDK } from "./sdk.ts";
import { levelOf, type Subject, transactionOf } from "./subject.ts";
import { clip, endOf, oneLine, seconds } from "./text.ts";

export interface LookedUp {
  /** Undefined for an event without an error. */
  trace: ResolvedTrace | undefined;
  issue: number | null;
  baseUrl: string;
}

/** How the error came here. The names are those of Sentry's scheme for what SDKs find by themselves. */
const THROWN: Mechanism = { type: "auto.faas.cloudflare", handled: false };
const LOGGED: Mechanism = { type: "auto.log.console", handled: true };

/** Is there an error to tell of, or only words? */
export function isError({ kind, stack, attributes }: TailraceEvent): boolean {
  return (
    kind === "exception" || (kind === "log" && (stack !== undefined || attributes?.["error.message"] !== undefined))
  );
}

/** What the event itself says of its error. A text with a stack in it says nothing apart from that. */
export function saidOf({ kind, name, message, attributes }: TailraceEvent): { type?: string; message?: string } {
  if (kind === "exception") return { type: name ?? "Error", message: message ?? "" };
  const own = attributes?.["error.message"];
  return {
    ...(name === undefined ? {} : { type: name }),
    ...(own === undefined ? (name === undefined ? {} : { message: message ?? "" }) : { message: String(own) }),
  };
}

export function eventOf(subject: Subject, { trace, issue, baseUrl }: LookedUp, budget: Budget): SentryEvent {
  const { event, item, settings, release } = subject;
  const breadcrumbs = breadcrumbsOf(event, item.invocation.events, budget);
  const request = requestOf(subject, budget);
  const user = userOf(subject);
  const extra = extraOf(subject, budget);
  const made: SentryEvent = {
    event_id: subject.eventId,
    timestamp: event.kind === "invocation" ? endOf(event) : seconds(event.time),
    platform: "javascript",
    level: severityOf(event),
    ...(event.kind === "log" ? { logger: "console" } : {}),
    transaction: oneLine(transactionOf(subject), MAX_TRANSACTION),
    ...(release === undefined ? {} : { release }),
    environment: settings.environment,
    ...fingerprintOf(subject),
    ...whatHappened(subject, trace, budget),
    ...(breadcrumbs.length === 0 ? {} : { breadcrumbs: { values: breadcrumbs } }),
    ...(request === undefined ? {} : { request }),
    ...(user === undefined ? {} : { user }),
    tags: tagsOf(subject, budget.name),
    contexts: contextsOf(subject, linksOf(subject, issue, baseUrl)),
    ...(extra === undefined ? {} : { extra }),
    sdk: SDK,
  };
  return made;
}

function whatHappened({ event, own }: Subject, trace: ResolvedTrace | undefined, budget: Budget) {
  if (trace === undefined) return { logentry: { formatted: clip(words(event), budget.message) } };
  const mechanism = event.kind === "exception" ? THROWN : LOGGED;
  const exception = { values: exceptionsOf(trace, mechanism, budget) };
  // A console call may say more than its Error.
  const said = event.kind === "log" ? event.message : undefined;
  if (said === undefined || own["error.message"] === undefined || said === `${trace.type}: ${trace.message}`) {
    return { exception };
  }
  return { exception, logentry: { formatted: clip(said, budget.message) } };
}

/** `GET /checkout answered 503`, `queue orders: exceededMemory`. */
function words({
  kind,
  message,
  method,
  route,
  status,
  outcome,
  event_type: eventType,
  script,
}: TailraceEvent): string {
  if (kind !== "invocation") return message || kind;
  const what = method !== undefined && route !== undefined ? `${method} ${route}` : message || eventType || script;
  if (outcome !== undefined && outcome !== "ok" && outcome !== "unknown") return `${what}: ${outcome}`;
  return status === undefined ? `${what} failed` : `${what} answered ${status}`;
}

const DEATHS = new Set(["exceededMemory", "exceededCpu", "exceededWallTime"]);

function severityOf({ kind, level, outcome }: TailraceEvent): Level {
  if (kind === "log") return levelOf(level);
  return outcome !== undefined && DEATHS.has(outcome) ? "fatal" : "error";
}

function fingerprintOf({ event, settings }: Subject): { fingerprint?: string[] } {
  return settings.grouping === "tailrace" && event.fingerprint
    ? { fingerprint: [clip(event.fingerprint, MAX_NAME)] }
    : {};
}

/** Where Tailrace tells more. */
function linksOf({ item }: Subject, issue: number | null, baseUrl: string): Record<string, string | undefined> {
  if (baseUrl === "") return {};
  return {
    issue: issue === null ? undefined : `${baseUrl}/issues/${issue}`,
    invocation: `${baseUrl}/invocations/${encodeURIComponent(item.invocation.id.toWellFormed())}`,
  };
}
