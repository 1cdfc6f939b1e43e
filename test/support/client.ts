/** Tailrace's HTTP API as a test sees it: plain fetch, JSON, a bearer token. */
import { setTimeout as sleep } from "node:timers/promises";
import type { HealthAnswer, IngestAnswer, QueryAnswer } from "../../workers/api/contract.ts";

export interface Answer<T> {
  status: number;
  body: T;
}

export class Client {
  constructor(
    readonly url: string,
    private readonly token: string,
  ) {}

  async call<T>(
    method: string,
    path: string,
    body?: BodyInit,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const init: RequestInit = { method, headers: { authorization: `Bearer ${this.token}`, ...headers } };
    if (body !== undefined) init.body = body;
    const response = await fetch(this.url + path, init);
    const text = await response.text();
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = text;
    }
    return { status: response.status, body: parsed as T };
  }

  /** Trace items as NDJSON; throws unless they are durable. */
  async ingest(items: readonly unknown[]): Promise<IngestAnswer> {
    const ndjson = items.map((item) => JSON.stringify(item)).join("\n");
    const { status, body } = await this.call<IngestAnswer>("POST", "/api/v1/ingest/tail", ndjson, {
      "content-type": "application/x-ndjson",
    });
    if (status !== 200) throw new Error(`ingest answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Without `to`, the platform looks a little into the future: clocks differ, and so does what "now" includes. */
  async query(q: string, from: string | number = "-1h", to?: string | number, limit = 10_000): Promise<QueryAnswer> {
    const question = JSON.stringify({ q, from, to, limit });
    const { status, body } = await this.call<QueryAnswer>("POST", "/api/v1/query", question, {
      "content-type": "application/json",
    });
    if (status !== 200) throw new Error(`query "${q}" answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** The one number that a query of one aggregate answers. */
  async number(q: string, from?: string | number, to?: string | number): Promise<number> {
    const { rows } = await this.query(q, from, to);
    return Number(rows[0]?.[0] ?? 0);
  }

  seal(): Promise<void> {
    return this.admin("/api/v1/seal");
  }

  maintenance(): Promise<void> {
    return this.admin("/api/v1/maintenance");
  }

  private async admin(path: string): Promise<void> {
    const { status, body } = await this.call("POST", path);
    if (status >= 300) throw new Error(`POST ${path} answered ${status}: ${JSON.stringify(body)}`);
  }

  async health(): Promise<Answer<HealthAnswer>> {
    return this.call<HealthAnswer>("GET", "/healthz");
  }
}

/** Asks again until `accept` likes the answer; fails with the last answer when the deadline has passed. */
export async function until<T>(ask: () => Promise<T>, accept: (answer: T) => boolean, deadlineMs: number): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (accept(answer)) return answer;
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms; last answer: ${JSON.stringify(answer)}`);
    await sleep(50);
  }
}
