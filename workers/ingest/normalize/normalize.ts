/**
 * Trace item → events, in two steps, because most of the work is not needed for
 * an item that sampling or the rate limit drops:
 *   `read`    who ran, how it ended, and whether it must be kept
 *   `events`  the invocation, its console calls, diagnostics and exceptions
 * `intake.ts` calls both. Pure: time, ids and routes are handed in.
 */
import type { InvocationFields, OwnFields, TailraceEvent } from "../../event/event.ts";
import { clientLeft, isFailure } from "../../event/failure.ts";
import {
  MAX_EVENTS_PER_ITEM,
  MAX_ITEM_CHARS,
  MAX_MESSAGE_CHARS,
  MAX_OUTCOME_CHARS,
  UNKNOWN_SCRIPT,
} from "../limits.ts";
import type { Redactor } from "../redact/redact.ts";
import { stackOf } from "./error-text.ts";
import { type EventInfo, readEventInfo } from "./event-info.ts";
import { AttributeCollector, NameTree } from "./flatten.ts";
import { isInvocationId, newInvocationId, randomPart } from "./invocation-id.ts";
import { amount, type Fields, isFields, list, milliseconds, scriptName, text, toMicroseconds } from "./item.ts";
import { addEventDetails, addItemDetails } from "./item-details.ts";
import { isErrorLog, type LogFields, type LoggedError, readDiagnostic, readLog } from "./log.ts";
import { rawEvent } from "./raw.ts";
import { compileRequestDetails, type RequestDetails, type RequestInfo, readRequest } from "./request.ts";
import type { RouteTable } from "./route.ts";

/** What the tail consumer's props say about Workers whose items lack it (the local edge; `TailProps` in tail.ts). */
export interface ItemDefaults {
  script?: string;
  version?: { id?: string; tag?: string; message?: string };
  wallTime?: number;
  cpuTime?: number;
  /** Local workerd reports no times: the wall time is taken from the clock. */
  local?: boolean;
}

/** What reading depends on besides the item. */
export interface Surroundings {
  nowMs: number;
  defaults: ItemDefaults;
  /** Routes known of a Worker. */
  routes(script: string): RouteTable;
}

/** An item that could be read, half way to its events. */
export interface Invocation {
  fields: InvocationFields;
  /** µs */
  time: number;
  /** ms */
  duration: number | undefined;
  cpuTime: number | undefined;
  /** Failed, or threw: with `reportsError`, what is never sampled away. */
  failed: boolean;
  truncated: boolean;
  item: Fields;
  info: EventInfo;
  request: RequestInfo | undefined;
  logs: readonly unknown[];
  exceptions: readonly unknown[];
  diagnostics: readonly unknown[];
}

export interface Unreadable {
  unreadable: string;
}

/** An event of an invocation that tells of an error, beside the invocation itself (`grouping/occurrences.ts`). */
export interface Suspect {
  event: OwnFields;
  source: "exception" | "log";
  /** Undefined for a message at level error without one. */
  error: LoggedError | undefined;
}

export interface Normalizer {
  read(item: unknown, around: Surroundings): Invocation | Unreadable;
  /** `suspects` is filled with those of them that tell of errors. */
  events(invocation: Invocation, nowMs: number, suspects?: Suspect[]): OwnFields[];
  /** What could not be read, as an event. */
  raw(item: unknown, reason: string, around: Surroundings): TailraceEvent;
}

/** What is compiled once per settings. */
interface Tools {
  redactor: Redactor;
  names: NameTree;
  requestDetails: RequestDetails;
}

export function compileNormalizer(redactor: Redactor): Normalizer {
  const tools: Tools = { redactor, names: new NameTree(redactor), requestDetails: compileRequestDetails(redactor) };
  return {
    read: (item, around) => readItem(item, around, redactor),
    events: (invocation, nowMs, suspects = []) => makeEvents(invocation, nowMs, tools, suspects),
    raw: (item, reason, { nowMs, defaults }) => rawEvent(item, reason, nowMs, defaults.script, redactor),
  };
}

