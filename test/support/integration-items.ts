/** Items and an `Io` for tests of integrations: real requests on loopback through the guarded request, the rest in memory. */
import { createRequest } from "../../workers/delivery/egress/request.ts";
import type { TailraceEvent } from "../../workers/event/event.ts";
import type { EventItem, Invocation, Io } from "../../workers/integrations/contract.ts";
import type { ResolvedTrace } from "../../workers/integrations/frames.ts";

export const NOW = Date.UTC(2026, 10, 21, 12);
export const NO_TRACE: ResolvedTrace = { type: "", message: "", frames: [], omitted: 0, cause: null, errors: [] };

export interface TestIo extends Io {
  /** What was put, by key. */
  objects: Map<string, { body: Uint8Array | string; contentType: string }>;
}

export function testIo({ secrets = [], ...given }: Partial<Io> & { secrets?: readonly string[] } = {}): TestIo {
  const objects: TestIo["objects"] = new Map();
  return {
    request: createRequest({ allowLoopback: true, secrets }),
    putObject: async (key, body, contentType) => void objects.set(key, { body, contentType }),
    source: "dst_test",
    now: () => NOW,
    frames: async () => [],
    trace: async () => NO_TRACE,
    issueOf: async () => null,
    baseUrl: "https://tailrace.example.com",
    objects,
    ...given,
  };
}

let made = 0;
export const hexId = (): string => (++made).toString(16).padStart(32, "a");

/** An invocation with a fetch, and whatever else is given. */
export function invocation(
  fields: Partial<TailraceEvent> = {},
  more: readonly Partial<TailraceEvent>[] = [],
): Invocation {
  const id = fields.invocation_id ?? hexId();
  const base: TailraceEvent = {
    time: NOW * 1_000,
    kind: "invocation",
    script: "shop",
    invocation_id: id,
    seq: 0,
    sample_weight: 1,
    version_id: "b5c3f8d0-1111-4222-8333-444455556666",
    version_tag: "v1.2.0",
    event_type: "fetch",
    outcome: "ok",
    level: "info",
    message: "GET /products/:id",
    duration: 12.5,
    cpu_time: 3,
    method: "GET",
    route: "/products/:id",
    status: 200,
    colo: "LHR",
    country: "GB",
    attributes: { "url.full": "https://shop.example.com/products/7", "url.path": "/products/7" },
    ...fields,
  };
  const context = { ...base, duration: undefined, cpu_time: undefined, attributes: undefined, message: undefined };
  const events = more.map((event, i) => ({ ...context, kind: "log" as const, seq: i + 1, ...event }) as TailraceEvent);
  return { script: base.script, id, events: [base, ...events] };
}

export function itemOf(
  from: Invocation,
  seq: number,
  feed?: EventItem["feed"],
  tags: EventItem["tags"] = {},
): EventItem {
  const event = from.events[seq] as TailraceEvent;
  const natural = { invocation: "traces", span: "traces", exception: "errors", log: "logs", raw: "logs" } as const;
  return {
    id: `${from.id.slice(0, 28)}${seq.toString(16).padStart(4, "0")}`,
    feed: feed ?? natural[event.kind],
    event,
    invocation: from,
    tags,
  };
}

export const itemsOf = (from: Invocation): EventItem[] => from.events.map((_, seq) => itemOf(from, seq));
