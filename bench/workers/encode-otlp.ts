/**
 * One batch of OTLP, encoded and compressed inside workerd: `GET /<what>?rounds=n`
 * does it n times and says how many bytes came of it. bench/otlp.mjs asks, and
 * takes the time outside, for clocks stand still in a Worker.
 */

import { gzipSync } from "node:zlib";
import root from "@opentelemetry/otlp-transformer/build/src/generated/root";
import type { TailraceEvent } from "../../workers/event/event.ts";
import type { EventItem } from "../../workers/integrations/contract.ts";
import { encodeLogsJson } from "../../workers/integrations/otlp/json.ts";
import { logRecordOf } from "../../workers/integrations/otlp/logs.ts";
import { encodeLogsProtobuf } from "../../workers/integrations/otlp/protobuf/encode.ts";
import type { AnyValue, LogRecord, ResourceGroup } from "../../workers/integrations/otlp/records.ts";
import { groupByResource } from "../../workers/integrations/otlp/resource.ts";

const EVENTS = 1_000;
const OPTIONS = { environment: "production", weight: "tailrace.sample_weight" };
const NO_STACKS = new Map<TailraceEvent, string>();
/** Its types leave out what it is generated for. */
interface Generated {
  opentelemetry: {
    proto: {
      collector: { logs: { v1: { ExportLogsServiceRequest: { encode(message: object): { finish(): Uint8Array } } } } };
    };
  };
}
const Library = (root as unknown as Generated).opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;

const items: EventItem[] = Array.from({ length: EVENTS }, (_, i) => itemNumber(i));
const toRecords = () => groupByResource(items, OPTIONS, (item) => logRecordOf(item, NO_STACKS, OPTIONS));
const records = toRecords();

const json = encodeLogsJson(records);
const protobuf = encodeLogsProtobuf(records);

/** @returns bytes */
const CASES: Record<string, () => number | Promise<number>> = {
  "/nothing": () => 0,
  "/records": () => toRecords().length,
  "/json": () => encodeLogsJson(records).length,
  "/protobuf": () => encodeLogsProtobuf(records).length,
  "/protobufjs": () => Library.encode(asObject(records)).finish().length,
  "/gzip-json-1": () => gzipSync(json, { level: 1 }).length,
  "/gzip-json-6": () => gzipSync(json, { level: 6 }).length,
  "/gzip-protobuf-1": () => gzipSync(protobuf, { level: 1 }).length,
  "/gzip-protobuf-6": () => gzipSync(protobuf, { level: 6 }).length,
  "/stream-protobuf": () => streamed(protobuf),
  "/all-protobuf": () => gzipSync(encodeLogsProtobuf(toRecords()), { level: 1 }).length,
  "/all-json": () => gzipSync(encodeLogsJson(toRecords()), { level: 1 }).length,
};

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const run = CASES[pathname];
    if (run === undefined) return Response.json(Object.keys(CASES));
    let bytes = 0;
    for (let i = Number(searchParams.get("rounds")); i > 0; i--) bytes = await run();
    return Response.json({ bytes, events: EVENTS });
  },
};

async function streamed(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).arrayBuffer()).byteLength;
}

/** As a library wants it: an object for each message. */
function asObject(groups: readonly ResourceGroup<LogRecord>[]) {
  const pairs = (names: readonly string[], values: readonly AnyValue[]) =>
    names.map((key, i) => ({ key, value: anyValue(values[i] as AnyValue) }));
  return {
    resourceLogs: groups.map(({ resource, records: of }) => ({
      resource: { attributes: pairs(resource.names, resource.values) },
      scopeLogs: [
        {
          scope: { name: "tailrace", version: "0" },
          logRecords: of.map((record) => ({
            timeUnixNano: record.time,
            severityNumber: record.severity,
            severityText: record.severityText,
            body: { stringValue: record.body },
            attributes: pairs(record.attributes.names, record.attributes.values),
            traceId: record.traceId,
            spanId: record.spanId,
            observedTimeUnixNano: record.time,
          })),
        },
      ],
    })),
  };
}

function anyValue(value: AnyValue) {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isInteger(value) ? { intValue: value } : { doubleValue: value };
}

/** A console call of a shop: some 450 characters, as in the other figures. */
function itemNumber(i: number): EventItem {
  const id = (i * 2_654_435_761).toString(16).padStart(16, "0").slice(-16).padStart(32, "0192a7b3c4d5e6f7");
  const event: TailraceEvent = {
    ...{ time: 1_795_262_400_000_000 + i * 137, kind: "log", script: "shop-storefront", invocation_id: id, seq: 1 },
    ...{ sample_weight: 1, version_id: "b5c3f8d0-1111-4222-8333-444455556666", version_tag: "v1.5.0" },
    ...{
      event_type: "fetch",
      outcome: "ok",
      level: "info",
      message: `order ${i} of ${i % 977} placed in ${i % 90} ms`,
    },
    ...{ method: "POST", route: "/checkout/:id", status: 200, colo: ["LHR", "FRA", "IAD"][i % 3], country: "GB" },
    ray_id: id.slice(16),
    attributes: {
      ...{
        "user.id": `u-${i % 977}`,
        "order.id": i,
        "cart.total": (i % 400) / 4,
        currency: "EUR",
        "payment.retry": false,
      },
      ...{ "payment.provider": "acme", "experiment.checkout": i % 2 === 0 ? "a" : "b", "db.rows": i % 60 },
    },
  };
  return { id, feed: "logs", event, invocation: { script: event.script, id, events: [event] }, tags: {} };
}