function readItem(item: unknown, around: Surroundings, redactor: Redactor): Invocation | Unreadable {
  if (!isFields(item)) return { unreadable: "the item is not an object" };
  const logs = list(item.logs);
  if (logs === undefined) return { unreadable: "logs is not a list" };
  const exceptions = list(item.exceptions);
  if (exceptions === undefined) return { unreadable: "exceptions is not a list" };
  const diagnostics = list(item.diagnosticsChannelEvents);
  if (diagnostics === undefined) return { unreadable: "diagnosticsChannelEvents is not a list" };
  const info = readEventInfo(item.event);
  if (info === undefined) return { unreadable: "event is not an object" };
  const timestamp = item.eventTimestamp;
  const given = milliseconds(timestamp, around.nowMs);
  if (given === undefined && timestamp !== undefined && timestamp !== null) {
    return { unreadable: "eventTimestamp is not a time in milliseconds" };
  }
  const ms = given ?? firstTime(logs, exceptions, around.nowMs);
  const fields = readContext(item, info, ms, around.defaults, redactor);
  const request =
    info.type === "fetch" && info.event ? readRequest(info.event, fields, around.routes(fields.script)) : undefined;
  if (request !== undefined && fields.route !== undefined) fields.route = redactor.label(fields.route);
  // Local workerd calls it "ok" when the client left before there was an answer; production says "canceled".
  // (An accepted WebSocket has no response there either: production gives it 101.)
  const isSocket = request?.headers?.upgrade === "websocket";
  const left = info.type === "fetch" && fields.status === undefined && exceptions.length === 0 && !isSocket;
  if (around.defaults.local && left && fields.outcome === "ok") fields.outcome = "canceled";
  const failed = isFailure(fields.outcome, fields.status) || exceptions.length > 0;
  const time = toMicroseconds(ms);
  const times = readTimes(item, ms, around, isSocket);
  const truncated = item.truncated === true;
  return { fields, time, ...times, failed, truncated, item, info, request, logs, exceptions, diagnostics };
}

/** An invocation that went well may have something to report. */
export function reportsError({ logs }: Invocation): boolean {
  return logs.some((log) => isFields(log) && isErrorLog(log));
}

/** Items without a time of their own happened when they first said something. */
function firstTime(logs: readonly unknown[], exceptions: readonly unknown[], nowMs: number): number {
  for (const entry of [logs[0], exceptions[0]]) {
    const ms = isFields(entry) ? milliseconds(entry.timestamp, nowMs) : undefined;
    if (ms !== undefined) return ms;
  }
  return nowMs;
}

function readContext(
  item: Fields,
  info: EventInfo,
  ms: number,
  defaults: ItemDefaults,
  redactor: Redactor,
): InvocationFields {
  const given = item.scriptVersion;
  const version: Fields = isFields(given) ? given : ((defaults.version ?? {}) as Fields);
  const id = item.invocationId;
  const label = (value: unknown, limit?: number) => {
    const found = text(value, limit);
    return found === undefined ? undefined : redactor.label(found);
  };
  // One shape for all, in the order of INVOCATION_FIELDS: the batch builder reads millions of these.
  return {
    script: scriptName(item.scriptName) ?? defaults.script ?? UNKNOWN_SCRIPT,
    invocation_id: isInvocationId(id) ? id : newInvocationId(ms),
    sample_weight: 1,
    entrypoint: label(item.entrypoint),
    version_id: label(version.id),
    version_tag: label(version.tag),
    version_message: label(version.message),
    event_type: info.type,
    outcome: label(item.outcome, MAX_OUTCOME_CHARS) ?? "unknown",
    trace_id: undefined,
    ray_id: undefined,
    method: undefined,
    route: undefined,
    status: undefined,
    colo: undefined,
    country: undefined,
    durable_object_id: text(item.durableObjectId),
  };
}

function readTimes(
  item: Fields,
  ms: number,
  around: Surroundings,
  isSocket: boolean,
): Pick<Invocation, "duration" | "cpuTime"> {
  const { defaults, nowMs } = around;
  const wall = amount(item.wallTime);
  const cpu = amount(item.cpuTime);
  if (!defaults.local) return { duration: wall ?? defaults.wallTime, cpuTime: cpu ?? defaults.cpuTime };
  // A socket's item comes when it is closed: the clock would tell how long somebody watched, not how slow we are.
  const elapsed = isSocket ? undefined : Math.max(0, nowMs - ms);
  return {
    duration: wall || defaults.wallTime || elapsed,
    cpuTime: cpu || defaults.cpuTime || undefined,
  };
}

