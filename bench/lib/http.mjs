/**
 * A load generator that costs little of the cores it shares with what it
 * measures: node:http with connections kept open, a closed loop per connection.
 */
import { Agent, request } from "node:http";

/** Longer than anything that is measured: a request that is never answered ends the bench with a reason, not with its limit. */
const ANSWER_MS = 60_000;

/** @returns {Promise<{ status: number, text: string }>} */
export function send(agent, url, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }));
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.setTimeout(ANSWER_MS, () => outgoing.destroy(new Error(`${method} ${url}: silent for ${ANSWER_MS} ms`)));
    outgoing.end(body);
  });
}

export function connections(maxSockets) {
  return new Agent({ keepAlive: true, maxSockets });
}

/**
 * Runs `work(n)` in `parallel` loops until it says false; n counts up over all loops.
 * @param {number} parallel
 * @param {(n: number) => Promise<boolean>} work
 */
export async function loops(parallel, work) {
  let n = 0;
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (await work(n++));
    }),
  );
}

/** Tailrace's API for a bench: throws on anything but success. */
export class Api {
  constructor(url, token, sockets = 8) {
    this.url = url.replace("localhost", "127.0.0.1");
    this.headers = { authorization: `Bearer ${token}` };
    this.agent = connections(sockets);
  }

  async call(method, path, body, type = "application/json") {
    const headers = body === undefined ? this.headers : { ...this.headers, "content-type": type };
    const { status, text } = await send(this.agent, this.url + path, { method, headers, body });
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  ingest(ndjson) {
    return this.call("POST", "/api/v1/ingest/tail", ndjson, "application/x-ndjson");
  }

  query(q, from, to, limit = 100) {
    return this.call("POST", "/api/v1/query", JSON.stringify({ q, from, to, limit }));
  }

  seal() {
    return this.call("POST", "/api/v1/seal");
  }

  maintenance() {
    return this.call("POST", "/api/v1/maintenance");
  }

  close() {
    this.agent.destroy();
  }
}
