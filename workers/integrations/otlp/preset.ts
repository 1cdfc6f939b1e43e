/**
 * A service that speaks OTLP/HTTP, as a destination: the files of `catalog/` hand in
 * what is theirs (fields, address, headers, words), everything else is the same.
 */

import type { CatalogEntry, CatalogField } from "../../api/contract/integrations.ts";
import type { Destination, Failure, Values } from "../contract.ts";
import { compressionField } from "../sending/fields.ts";
import { send, type Target } from "./exporter.ts";
import { probe } from "./probe.ts";
import type { Signal } from "./records.ts";

export interface OtlpPreset
  extends Pick<CatalogEntry, "id" | "name" | "summary" | "documentation" | "website" | "mark" | "fields"> {
  /** Without `/v1/…`. */
  endpoint(values: Values): string;
  headers(values: Values, signal: Signal): Record<string, string>;
  /** Field → what to do; undefined where nothing is wrong. */
  check?(values: Values): Record<string, string | undefined>;
  look: string;
  advice: Partial<Record<Failure["kind"], string>>;
  /** Attribute for how many events a kept one stands for, where the service has a name of its own. */
  weight?: string;
  maxBodyBytes?: number;
}

/** Half of what the strictest receivers take (a collector: 20 MiB). */
const MAX_BODY_BYTES = 4 << 20;

/** What every preset asks for below its own fields. */
const COMMON_FIELDS: readonly CatalogField[] = [
  {
    name: "environment",
    label: "Environment",
    type: "text",
    required: false,
    secret: false,
    help: "Sent as deployment.environment.name.",
    example: "production",
  },
  {
    name: "encoding",
    label: "Encoding",
    type: "select",
    required: false,
    secret: false,
    help: "Protobuf is smaller and quicker; JSON can be read on its way.",
    default: "protobuf",
    options: [
      { value: "protobuf", label: "Protobuf" },
      { value: "json", label: "JSON" },
    ],
    advanced: true,
  },
  { ...compressionField("gzip", "Of request bodies."), advanced: true },
];

/** For services with a fixed address: proxies, self-hosted receivers, regions that are newer than this list. */
export const endpointOverride = (help: string): CatalogField => ({
  name: "endpoint",
  label: "Endpoint",
  type: "url",
  required: false,
  secret: false,
  help: `${help} /v1/logs and /v1/traces are added to it.`,
  advanced: true,
});

export function otlpDestination(preset: OtlpPreset): Destination {
  const { endpoint, headers, check, look, advice, weight, maxBodyBytes, ...entry } = preset;
  const target = (values: Values): Target => ({
    endpoint: endpoint(values).trim(),
    headers: { logs: headers(values, "logs"), traces: headers(values, "traces") },
    encoding: values.encoding === "json" ? "json" : "protobuf",
    compress: values.compression !== "none",
    environment: values.environment ?? "",
    weight: weight ?? "tailrace.sample_weight",
    maxBodyBytes: maxBodyBytes ?? MAX_BODY_BYTES,
  });
  return {
    ...entry,
    fields: [...entry.fields, ...COMMON_FIELDS],
    role: "destination",
    category: "Observability",
    takes: ["errors", "logs", "traces"],
    idempotent: false,
    ordered: false,
    limits: { items: 2_000, bytes: 2 << 20 },
    check: (values) => ({ ...checkEndpoint(endpoint(values)), ...onlyProblems(check?.(values) ?? {}) }),
    test: (values, io) => probe(target(values), { name: entry.name, look, advice }, io),
    send: (values, items, io) => send(target(values), items, io),
  };
}

/** The endpoint is no secret and is shown: a key must not be in it. */
function checkEndpoint(endpoint: string): Record<string, string> {
  const url = URL.parse(endpoint.trim());
  if (url === null || !/^https?:$/.test(url.protocol))
    return { endpoint: "Enter an address that begins with https://." };
  const holdsKey =
    url.username !== "" || url.password !== "" || [...url.searchParams.keys()].some((name) => KEYS.test(name));
  return holdsKey
    ? { endpoint: "Leave keys and passwords out of the address: they belong into a field that is kept secret." }
    : {};
}

const KEYS = /key|token|secret|password|auth|sig/i;

function onlyProblems(found: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
