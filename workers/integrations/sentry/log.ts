/**
 * An item of the feed `logs` → one of Sentry's structured logs, with typed
 * attributes. `envelopes.ts` puts them together. Pure.
 */
import type { AttributeValue } from "../../event/event.ts";
import { MAX_LOG_BYTES, MAX_NAME } from "./limits.ts";
import type { LogAttribute, SentryLog } from "./protocol.ts";
import { SDK } from "./sdk.ts";
import type { Subject } from "./subject.ts";
import { clip, seconds, toJson } from "./text.ts";

/** Level → Sentry's, with OpenTelemetry's severity number. */
type Severity = readonly [SentryLog["level"], number];
const INFO: Severity = ["info", 9];
const LEVELS: ReadonlyMap<string, Severity> = new Map<string, Severity>([
  ["debug", ["debug", 5]],
  ["info", INFO],
  ["log", INFO],
  ["warn", ["warn", 13]],
  ["error", ["error", 17]],
]);

interface LogBudget {
  body: number;
  attributes: number;
  attribute: number;
}
/** The last one fits whatever the log holds. */
const BUDGETS: readonly LogBudget[] = [
  { body: 32_768, attributes: 256, attribute: 8_192 },
  { body: 8_192, attributes: 100, attribute: 256 },
  { body: 2_048, attributes: 10, attribute: 100 },
];

/** JSON of the log; a level further when it was too large. */
export function logJson(subject: Subject, harder: boolean): string {
  const first = harder ? BUDGETS.length - 1 : 0;
  for (let i = first; i < BUDGETS.length; i++) {
    const json = toJson(logOf(subject, BUDGETS[i] as LogBudget, i > 0));
    // Three bytes a character at most.
    if (json.length * 3 <= MAX_LOG_BYTES || Buffer.byteLength(json) <= MAX_LOG_BYTES || i === BUDGETS.length - 1)
      return json;
  }
  throw new Error("BUG: no budget of logs");
}

function logOf(subject: Subject, budget: LogBudget, trimmed: boolean): SentryLog {
  const { event } = subject;
  const [level, severity] = LEVELS.get(event.level ?? "") ?? INFO;
  return {
    timestamp: seconds(event.time),
    trace_id: subject.traceId,
    span_id: subject.spanId,
    level,
    severity_number: severity,
    body: clip(event.message ?? "", budget.body),
    attributes: attributesOf(subject, budget, trimmed),
  };
}

function attributesOf(
  { event, own, item, settings, release, head }: Subject,
  budget: LogBudget,
  trimmed: boolean,
): Record<string, LogAttribute> {
  const made: [string, LogAttribute][] = [];
  const add = (name: string, value: AttributeValue | undefined) => {
    if (value !== undefined && value !== "") made.push([clip(name, MAX_NAME), typed(value, budget.attribute)]);
  };
  let count = 0;
  for (const name of Object.keys(own)) if (++count <= budget.attributes) add(name, own[name]);
  add("sentry.environment", settings.environment);
  add("sentry.release", release);
  add("sentry.sdk.name", SDK.name);
  add("sentry.sdk.version", SDK.version);
  add("sentry.origin", "auto.log.console");
  add("logger.name", event.name);
  add("worker", event.script);
  add("version", event.version_id);
  add("colo", event.colo);
  add("outcome", event.outcome);
  add("entrypoint", event.entrypoint);
  add("trigger", event.event_type);
  add("http.request.method", event.method);
  add("http.route", event.route);
  add("http.response.status_code", event.status ?? head?.status);
  add("tailrace.invocation", item.invocation.id);
  if (trimmed) add("tailrace.trimmed", true);
  let tags = 0;
  for (const [name, value] of Object.entries(item.tags)) if (++tags <= MAX_TAGS_OF_LOG) add(name, value);
  // The last of two with the same name counts; an attribute may be called `__proto__`.
  return Object.fromEntries(made);
}

const MAX_TAGS_OF_LOG = 50;

function typed(value: AttributeValue, limit: number): LogAttribute {
  if (typeof value === "boolean") return { value, type: "boolean" };
  if (typeof value === "string") return { value: clip(value, limit), type: "string" };
  if (!Number.isFinite(value)) return { value: String(value), type: "string" };
  return { value, type: Number.isSafeInteger(value) ? "integer" : "double" };
}
