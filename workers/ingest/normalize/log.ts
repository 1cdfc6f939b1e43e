/**
 * Console calls and diagnostics-channel messages → log events. A structured log
 * (one object, or one string that is JSON) becomes a message, a level and
 * attributes; anything else is printed as the console does, except that the
 * first object beside some text becomes attributes and is not printed too:
 * `console.log("paid", { order })` stays one message however many orders there
 * are, and its text is not stored twice. Logged Errors keep kind `log` and carry
 * `name` and `stack`, so that they can be grouped like exceptions.
 */
import type { OwnFields } from "../../event/event.ts";
import { clip, MAX_MESSAGE_CHARS, MAX_STACK_CHARS } from "../limits.ts";
import type { Redactor } from "../redact/redact.ts";
import { hasStack, stackOf } from "./error-text.ts";
import { AttributeCollector, type NameTree } from "./flatten.ts";
import { type Fields, isFields, text } from "./item.ts";
import { render, renderArguments } from "./render.ts";

/** Longer text is not parsed as JSON: it would hold the isolate up. */
const MAX_JSON_CHARS = 65_536;
/** Errors of one call that are kept as attributes, beside the first. */
const MAX_FURTHER_ERRORS = 3;
/** Levels that nobody has heard of are kept, but they are words. */
const MAX_LEVEL_CHARS = 16;

const LEVELS = new Map<string, string>([
  ...["trace", "debug", "verbose"].map((name) => [name, "debug"] as const),
  ...["info", "information", "notice"].map((name) => [name, "info"] as const),
  ["log", "log"],
  ...["warn", "warning"].map((name) => [name, "warn"] as const),
  ...["error", "err", "fatal", "critical", "alert", "emergency", "panic"].map((name) => [name, "error"] as const),
]);

const MESSAGE_KEYS = ["message", "msg"] as const;
const LEVEL_KEYS = ["level", "severity"] as const;
const ERROR_KEYS = ["error", "err", "exception"] as const;
/** Loggers that write an Error's fields beside their own. */
const STACK_KEYS = ["stack", "stacktrace", "exception.stacktrace", "error.stack"] as const;

/** What a console call says of the Error in it, without what it says around it. A text with a stack in it says neither apart. */
export interface LoggedError {
  type: string | undefined;
  message: string | undefined;
}

/** What `normalize.ts` adds time and position to. */
export type LogFields = Omit<OwnFields, "time" | "seq"> & {
  chars: number;
  error?: LoggedError;
  /** No console call: what it says at level error is nobody's complaint. */
  diagnostic?: boolean;
};

export function readLog(log: Fields, redactor: Redactor, names: NameTree): LogFields {
  const message = log.message;
  const args: readonly unknown[] = Array.isArray(message) ? message : message === undefined ? [] : [message];
  const level = levelOf(log.level) ?? "log";
  const errors = log.errorInfo;
  const only = args.length === 1 ? args[0] : undefined;
  if (typeof only === "string" && !Array.isArray(errors)) {
    const parsed = only.charCodeAt(0) === 123 ? parseObject(only) : undefined;
    if (parsed !== undefined) return structured(parsed, only, level, redactor, names);
    return textLog(only, level, redactor);
  }
  if (isFields(only) && !Array.isArray(errors)) return structured(only, undefined, level, redactor, names);
  return unstructured(args, errors, level, redactor, names);
}

/** `console.error(error.stack)`: a text that holds a stack is a logged Error. */
function textLog(text: string, level: string, redactor: Redactor): LogFields {
  const line = redactor.text(clip(text, MAX_MESSAGE_CHARS));
  if (!hasStack(line)) return { kind: "log", level, message: line, chars: line.length };
  const stack = clip(line, MAX_STACK_CHARS);
  const error = { type: undefined, message: undefined };
  return { kind: "log", level, message: line, stack, error, chars: line.length + stack.length };
}

export function readDiagnostic(diagnostic: Fields, redactor: Redactor, names: NameTree): LogFields {
  const channel = text(diagnostic.channel) ?? "unknown";
  const message = diagnostic.message;
  const fields = isFields(message)
    ? structured(message, undefined, "info", redactor, names)
    : unstructured([message], undefined, "info", redactor, names);
  fields.name = redactor.text(channel);
  fields.error = undefined;
  fields.diagnostic = true;
  return fields;
}

/** Does this console call report an error? Looks at no more than it must. */
export function isErrorLog(log: Fields): boolean {
  if (levelOf(log.level) === "error" || (Array.isArray(log.errorInfo) && log.errorInfo.some(isFields))) return true;
  const args = log.message;
  if (!Array.isArray(args) || args.length !== 1) return false;
  const only = typeof args[0] === "string" && args[0].charCodeAt(0) === 123 ? parseObject(args[0]) : args[0];
  return isFields(only) && LEVEL_KEYS.some((key) => levelOf(only[key]) === "error");
}

