/** What tests of Sentry share: items of one invocation, an Io that answers as told, and envelopes read back as the protocol says. */
import { gunzipSync } from "node:zlib";
import type { TailraceEvent } from "../../workers/event/event.ts";
import type {
  EventItem,
  Invocation,
  Io,
  OutgoingAnswer,
  OutgoingRequest,
} from "../../workers/integrations/contract.ts";
import type { ResolvedFrame, ResolvedTrace } from "../../workers/integrations/frames.ts";

export const INVOCATION_ID = "0192f3a4b5c6d7e8f90a1b2c3d4e5f60";
export const NOW = Date.UTC(2026, 10, 21, 12);

let projects = 0;
/** Of a project of its own: what an isolate remembers of rate limits is per project. */
export const newDsn = (origin = "https://o1.ingest.example.com") =>
  `${origin.replace("://", "://abcdef0123456789@")}/${1_000 + projects++}`;

const CONTEXT: Partial<TailraceEvent> = {
  entrypoint: "Checkout",
  version_id: "11111111-2222-3333-4444-555555555555",
  version_tag: "v1.4.0",
  event_type: "fetch",
  outcome: "exception",
  method: "POST",
  route: "/cart/:id/pay",
  status: 500,
  colo: "FRA",
  country: "DE",
  ray_id: "8f2a",
};

/** `extra` may be any of the event's fields. */
export function event(kind: TailraceEvent["kind"], seq: number, extra: Partial<TailraceEvent> = {}): TailraceEvent {
  const time = NOW * 1_000 + seq * 1_500;
  return { ...CONTEXT, time, kind, script: "shop", invocation_id: INVOCATION_ID, seq, sample_weight: 1, ...extra };
}

export const REQUEST = {
  "url.full": "https://shop.example.com/cart/7/pay?step=2&token=REDACTED",
  "url.path": "/cart/7/pay",
  "server.address": "shop.example.com",
  "user_agent.original": "Mozilla/5.0",
  "client.address": "203.0.113.9",
  "http.request.header.accept": "*/*",
  "http.request.header.authorization": "REDACTED",
  "geo.locality.name": "Frankfurt",
  "cloudflare.asn": 3320,
};

export const invocationOf = (...events: TailraceEvent[]): Invocation => ({
  script: events[0]?.script ?? "shop",
  id: events[0]?.invocation_id ?? INVOCATION_ID,
  events,
});

export const itemOf = (
  feed: EventItem["feed"],
  of: TailraceEvent,
  invocation: Invocation = invocationOf(of),
  tags: Record<string, string> = {},
): EventItem => ({ id: `${"0".repeat(24)}${of.seq.toString(16).padStart(8, "1")}`, tags, feed, event: of, invocation });

export const frame = (name: string, line: number, extra: Partial<ResolvedFrame> = {}): ResolvedFrame => ({
  function: name,
  file: `src/${name}.ts`,
  line,
  column: 3,
  inApp: true,
  mapped: true,
  pre: [`before ${name}`],
  at: `  at ${name}`,
  post: [`after ${name}`],
  ...extra,
});

export const traceOf = (type: string, message: string, extra: Partial<ResolvedTrace> = {}): ResolvedTrace => ({
  type,
  message,
  frames: [
    frame("pay", 12),
    frame("handle", 30),
    frame("serve", 4, { inApp: false, file: "node_modules/hono/hono.js" }),
  ],
  omitted: 0,
  cause: null,
  errors: [],
  ...extra,
});

export type Answer = { status?: number; body?: string; headers?: Record<string, string> };

export interface FakeIo extends Io {
  requests: OutgoingRequest[];
  at: number;
}

/** Answers in turn, the last one for good; each event with its own id unless told otherwise. */
export function fakeIo(answers: (Answer | OutgoingAnswer)[] = [], extra: Partial<Io> = {}): FakeIo {
  const io: FakeIo = {
    requests: [],
    at: NOW,
    source: "dst_test",
    baseUrl: "https://tailrace.example.com",
    now: () => io.at,
    async request(request) {
      io.requests.push(request);
      const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? {};
      if ("ok" in answer) return answer;
      const { status = 200, body = JSON.stringify({ id: headerOf(request).event_id }), headers = {} } = answer;
      return {
        ok: true,
        status,
        headers: new Headers(headers),
        bytes: new TextEncoder().encode(body),
        text: body,
        cut: false,
      };
    },
    putObject: () => Promise.reject(new Error("not used")),
    frames: () => Promise.reject(new Error("not used")),
    trace: async (_script, _version, _stack, known) => traceOf(known?.type ?? "Error", known?.message ?? ""),
    issueOf: async () => 42,
    ...extra,
  };
  return io;
}

// biome-ignore lint/suspicious/noExplicitAny: payloads are looked into freely
type Json = any;

/** Reads an envelope by its lengths, as a receiver does; throws where it is none. */
export function readEnvelope(bytes: Uint8Array): {
  header: Json;
  items: { header: Json; payload: Json; bytes: number }[];
} {
  const strict = new TextDecoder("utf-8", { fatal: true });
  let at = 0;
  const line = () => {
    const end = bytes.indexOf(10, at);
    const text = strict.decode(bytes.subarray(at, end < 0 ? bytes.length : end));
    at = end < 0 ? bytes.length : end + 1;
    return JSON.parse(text) as Json;
  };
  const header = line();
  const items: { header: Json; payload: Json; bytes: number }[] = [];
  while (at < bytes.length) {
    const itemHeader = line();
    const payload = bytes.subarray(at, at + itemHeader.length);
    at += itemHeader.length;
    if (payload.length !== itemHeader.length) throw new Error("an item is shorter than its header says");
    if (at < bytes.length && bytes[at++] !== 10) throw new Error("an item is longer than its header says");
    items.push({ header: itemHeader, payload: JSON.parse(strict.decode(payload)), bytes: payload.length });
  }
  return { header, items };
}

export function bodyOf({ body, headers }: OutgoingRequest): Uint8Array {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : (body ?? new Uint8Array());
  return headers?.["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
}

export const envelopeOf = (request: OutgoingRequest) => readEnvelope(bodyOf(request));
const headerOf = (request: OutgoingRequest): Json => envelopeOf(request).header;
/** Of the only item of an envelope. */
export const payloadOf = (request: OutgoingRequest | undefined): Json =>
  request === undefined ? undefined : envelopeOf(request).items[0]?.payload;
