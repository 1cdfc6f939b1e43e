/**
 * An invocation → its trace item as JSON text, as Cloudflare's own tail sends it
 * (`wrangler tail`), but redacted, and with stacks of the team's own source
 * where the grouper knows the source map. `extras.ts` asks while somebody wants
 * items. What local workerd leaves out is filled in from the normalized fields.
 *
 * Readers of items trust their types, whoever posted them: texts are texts, and
 * lists are lists.
 */
import type { SourceTrace } from "../../errors/trace.ts";
import type { OwnFields } from "../../event/event.ts";
import type { Found } from "../grouping/grouper.ts";
import { type Fields, isFields, text } from "../normalize/item.ts";
import { fieldsArgument } from "../normalize/log.ts";
import type { Invocation } from "../normalize/normalize.ts";
import { render, renderArguments } from "../normalize/render.ts";
import type { Redactor } from "../redact/redact.ts";
import { RedactedCopy } from "./redacted-copy.ts";
import { mappedText } from "./stack-text.ts";

/** An invocation that is kept, with its events and what is known of its errors. */
export interface Witness {
  invocation: Invocation;
  found: Found;
  redactor: Redactor;
}

const US_PER_MS = 1_000;
/** As many as the platform and `normalize.ts` let through. */
const MAX_LOGS = 2_000;
const MAX_EXCEPTIONS = 50;

/** Throws on what only pretends to be an item. */
export function traceItem({ invocation, found, redactor }: Witness): string {
  const { fields, item } = invocation;
  const copy = new RedactedCopy(redactor);
  const traces = new Traces(found);
  const label = (value: unknown) => optional(value, redactor);
  // Exceptions and the request first: where something does not fit, it is logs.
  const exceptions = invocation.exceptions.slice(0, MAX_EXCEPTIONS).map((e, i) => exceptionOf(e, i, copy, traces));
  const event = eventOf(invocation, copy);
  const logs = invocation.logs.slice(0, MAX_LOGS).map((log) => logOf(log, redactor, copy, traces));
  const diagnostics = invocation.diagnostics.slice(0, MAX_LOGS).map((entry) => copy.of(entry) ?? null);
  const further = furtherFields(item, copy);
  return JSON.stringify({
    wallTime: invocation.duration ?? 0,
    cpuTime: invocation.cpuTime ?? 0,
    truncated: invocation.truncated || copy.isCut,
    executionModel: label(item.executionModel) ?? "stateless",
    outcome: fields.outcome,
    durableObjectId: fields.durable_object_id,
    entrypoint: fields.entrypoint,
    scriptName: fields.script,
    scriptVersion: versionOf(invocation),
    ...further,
    diagnosticsChannelEvents: diagnostics,
    exceptions,
    logs,
    eventTimestamp: Math.floor(invocation.time / US_PER_MS),
    event,
  });
}

const optional = (value: unknown, redactor: Redactor) => {
  const found = text(value);
  return found === undefined ? undefined : redactor.label(found);
};

function versionOf({ fields }: Invocation) {
  const { version_id: id, version_tag: tag, version_message: message } = fields;
  return id === undefined && tag === undefined ? undefined : { id, tag, message };
}

/** Where the errors of an invocation come from, by their place in the item. */
class Traces {
  private readonly byEvent = new Map<OwnFields, SourceTrace>();
  private readonly exceptions: OwnFields[];
  private readonly logs: OwnFields[];
  private nextLog = 0;

  constructor({ events, occurrences }: Found) {
    for (const { event, known } of occurrences) {
      if (known?.state === "mapped" || known?.state === "partly") this.byEvent.set(event, known.trace);
    }
    const any = this.byEvent.size > 0;
    this.exceptions = any ? events.filter(({ kind }) => kind === "exception") : [];
    this.logs = any ? events.filter(({ kind }) => kind === "log") : [];
  }

  exception(index: number): SourceTrace | undefined {
    const event = this.exceptions[index];
    return event === undefined ? undefined : this.byEvent.get(event);
  }

  /** Of the next console call, in the order of the item: each became one event. */
  log(): SourceTrace | undefined {
    const event = this.logs[this.nextLog++];
    return event === undefined ? undefined : this.byEvent.get(event);
  }
}

function exceptionOf(entry: unknown, index: number, copy: RedactedCopy, traces: Traces): Fields {
  const { name, message, stack, timestamp }: Fields = isFields(entry) ? entry : { message: String(entry) };
  return {
    stack: typeof stack === "string" ? stackOf(stack, traces.exception(index), copy) : undefined,
    name: copy.text(text(name) ?? "Error"),
    message: typeof message === "string" ? copy.text(message) : (copy.of(message) ?? ""),
    timestamp: timeOf(timestamp),
  };
}

function stackOf(stack: string, trace: SourceTrace | undefined, copy: RedactedCopy): string {
  return copy.text(trace === undefined ? stack : mappedText(stack, trace));
}

function logOf(entry: unknown, redactor: Redactor, copy: RedactedCopy, traces: Traces): Fields {
  const { message, level, timestamp, errorInfo }: Fields = isFields(entry) ? entry : { message: [entry] };
  const trace = traces.log();
  const args: readonly unknown[] = Array.isArray(message) ? message : message === undefined ? [] : [message];
  return {
    errorInfo: Array.isArray(errorInfo) ? errorsOf(errorInfo, trace, copy) : undefined,
    message: argumentsOf(args, redactor, copy, Array.isArray(errorInfo) ? undefined : trace),
    level: optional(level, redactor) ?? "log",
    timestamp: timeOf(timestamp),
  };
}

