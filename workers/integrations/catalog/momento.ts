/**
 * Momento: an API key of a cache, taken from its console, tried, and written into
 * Workers. Its HTTP API makes no keys, so rotating takes a new one.
 * https://docs.momentohq.com/cache/develop/api-reference/http-api
 */
import type { Failure, Io, OutgoingAnswer, Resource, Values } from "../contract.ts";
import { prefixField, prefixProblem } from "../resources/prefix.ts";
import { withAdvice } from "../sending/advice.ts";
import { failureOf } from "../sending/outcomes.ts";
import { looksLikeHtml } from "../sending/said.ts";

/** Regions that have an HTTP address, by Momento's documentation; others are typed under Advanced. */
const CELLS: Record<string, string> = {
  "us-west-2": "cell-4-us-west-2-1",
  "us-east-1": "cell-us-east-1-1",
  "us-east-2": "cell-1-us-east-2-1",
  "eu-west-1": "cell-1-eu-west-1-1",
  "eu-central-1": "cell-1-eu-central-1-1",
  "ap-northeast-1": "cell-ap-northeast-1-1",
  "ap-southeast-1": "cell-1-ap-southeast-1-1",
  "ap-south-1": "cell-1-ap-south-1-1",
};
/** As Momento names caches, as far as a path can hold it. */
const CACHE = /^[\w.-]{1,128}$/;
const TEST_TTL_S = 60;

const ADVICE: Partial<Record<Failure["kind"], string>> = {
  unauthorized: "Check that the key is of this region and may use this cache (console, API Keys).",
  misplaced: "There is no such cache in this region. Make it in the console, or check the name.",
};

const endpointOf = (values: Values): string =>
  (
    values.endpoint || `https://api.cache.${CELLS[values.region ?? ""] ?? CELLS["us-east-1"]}.prod.a.momentohq.com`
  ).replace(/\/+$/, "");

function send(
  values: Values,
  io: Io,
  method: "GET" | "PUT" | "DELETE",
  key: string,
  body?: string,
): Promise<OutgoingAnswer> {
  const query = new URLSearchParams({ key, ...(method === "PUT" ? { ttl_seconds: String(TEST_TTL_S) } : {}) });
  const url = `${endpointOf(values)}/cache/${encodeURIComponent(values.cache ?? "")}?${query}`;
  return io.request({
    method,
    url,
    headers: { authorization: values.key ?? "" },
    ...(body === undefined ? {} : { body }),
  });
}

function failed(answer: OutgoingAnswer, io: Io): { ok: false; failure: Failure } {
  if (!answer.ok) return answer;
  const failure = failureOf(answer, io.now());
  return { ok: false, failure: withAdvice({ ...failure, message: `Momento: ${failure.message}` }, ADVICE) };
}

const isSuccess = (answer: OutgoingAnswer) => answer.ok && answer.status >= 200 && answer.status < 300;

/** A miss and a missing cache are both 404, and so is the page of whoever else answers; the text tells them apart. */
const isMiss = (answer: OutgoingAnswer) =>
  answer.ok &&
  answer.status === 404 &&
  !looksLikeHtml(answer.text) &&
  !/cache not found|no such cache/i.test(answer.text);

const momento: Resource = {
  id: "momento",
  name: "Momento",
  role: "resource",
  category: "Resources",
  summary: "A Momento cache for your Workers: its address, name and key, tried and written as secrets.",
  takes: [],
  website: "https://www.gomomento.com",
  mark: { text: "Mo", color: "#c0512f" },
  idempotent: true,
  fields: [
    {
      name: "key",
      label: "API key",
      type: "secret",
      required: true,
      secret: true,
      help: "Momento console, API Keys: a fine-grained key for this one cache is enough.",
    },
    {
      name: "cache",
      label: "Cache",
      type: "text",
      required: true,
      secret: false,
      help: "The name of the cache.",
      example: "sessions",
    },
    {
      name: "region",
      label: "Region",
      type: "select",
      required: true,
      secret: false,
      default: "us-east-1",
      help: "Where the cache and the key are.",
      options: Object.keys(CELLS).map((region) => ({ value: region, label: region })),
    },
    {
      name: "mode",
      label: "The key may",
      type: "select",
      required: true,
      secret: false,
      default: "readwrite",
      help: "What is tried: writing and reading, or reading only.",
      options: [
        { value: "readwrite", label: "read and write" },
        { value: "readonly", label: "read only" },
      ],
    },
    prefixField("MOMENTO", ["ENDPOINT", "CACHE", "API_KEY"]),
    {
      name: "endpoint",
      label: "HTTP endpoint",
      type: "url",
      required: false,
      secret: false,
      advanced: true,
      help: "In place of the region's own address: the console shows it beside the key.",
      example: "https://api.cache.cell-us-east-1-1.prod.a.momentohq.com",
    },
  ],
  documentation: `**The key**: in Momento's console under *API Keys*, a fine-grained key for the one cache, in the cache's region. Momento's HTTP API makes no keys, so Tailrace takes this one; it is stored encrypted and written into your Workers as \`MOMENTO_API_KEY\`, beside \`MOMENTO_ENDPOINT\` and \`MOMENTO_CACHE\`.

**The test** writes a value that lives ${TEST_TTL_S} seconds, reads it back and deletes it. For a key that may only read, it reads a value that is not there.

**Rotating**: make a new key in the console and enter it; it is tried, and written to all chosen Workers. Delete the old one in the console then.

**Removing** deletes the secrets from the Workers. The key stays good until you delete it in the console.`,
  check({ cache = "", prefix }) {
    const problems = prefixProblem(prefix);
    if (!CACHE.test(cache)) problems.cache = "Letters, digits, ., - and _: the name of the cache.";
    return problems;
  },
  async test(values, io) {
    const key = `tailrace-test-${crypto.randomUUID()}`;
    if (values.mode === "readonly") {
      const read = await send(values, io, "GET", key);
      return isMiss(read) || isSuccess(read)
        ? { ok: true, message: `Momento lets this key read from the cache ${values.cache}.` }
        : failed(read, io);
    }
    const written = await send(values, io, "PUT", key, key);
    if (!isSuccess(written)) return failed(written, io);
    const read = await send(values, io, "GET", key);
    if (!isSuccess(read)) return failed(read, io);
    await send(values, io, "DELETE", key);
    if (read.ok && read.text === key)
      return { ok: true, message: `Momento kept a value in the cache ${values.cache} and gave it back.` };
    const message = "What answered took a value and did not give it back: it is not Momento, or another cache.";
    return { ok: false, failure: { kind: "lying", message, status: read.ok ? read.status : 0 } };
  },
  async obtain(values, io, _rotate) {
    const tried = await momento.test(values, io);
    if (!tried.ok) return tried;
    const prefix = values.prefix || "MOMENTO";
    const secrets = {
      [`${prefix}_ENDPOINT`]: endpointOf(values),
      [`${prefix}_CACHE`]: values.cache ?? "",
      [`${prefix}_API_KEY`]: values.key ?? "",
    };
    return { ok: true, secrets };
  },
  usage({ prefix: chosen }) {
    const prefix = chosen || "MOMENTO";
    return {
      install: "",
      code: `export default {
  async fetch(request, env) {
    const url = \`\${env.${prefix}_ENDPOINT}/cache/\${env.${prefix}_CACHE}?key=greeting\`;
    const headers = { authorization: env.${prefix}_API_KEY };
    await fetch(\`\${url}&ttl_seconds=60\`, { method: "PUT", headers, body: "hello" });
    return fetch(url, { headers });
  },
};
`,
    };
  },
};

export default momento;
