/**
 * Events of one invocation → the trace item that they were made of, as far as
 * they tell: for items that did not come along (a replay from an Ingester's log,
 * more at once than are carried). The inverse of `ingest/normalize/`. What that
 * does not keep (most headers, the arguments of a console call one by one) is not
 * there; the shape is the same, so that every reader of trace items takes it.
 */
import { type ColumnBatch, eventAt } from "../../event/batch.ts";
import type { AttributeValue, TailraceEvent } from "../../event/event.ts";

type Fields = Record<string, unknown>;
type Attributes = Record<string, AttributeValue>;

const US_PER_MS = 1_000;
const REQUEST_HEADER = "http.request.header.";

/** `stacks`: source-mapped ones, by `<invocation id>.<seq>`. */
export function rebuild(
  batch: ColumnBatch,
  rows: readonly number[],
  stacks: Record<string, string> | undefined,
): Fields {
  const events = rows.map((row) => eventAt(batch, row)).sort((a, b) => a.seq - b.seq);
  const first = events[0] as TailraceEvent;
  const own = events.find(({ kind }) => kind === "invocation");
  const attributes = own?.attributes ?? {};
  const stackOf = ({ invocation_id, seq, stack }: TailraceEvent) => stacks?.[`${invocation_id}.${seq}`] ?? stack;
  const said = events.filter(({ kind }) => kind === "log");
  const started = own ?? first;
  return {
    wallTime: own?.duration ?? 0,
    cpuTime: own?.cpu_time ?? 0,
    truncated: attributes["cloudflare.truncated"] === true,
    executionModel: attributes["cloudflare.execution_model"] ?? "stateless",
    outcome: first.outcome ?? "unknown",
    durableObjectId: first.durable_object_id,
    entrypoint: first.entrypoint,
    scriptName: first.script,
    scriptVersion: versionOf(first),
    diagnosticsChannelEvents: said.filter(isDiagnostic).map((e) => ({
      channel: e.name,
      message: { message: e.message, ...e.attributes },
      timestamp: milliseconds(e),
    })),
    exceptions: events
      .filter(({ kind }) => kind === "exception")
      .map((e) => ({
        stack: stackOf(e),
        name: e.name ?? "Error",
        message: e.message ?? "",
        timestamp: milliseconds(e),
      })),
    logs: said
      .filter((e) => !isDiagnostic(e))
      .map((e) => ({
        message: argumentsOf(e, stackOf(e)),
        level: e.level ?? "log",
        timestamp: milliseconds(e),
      })),
    eventTimestamp: milliseconds(started),
    event: eventOf(first, attributes),
  };
}

const milliseconds = ({ time }: TailraceEvent) => Math.floor(time / US_PER_MS);

/** Messages of diagnostics channels are logs with the channel's name; logged Errors have a stack or a message of their own beside theirs. */
const isDiagnostic = ({ name, stack, level, attributes = {} }: TailraceEvent) =>
  name !== undefined && stack === undefined && level !== "error" && !Object.hasOwn(attributes, "error.message");

function versionOf({ version_id, version_tag, version_message }: TailraceEvent): Fields | undefined {
  if (version_id === undefined && version_tag === undefined) return undefined;
  return { id: version_id, tag: version_tag, message: version_message };
}

/** The line that was printed; then what was beside it. */
function argumentsOf({ message, attributes }: TailraceEvent, stack: string | undefined): unknown[] {
  const text = message ?? "";
  const line = stack === undefined || text.includes("\n    at ") ? text : `${text}\n${framesOf(stack)}`;
  return attributes === undefined || Object.keys(attributes).length === 0 ? [line] : [line, attributes];
}

/** Without a first line that says the message again. */
const framesOf = (stack: string) => stack.slice(Math.max(stack.search(/^\s+at /m), 0));

/** What `readEventInfo` and `addEventDetails` of ingest/normalize/ took apart. */
function eventOf(first: TailraceEvent, attributes: Attributes): Fields | null {
  switch (first.event_type) {
    case "fetch":
      return fetchOf(first, attributes);
    case "rpc":
      return { rpcMethod: String(attributes["rpc.method"] ?? "") };
    case "queue":
      return {
        queue: String(attributes["messaging.destination.name"] ?? ""),
        batchSize: attributes["messaging.batch.message_count"] ?? 0,
      };
    case "scheduled":
      return { cron: String(attributes["faas.cron"] ?? ""), scheduledTime: timeOf(attributes["faas.time"]) };
    case "alarm":
      return { scheduledTime: attributes["faas.time"] };
    case "email":
      return {
        mailFrom: String(attributes["email.from"] ?? ""),
        rcptTo: String(attributes["email.to"] ?? ""),
        rawSize: attributes["email.size"] ?? 0,
      };
    case "websocket":
      return {
        getWebSocketEvent: {
          webSocketEventType: attributes["websocket.event"],
          code: attributes["websocket.close.code"],
          wasClean: attributes["websocket.close.clean"],
        },
      };
    case "tail":
      return { consumedEvents: [] };
    default:
      return null;
  }
}

/** Those that `ingest/normalize/request.ts` keeps. */
const CF_FIELDS: readonly (readonly [attribute: string, field: string])[] = [
  ["geo.locality.name", "city"],
  ["geo.continent.code", "continent"],
  ["geo.region.iso_code", "regionCode"],
  ["geo.timezone", "timezone"],
  ["cloudflare.asn", "asn"],
  ["cloudflare.as_organization", "asOrganization"],
  ["tls.protocol.version", "tlsVersion"],
  ["tls.cipher", "tlsCipher"],
  ["cloudflare.client_tcp_rtt_ms", "clientTcpRtt"],
  ["cloudflare.verified_bot_category", "verifiedBotCategory"],
];

function cfOf(colo: string | undefined, country: string | undefined, attributes: Attributes): Fields {
  const cf: Fields = { colo, country };
  for (const [attribute, field] of CF_FIELDS) if (attribute in attributes) cf[field] = attributes[attribute];
  const protocol = attributes["network.protocol.version"];
  if (protocol !== undefined) cf.httpProtocol = `HTTP/${protocol}`;
  return cf;
}

const timeOf = (value: AttributeValue | undefined): unknown => (typeof value === "string" ? Date.parse(value) : value);

function fetchOf({ method, status, ray_id, colo, country }: TailraceEvent, attributes: Attributes): Fields {
  const headers: Fields = {};
  const add = (name: string, value: AttributeValue | undefined) => {
    if (value !== undefined) headers[name] = String(value);
  };
  for (const name in attributes)
    if (name.startsWith(REQUEST_HEADER)) add(name.slice(REQUEST_HEADER.length), attributes[name]);
  add("cf-connecting-ip", attributes["client.address"]);
  add("user-agent", attributes["user_agent.original"]);
  add("host", attributes["server.address"]);
  add("cf-ray", ray_id);
  return {
    request: {
      url: String(attributes["url.full"] ?? attributes["url.path"] ?? ""),
      method: method ?? "GET",
      headers,
      cf: cfOf(colo, country, attributes),
    },
    response: status === undefined ? undefined : { status },
  };
}