/** `errorInfo` goes along with the arguments: null where one is no Error. Those after the first are links of its trace. */
function errorsOf(errors: readonly unknown[], trace: SourceTrace | undefined, copy: RedactedCopy): unknown[] {
  let nth = 0;
  const isAggregate = errors.find(isFields)?.name === "AggregateError";
  return errors.map((error) => {
    if (!isFields(error)) return null;
    const own = trace === undefined ? undefined : linkOf(trace, nth++, isAggregate);
    const { stack, ...rest } = { name: error.name, message: error.message, stack: error.stack };
    const said = copy.of(rest) as Fields;
    if (typeof stack !== "string") return said;
    return { ...said, stack: stackOf(stack, own && { ...own, cause: null, errors: [] }, copy) };
  });
}

function linkOf(trace: SourceTrace, nth: number, isAggregate: boolean): SourceTrace | undefined {
  if (nth === 0) return trace;
  if (isAggregate) return trace.errors[nth - 1];
  let link: SourceTrace | null = trace;
  for (let i = 0; i < nth && link !== null; i++) link = link.cause;
  return link ?? undefined;
}

/**
 * What is only secret beside what stands before it is hidden with it:
 * `console.log("password:", value)`. Then there is one argument, the line that
 * the console would print, beside the object that is no part of that line.
 */
function argumentsOf(
  args: readonly unknown[],
  redactor: Redactor,
  copy: RedactedCopy,
  trace: SourceTrace | undefined,
): unknown[] {
  if (args.length === 1 && typeof args[0] === "string" && trace !== undefined) {
    return [copy.text(mappedText(args[0], trace))];
  }
  const fields = fieldsArgument(args);
  const printed = fields < 0 ? args : args.toSpliced(fields, 1);
  if (printed.length > 1 && isSecretTogether(printed, redactor)) {
    const line = copy.text(renderArguments(printed, redactor));
    return fields < 0 ? [line] : [line, copy.of(args[fields]) ?? null];
  }
  return args.map((arg) => copy.of(arg) ?? null);
}

function isSecretTogether(args: readonly unknown[], redactor: Redactor): boolean {
  const line = renderArguments(args, redactor);
  const clean = redactor.text(line);
  return clean !== line && clean !== args.map((arg) => redactor.text(render(arg, redactor))).join(" ");
}

const timeOf = (time: unknown): number | undefined =>
  typeof time === "number" ? time : time instanceof Date ? time.getTime() : undefined;

function eventOf({ info, fields, item }: Invocation, copy: RedactedCopy): Fields | null {
  const event = info.event ?? (isFields(item.event) ? item.event : null);
  if (event === null) return null;
  if (info.type === "fetch") return fetchOf(event, fields.method, fields.status, copy);
  const copied = copy.of(event) as Fields | undefined;
  return copied === undefined ? null : withTexts(copied);
}

function fetchOf(event: Fields, method: string | undefined, status: number | undefined, copy: RedactedCopy): Fields {
  const { url, headers, cf }: Fields = isFields(event.request) ? event.request : {};
  const { request: _, response, ...rest }: Fields = Object.fromEntries(fieldsOf(event));
  return {
    ...withTexts((copy.of(rest) as Fields | undefined) ?? {}),
    request: {
      url: copy.text(typeof url === "string" ? url : ""),
      method: method ?? "GET",
      headers: isFields(headers) ? copy.of(headers) : {},
      cf: isFields(cf) ? copy.of(cf) : undefined,
    },
    response: isFields(response) && status !== undefined ? { status } : undefined,
  };
}

/** Fields that readers take for texts, and the list that they take for one. */
const TEXTS = ["cron", "queue", "rpcMethod", "mailFrom", "rcptTo", "message", "type"] as const;

function withTexts(event: Fields): Fields {
  for (const name of TEXTS) {
    const value = event[name];
    if (value !== undefined && typeof value !== "string") event[name] = JSON.stringify(value);
  }
  if ("consumedEvents" in event) {
    const { consumedEvents } = event;
    event.consumedEvents = Array.isArray(consumedEvents) ? consumedEvents.filter(isFields).map(consumedOf) : [];
  }
  return event;
}

const consumedOf = ({ scriptName: name, ...rest }: Fields): Fields => ({ ...rest, scriptName: text(name) ?? null });

/** In the item's own order; those that are written apart are left out. */
function furtherFields(item: Fields, copy: RedactedCopy): Fields {
  const rest = fieldsOf(item).filter(([name]) => !OWN.has(name));
  return (copy.of(Object.fromEntries(rest)) as Fields | undefined) ?? {};
}

/** Properties of native objects stand on their prototypes. */
function fieldsOf(object: Fields): [string, unknown][] {
  const fields: [string, unknown][] = [];
  for (const name in object) fields.push([name, object[name]]);
  return fields;
}

const OWN = new Set(
  `wallTime cpuTime truncated executionModel outcome durableObjectId entrypoint scriptName scriptVersion
  diagnosticsChannelEvents exceptions logs eventTimestamp event invocationId`.split(/\s+/),
);

/** Source-mapped stacks, by the event's `seq`; nothing where no map is known. */
export function mappedStacks({ found, redactor }: Witness): [seq: number, stack: string][] {
  const stacks: [number, string][] = [];
  for (const { event, known } of found.occurrences) {
    if (event.stack === undefined || (known?.state !== "mapped" && known?.state !== "partly")) continue;
    stacks.push([event.seq, redactor.text(mappedText(event.stack, known.trace))]);
  }
  return stacks;
}