function makeEvents(invocation: Invocation, nowMs: number, tools: Tools, suspects: Suspect[]): OwnFields[] {
  const { redactor, names } = tools;
  const details = new AttributeCollector(redactor, names);
  const first = invocationEvent(invocation, details, tools);
  const spanId = first.span_id;
  const events: OwnFields[] = [first];
  // Logs may fill an item up to its bounds; exceptions always have a place.
  const exceptions = invocation.exceptions.slice(0, MAX_EXCEPTIONS).map(asException);
  let chars = details.chars + exceptions.length * EXCEPTION_CHARS;
  let dropped = invocation.exceptions.length - exceptions.length;
  const add = (entry: Fields, log: LogFields) => {
    chars += log.chars;
    if (events.length >= MAX_EVENTS_PER_ITEM || chars > MAX_ITEM_CHARS) {
      dropped++;
      return;
    }
    const event = logEvent(log, timeOf(entry, invocation.time, nowMs), events.length, spanId);
    events.push(event);
    if (log.error !== undefined || (log.level === "error" && !log.diagnostic)) {
      suspects.push({ event, source: "log", error: log.error });
    }
  };
  for (const entry of invocation.logs) {
    const log = isFields(entry) ? entry : { message: [entry] };
    add(log, readLog(log, redactor, names));
  }
  for (const entry of invocation.diagnostics) {
    const diagnostic = isFields(entry) ? entry : { message: entry };
    add(diagnostic, readDiagnostic(diagnostic, redactor, names));
  }
  for (const exception of exceptions) {
    const time = timeOf(exception, invocation.time, nowMs);
    const event = exceptionEvent(exception, time, events.length, spanId, redactor);
    events.push(event);
    suspects.push({ event, source: "exception", error: { type: event.name, message: event.message } });
  }
  if (dropped > 0) details.note("tailrace.dropped_events", dropped);
  details.close();
  return events;
}

/** What is no object is the message of one. */
const asException = (entry: unknown): Fields => (isFields(entry) ? entry : { message: String(entry) });

/** A Worker throws once; more come from waitUntil, a few at most. */
const MAX_EXCEPTIONS = 50;
const EXCEPTION_CHARS = 1_024;

function timeOf(entry: Fields, fallback: number, nowMs: number): number {
  const ms = milliseconds(entry.timestamp, nowMs);
  return ms === undefined ? fallback : toMicroseconds(ms);
}

function logEvent(log: LogFields, time: number, seq: number, spanId: string | undefined): OwnFields {
  return {
    time,
    kind: log.kind,
    seq,
    level: log.level,
    message: log.message,
    name: log.name,
    span_id: spanId,
    parent_span_id: undefined,
    duration: undefined,
    cpu_time: undefined,
    fingerprint: undefined,
    stack: log.stack,
    attributes: log.attributes,
  };
}

function exceptionEvent(
  exception: Fields,
  time: number,
  seq: number,
  spanId: string | undefined,
  redactor: Redactor,
): OwnFields {
  return {
    time,
    kind: "exception",
    seq,
    level: "error",
    message: redactor.text(text(exception.message, MAX_MESSAGE_CHARS) ?? ""),
    name: redactor.label(text(exception.name) ?? "Error"),
    span_id: spanId,
    parent_span_id: undefined,
    duration: undefined,
    cpu_time: undefined,
    fingerprint: undefined,
    stack: stackOf(exception, redactor),
    attributes: undefined,
  };
}

function invocationEvent(invocation: Invocation, details: AttributeCollector, tools: Tools): OwnFields {
  const { fields, info, request, item } = invocation;
  const { redactor } = tools;
  if (request !== undefined) tools.requestDetails(request, details);
  else addEventDetails(info, details);
  addItemDetails(item, invocation.truncated, details);
  return {
    time: invocation.time,
    kind: "invocation",
    seq: 0,
    level: levelOf(invocation),
    message: redactor.label(request?.title ?? info.title),
    name: info.name === undefined ? undefined : redactor.label(info.name),
    // No spans of the platform's own reach a Tail Worker: one stands for the invocation.
    span_id: fields.trace_id === undefined ? undefined : randomPart(fields.invocation_id),
    parent_span_id: request?.parentSpanId,
    duration: invocation.duration,
    cpu_time: invocation.cpuTime,
    fingerprint: undefined,
    stack: undefined,
    attributes: details,
  };
}

function levelOf({ fields, exceptions }: Invocation): string {
  if (isFailure(fields.outcome, fields.status) || exceptions.length > 0) return "error";
  if ((fields.status ?? 0) >= 400 || clientLeft(fields.outcome)) return "warn";
  return "info";
}