function parseObject(line: string): Fields | undefined {
  if (line.length > MAX_JSON_CHARS || !line.trimEnd().endsWith("}")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Known names and pino's numbers (10 trace … 60 fatal); undefined for anything else. */
function levelOf(value: unknown): string | undefined {
  if (typeof value === "string") {
    const known = LEVELS.get(value) ?? LEVELS.get(value.toLowerCase());
    return known ?? (value === "" ? undefined : clip(value.toLowerCase(), MAX_LEVEL_CHARS));
  }
  if (typeof value !== "number") return undefined;
  if (value >= 50) return "error";
  if (value >= 40) return "warn";
  return value >= 30 ? "info" : "debug";
}

function structured(
  fields: Fields,
  line: string | undefined,
  level: string,
  redactor: Redactor,
  names: NameTree,
): LogFields {
  const used = new Set<string>();
  const messageKey = MESSAGE_KEYS.find((key) => typeof fields[key] === "string");
  const levelKey = LEVEL_KEYS.find((key) => levelOf(fields[key]) !== undefined);
  if (messageKey !== undefined) used.add(messageKey);
  if (levelKey !== undefined) used.add(levelKey);
  const written = messageKey === undefined ? (line ?? render(fields, redactor)) : (fields[messageKey] as string);
  const out = new AttributeCollector(redactor, names);
  const event: LogFields = {
    kind: "log",
    level: (levelKey === undefined ? undefined : levelOf(fields[levelKey])) ?? level,
    message: redactor.text(clip(written, MAX_MESSAGE_CHARS)),
    chars: 0,
  };
  const stackKey = addNestedError(fields, event, redactor);
  if (stackKey !== undefined) used.add(stackKey);
  out.addFields(fields, used);
  return finish(event, out);
}

function label(value: unknown, redactor: Redactor): string | undefined {
  const found = text(value);
  return found === undefined ? undefined : redactor.label(found);
}

/** An Error in a structured log; the field that became the stack, if that is one of the log's own. */
function addNestedError(fields: Fields, event: LogFields, redactor: Redactor): string | undefined {
  const errorKey = ERROR_KEYS.find((key) => isError(fields[key], event.level === "error"));
  if (errorKey !== undefined) {
    const known = fields[errorKey] as Fields;
    event.name = label(known.name ?? known.type, redactor);
    event.stack = stackOf(known, redactor);
    event.error = { type: event.name, message: errorMessage(known, redactor) };
    return undefined;
  }
  const stackKey = STACK_KEYS.find((key) => typeof fields[key] === "string" && hasStack(`\n${fields[key]}`));
  if (stackKey === undefined) return undefined;
  event.stack = redactor.text(clip(fields[stackKey] as string, MAX_STACK_CHARS));
  event.error = { type: undefined, message: undefined };
  return stackKey;
}

/** With a stack; or, in what is said to be an error, with a name and a message. */
function isError(value: unknown, atErrorLevel: boolean): boolean {
  if (!isFields(value)) return false;
  if (typeof value.stack === "string") return true;
  return atErrorLevel && typeof (value.name ?? value.type) === "string" && typeof value.message === "string";
}

function errorMessage({ message }: Fields, redactor: Redactor): string | undefined {
  return typeof message === "string" ? redactor.text(clip(message, MAX_MESSAGE_CHARS)) : undefined;
}

function unstructured(
  args: readonly unknown[],
  errors: unknown,
  level: string,
  redactor: Redactor,
  names: NameTree,
): LogFields {
  const out = new AttributeCollector(redactor, names);
  const at = fieldsArgument(args);
  const printed = at < 0 ? args : args.length === 2 ? [args[1 - at]] : args.toSpliced(at, 1);
  const event: LogFields = {
    kind: "log",
    level,
    message: redactor.text(clip(renderArguments(printed, redactor), MAX_MESSAGE_CHARS)),
    chars: 0,
  };
  if (Array.isArray(errors)) addErrors(errors.filter(isFields), event, out, redactor);
  if (at >= 0) out.addFields(args[at] as Fields);
  return finish(event, out);
}

/** The argument that becomes attributes; none where a format string uses up the arguments. */
export function fieldsArgument(args: readonly unknown[]): number {
  if (args.length < 2 || (typeof args[0] === "string" && args[0].includes("%"))) return -1;
  for (let i = 0; i < args.length; i++) if (hasFields(args[i])) return i;
  return -1;
}

function hasFields(value: unknown): boolean {
  if (!isFields(value)) return false;
  for (const _ in value) return true;
  return false;
}

/** The first Error fills the columns; the console text may hold more than its message, so that is kept too. */
function addErrors(errors: Fields[], event: LogFields, out: AttributeCollector, redactor: Redactor): void {
  const [first, ...further] = errors;
  if (first === undefined) return;
  event.name = label(first.name, redactor) ?? "Error";
  event.stack = stackOf(first, redactor, further);
  event.error = { type: event.name, message: errorMessage(first, redactor) };
  out.add("error.message", first.message);
  further.slice(0, MAX_FURTHER_ERRORS).forEach((error, i) => {
    out.add(`error.${i + 2}.type`, error.name);
    out.add(`error.${i + 2}.message`, error.message);
    out.add(`error.${i + 2}.stacktrace`, error.stack);
  });
}

function finish(event: LogFields, out: AttributeCollector): LogFields {
  out.close();
  if (out.names.length > 0) event.attributes = out;
  event.chars = out.chars + (event.message?.length ?? 0) + (event.stack?.length ?? 0);
  return event;
}
