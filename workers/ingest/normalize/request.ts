/**
 * The request of a fetch: its context (method, route, status, place, trace) for
 * every event of the invocation, and its details as attributes of the
 * invocation's own event. `getUnredacted()` is never called: what Cloudflare
 * has hidden stays hidden.
 */
import type { InvocationFields } from "../../event/event.ts";
import { clip, MAX_CUSTOM_HEADERS, MAX_FIELD_CHARS, MAX_VALUE_CHARS } from "../limits.ts";
import { REDACTED, type Redactor } from "../redact/redact.ts";
import type { AttributeCollector } from "./flatten.ts";
import { type Fields, isFields, text } from "./item.ts";
import { type Route, type RouteTable, titleOf } from "./route.ts";

export interface RequestInfo {
  url: string | undefined;
  path: string | undefined;
  host: string | undefined;
  headers: Fields | undefined;
  cf: Fields | undefined;
  title: string;
  /** The caller's span (W3C traceparent). */
  parentSpanId: string | undefined;
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/;
const NO_TRACE = "0".repeat(32);
/** A token (RFC 9110), no longer than any method that is registered: whoever posts items may write anything. */
const METHOD = /^[\w!#$%&'*+.^`|~-]{1,20}$/;
/** As OpenTelemetry calls it. */
const OTHER_METHOD = "_OTHER";

/** Fills in the request's part of `fields`. */
export function readRequest(event: Fields, fields: InvocationFields, routes: RouteTable): RequestInfo {
  const request = isFields(event.request) ? event.request : {};
  const url = text(request.url, MAX_VALUE_CHARS);
  const headers = isFields(request.headers) ? request.headers : undefined;
  const cf = isFields(request.cf) ? request.cf : undefined;
  const info: RequestInfo = {
    url,
    headers,
    cf,
    title: "fetch",
    parentSpanId: undefined,
    path: undefined,
    host: undefined,
  };
  if (url !== undefined) splitUrl(url, info);
  const method = methodOf(request);
  fields.method = method;
  if (info.path !== undefined) {
    const route: Route = routes.of(info.path);
    fields.route = route.route;
    info.title = titleOf(route, method);
  } else info.title = method;
  const response = event.response;
  if (isFields(response) && Number.isFinite(response.status)) fields.status = response.status as number;
  if (cf !== undefined) {
    fields.colo = text(cf.colo, 8);
    fields.country = text(cf.country, 8);
  }
  if (headers !== undefined) readContextHeaders(headers, fields, info);
  return info;
}

function methodOf(request: Fields): string {
  const method = text(request.method, 32) ?? "GET";
  return METHOD.test(method) ? method : OTHER_METHOD;
}

function readContextHeaders(headers: Fields, fields: InvocationFields, info: RequestInfo): void {
  const ray = headers["cf-ray"];
  if (typeof ray === "string") {
    const dash = ray.indexOf("-");
    fields.ray_id = clip(dash < 0 ? ray : ray.slice(0, dash), 64);
    if (dash > 0 && fields.colo === undefined) fields.colo = text(ray.slice(dash + 1), 8);
  }
  if (fields.country === undefined) fields.country = text(headers["cf-ipcountry"], 8);
  if (info.host === undefined) info.host = text(headers.host);
  const parent = headers.traceparent;
  if (typeof parent !== "string") return;
  const found = TRACEPARENT.exec(parent);
  if (found === null || found[1] === NO_TRACE) return;
  fields.trace_id = found[1];
  info.parentSpanId = found[2];
}

function splitUrl(url: string, info: RequestInfo): void {
  const scheme = url.indexOf("://");
  const start = scheme < 0 ? 0 : scheme + 3;
  let end = url.indexOf("?");
  if (end < 0) end = url.length;
  const hash = url.indexOf("#");
  if (hash >= 0 && hash < end) end = hash;
  let slash = url.indexOf("/", start);
  if (slash < 0 || slash > end) slash = end;
  if (scheme < 0) {
    if (slash === 0) info.path = url.slice(0, end);
    return;
  }
  const at = url.lastIndexOf("@", slash);
  info.path = slash < end ? url.slice(slash, end) : "/";
  info.host = hostOf(url.slice(at > start ? at + 1 : start, slash));
}

/** Without the port; an IPv6 address keeps its colons. */
function hostOf(authority: string): string | undefined {
  const colon = authority.lastIndexOf(":");
  const host = colon > authority.lastIndexOf("]") ? authority.slice(0, colon) : authority;
  return host === "" ? undefined : clip(host, MAX_FIELD_CHARS);
}

/** What becomes of a header: the attribute it fills; null for noise; hidden if its name is sensitive. */
interface HeaderPlan {
  attribute: string;
  hidden: boolean;
  custom: boolean;
  /** Leaves out the secrets of a value. */
  clean(value: string): string;
  number: boolean;
}

const HEADER = "http.request.header.";
const NAMED_HEADERS = new Map([
  ["user-agent", "user_agent.original"],
  ["cf-connecting-ip", "client.address"],
  ["content-length", "http.request.body.size"],
]);
const KEPT_HEADERS = new Set(
  `accept accept-encoding accept-language authorization cache-control cf-worker content-encoding content-type cookie
  if-modified-since if-none-match origin proxy-authorization purpose range referer sec-ch-ua-mobile sec-ch-ua-platform
  sec-fetch-dest sec-fetch-mode sec-fetch-site tracestate upgrade via`.split(/\s+/),
);
/** Their values come from a small vocabulary, or are addresses: no need to look for secrets. */
const PLAIN_HEADERS = new Set(
  `accept accept-encoding accept-language cache-control cf-connecting-ip content-encoding content-type
  sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site upgrade`.split(/\s+/),
);
const DROPPED_HEADERS = new Set(["x-forwarded-proto", "x-real-ip"]);
/** Header names remembered per set of settings. */
const MAX_PLANS = 2_000;

const CF_ATTRIBUTES: readonly (readonly [string, string])[] = [
  ["city", "geo.locality.name"],
  ["continent", "geo.continent.code"],
  ["regionCode", "geo.region.iso_code"],
  ["timezone", "geo.timezone"],
  ["asn", "cloudflare.asn"],
  ["asOrganization", "cloudflare.as_organization"],
  ["httpProtocol", "network.protocol.version"],
  ["tlsVersion", "tls.protocol.version"],
  ["tlsCipher", "tls.cipher"],
  ["clientTcpRtt", "cloudflare.client_tcp_rtt_ms"],
  ["verifiedBotCategory", "cloudflare.verified_bot_category"],
];

export type RequestDetails = (info: RequestInfo, out: AttributeCollector) => void;

/** Made once per settings: which headers are kept and hidden is worked out once per name. */
export function compileRequestDetails(redactor: Redactor): RequestDetails {
  const plans = new Map<string, HeaderPlan | null>();
  const planOf = (name: string): HeaderPlan | null => {
    let plan = plans.get(name);
    if (plan === undefined) {
      if (plans.size >= MAX_PLANS) plans.clear();
      plan = planHeader(name.toLowerCase(), redactor);
      plans.set(name, plan);
    }
    return plan;
  };
  return (info, out) => {
    addUrl(info, out, redactor);
    if (info.headers !== undefined) addHeaders(info.headers, out, planOf);
    if (info.cf !== undefined) addCf(info.cf, out);
  };
}

function planHeader(name: string, redactor: Redactor): HeaderPlan | null {
  const custom = name.startsWith("x-") && !DROPPED_HEADERS.has(name);
  const attribute = NAMED_HEADERS.get(name) ?? (custom || KEPT_HEADERS.has(name) ? HEADER + name : undefined);
  if (attribute === undefined) return null;
  const number = name === "content-length";
  return { attribute, hidden: redactor.sensitive(name), custom, clean: cleanerOf(name, redactor), number };
}

function cleanerOf(name: string, redactor: Redactor): (value: string) => string {
  if (PLAIN_HEADERS.has(name)) return (value) => value;
  // There are few user agents and many requests.
  return name === "user-agent" ? redactor.label : redactor.text;
}

function addHeaders(headers: Fields, out: AttributeCollector, planOf: (name: string) => HeaderPlan | null): void {
  let custom = 0;
  for (const name in headers) {
    const plan = planOf(name);
    if (plan === null || (plan.custom && ++custom > MAX_CUSTOM_HEADERS)) continue;
    const value = text(headers[name], MAX_VALUE_CHARS);
    if (value === undefined) continue;
    if (plan.hidden) out.set(plan.attribute, REDACTED);
    else if (plan.number && Number.isFinite(Number(value))) out.set(plan.attribute, Number(value));
    else out.set(plan.attribute, plan.clean(value));
  }
}

function addUrl(info: RequestInfo, out: AttributeCollector, redactor: Redactor): void {
  const { url, path, host } = info;
  if (url === undefined) return;
  const cleanPath = path === undefined ? undefined : redactor.text(path);
  // Most URLs are no more than a host and a path, which has been looked through.
  const isPlain = cleanPath === path && path !== undefined && url.endsWith(path) && !url.includes("@");
  out.set("url.full", isPlain ? url : redactor.text(url));
  if (cleanPath !== undefined) out.set("url.path", cleanPath);
  if (host !== undefined) out.set("server.address", host);
}

function addCf(cf: Fields, out: AttributeCollector): void {
  for (let i = 0; i < CF_ATTRIBUTES.length; i++) {
    const [from, to] = CF_ATTRIBUTES[i] as readonly [string, string];
    const value = cf[from];
    if (typeof value === "number") out.set(to, value);
    else if (typeof value === "string" && value !== "") {
      out.set(to, from === "httpProtocol" ? value.replace("HTTP/", "") : clip(value, MAX_FIELD_CHARS));
    }
  }
  const bot = cf.botManagement;
  if (isFields(bot) && typeof bot.score === "number") out.set("cloudflare.bot.score", bot.score);
}
