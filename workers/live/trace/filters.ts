/**
 * The filters of `wrangler tail`: body of the POST → checked filters → a
 * comparison with trace items, as Cloudflare's tail compares. All filters of a
 * tail must hold; of a list, one value must. What an item does not have (the
 * method of a cron) does not match. `api/cloudflare/` reads, the hub compares.
 */
import { hash32 } from "../../util/hash.ts";
import type { TailFilter } from "../contract.ts";
import { normalAddress } from "./address.ts";
import type { TraceItem } from "./items.ts";
import { MAX_FILTERS, MAX_FILTERS_CHARS, MAX_VALUE_CHARS, MAX_VALUES } from "./limits.ts";

export type ReadTailFilters = { ok: true; filters: TailFilter[] } | { ok: false; message: string };

/** What `client_ip` means by the address of who asks. */
const SELF = "self";
/** Another function of the id than the one that thins a flood: a sample of a sample stays fair. */
const SAMPLE_SEED = 0x51ed270b;

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

class Refused extends Error {}
const refuse = (message: string): never => {
  throw new Refused(message);
};

/** `{"filters":[…]}`; without a body, or without filters in it, everything is sent. */
export function readTailFilters(body: unknown): ReadTailFilters {
  try {
    return { ok: true, filters: filtersOf(body) };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, message: error.message };
    throw error;
  }
}

function filtersOf(body: unknown): TailFilter[] {
  if (body === undefined || body === null) return [];
  if (!isFields(body)) return refuse('The body must be a JSON object: {"filters": […]}.');
  const { filters = [] } = body;
  if (!Array.isArray(filters)) return refuse("filters must be a list.");
  if (filters.length > MAX_FILTERS) return refuse(`At most ${MAX_FILTERS} filters are possible.`);
  const read = filters.map((filter, at) => filterOf(filter, `filters[${at}]`));
  if (JSON.stringify(read).length > MAX_FILTERS_CHARS)
    return refuse(`All filters together have at most ${MAX_FILTERS_CHARS} characters.`);
  return read;
}

function filterOf(filter: unknown, at: string): TailFilter {
  const names = isFields(filter) ? Object.keys(filter) : [];
  const [name] = names;
  if (!isFields(filter) || name === undefined || names.length > 1)
    return refuse(`${at} must be an object with one field: ${Object.keys(READERS).join(", ")}.`);
  if (!Object.hasOwn(READERS, name))
    return refuse(
      `${at} has no filter that is known here: ${name.slice(0, 50)}. There are ${Object.keys(READERS).join(", ")}.`,
    );
  return (READERS[name] as Reader)(filter[name], `${at}.${name}`);
}

type Reader = (value: unknown, at: string) => TailFilter;
const READERS: Record<string, Reader> = {
  sampling_rate: (value, at) =>
    typeof value === "number" && value > 0 && value <= 1
      ? { sampling_rate: value }
      : refuse(`${at} must be a number above 0 and up to 1: 0.25 lets a quarter through.`),
  outcome: (value, at) => ({ outcome: texts(value, at) }),
  method: (value, at) => ({ method: texts(value, at) }),
  header: (value, at) => {
    if (!isFields(value)) return refuse(`${at} must be an object with a key, and perhaps a query.`);
    const key = text(value.key, `${at}.key`);
    return { header: value.query === undefined ? { key } : { key, query: text(value.query, `${at}.query`) } };
  },
  client_ip: (value, at) => ({ client_ip: texts(value, at) }),
  query: (value, at) => ({ query: text(value, at) }),
  scriptVersion: (value, at) => ({ scriptVersion: text(value, at) }),
};

function texts(value: unknown, at: string): string[] {
  if (!Array.isArray(value) || value.length === 0) return refuse(`${at} must be a list of texts, with one at least.`);
  if (value.length > MAX_VALUES) return refuse(`${at} has at most ${MAX_VALUES} values.`);
  return value.map((entry, i) => text(entry, `${at}[${i}]`));
}

function text(value: unknown, at: string): string {
  if (typeof value !== "string" || value === "") return refuse(`${at} must be a text, and not empty.`);
  return value.length > MAX_VALUE_CHARS ? refuse(`${at} has at most ${MAX_VALUE_CHARS} characters.`) : value;
}

type Comparison = (item: TraceItem) => boolean;

/** The first filter that an item does not pass; cheap ones are asked first. `clientIp`: of who asked for the tail. */
export function compileBlocker(
  filters: readonly TailFilter[],
  clientIp: string,
): (item: TraceItem) => TailFilter | undefined {
  const compiled = [...filters]
    .sort((a, b) => cost(a) - cost(b))
    .map((filter) => ({ filter, holds: comparisonOf(filter, clientIp) }));
  return (item) => compiled.find(({ holds }) => !holds(item))?.filter;
}

/** A sample needs the id only, text the whole of the item. */
const cost = (filter: TailFilter) => ("sampling_rate" in filter ? 0 : "query" in filter ? 2 : 1);

function comparisonOf(filter: TailFilter, clientIp: string): Comparison {
  if ("sampling_rate" in filter) return sampled(filter.sampling_rate);
  if ("outcome" in filter) return ({ item }) => filter.outcome.includes(String(item.outcome));
  if ("method" in filter) return byMethod(filter.method);
  if ("header" in filter) return byHeader(filter.header);
  if ("client_ip" in filter) return byAddress(filter.client_ip, clientIp);
  if ("query" in filter) return (item) => item.printed().some((line) => line.includes(filter.query));
  return ({ item }) => isFields(item.scriptVersion) && item.scriptVersion.id === filter.scriptVersion;
}

/** By the invocation: two who watch with the same rate see the same. */
function sampled(rate: number): Comparison {
  const below = rate * 2 ** 32;
  return ({ invocationId }) => hash32(invocationId, SAMPLE_SEED) < below;
}

function byMethod(methods: readonly string[]): Comparison {
  const wanted = new Set(methods.map((method) => method.toUpperCase()));
  return ({ item }) => {
    const method = requestOf(item)?.method;
    return typeof method === "string" && wanted.has(method.toUpperCase());
  };
}

/** With a query, the header's value holds it. */
function byHeader({ key, query }: { key: string; query?: string }): Comparison {
  const name = key.toLowerCase();
  return ({ item }) => {
    const value = headerOf(item, name);
    return value !== undefined && (query === undefined || value.includes(query));
  };
}

function byAddress(addresses: readonly string[], clientIp: string): Comparison {
  const wanted = new Set(addresses.map((address) => normalAddress(address === SELF ? clientIp : address)));
  wanted.delete("");
  return ({ item }) => {
    const address = headerOf(item, "cf-connecting-ip");
    return address !== undefined && wanted.has(normalAddress(address));
  };
}

function requestOf({ event }: Fields): Fields | undefined {
  return isFields(event) && isFields(event.request) ? event.request : undefined;
}

function headerOf(item: Fields, name: string): string | undefined {
  const headers = requestOf(item)?.headers;
  if (!isFields(headers)) return undefined;
  const value = headers[name] ?? headers[Object.keys(headers).find((key) => key.toLowerCase() === name) ?? name];
  return value === undefined || value === null ? undefined : String(value);
}
