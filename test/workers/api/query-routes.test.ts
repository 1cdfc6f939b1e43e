/** The query over HTTP: how it is asked, how failures and progress look. What it answers is tested in test/workers/query. */
import { beforeAll, describe, expect, it } from "vitest";
import type { AuditAnswer, InvocationAnswer, QueryAnswer, QueryLine } from "../../../workers/api/contract.ts";
import { appendOf, ingester, invocation } from "../buffer/support.ts";
import { ADMIN, call, errorCode } from "./client.ts";

const events = [1, 2, 3].map((n) => invocation("shop", (Date.now() - n * 1000) * 1000, { status: 200 + n }));
beforeAll(async () => {
  await ingester("shop").append(appendOf("shop", events));
});

const ndjson = { accept: "application/x-ndjson" };
const ask = (params: Record<string, string>, headers = {}) =>
  call(`/api/v1/query?${new URLSearchParams(params)}`, { token: ADMIN, headers });
const lines = async (response: Response) =>
  (await response.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as QueryLine);
const COUNT = "script:shop | stats count()";

describe.each(["live", "sealed"])("a query over %s events", (state) => {
  beforeAll(async () => {
    if (state === "live") return;
    const response = await call("/api/v1/seal", { method: "POST", token: ADMIN });
    expect([response.status, await response.json()]).toEqual([200, { sealed: 1 }]);
  });

  it("is asked by URL or by body, with the same answer", async () => {
    const byUrl = (await (await ask({ q: COUNT, from: "-1h" })).json()) as QueryAnswer;
    expect(byUrl.rows).toEqual([[3]]);
    expect(byUrl.stats.completeness.received).toBe(3);
    const body = { q: COUNT, from: Date.now() - 3_600_000 };
    const byBody = await call("/api/v1/query", { method: "POST", token: ADMIN, body });
    expect(((await byBody.json()) as QueryAnswer).rows).toEqual([[3]]);
  });

  it("streams progress, then the answer, to who accepts lines", async () => {
    const response = await ask({ q: COUNT }, ndjson);
    expect(response.headers.get("content-type")).toContain("application/x-ndjson");
    const all = await lines(response);
    expect(all.at(-1)).toMatchObject({ answer: { rows: [[3]] } });
    expect(all.length).toBeGreaterThan(1);
    for (const line of all.slice(0, -1)) expect(line).toHaveProperty("progress.total");
  });

  it("finds an invocation", async () => {
    const id = events[0]?.invocation_id ?? "";
    const response = await call(`/api/v1/invocations/${id}`, { token: ADMIN });
    const answer = (await response.json()) as InvocationAnswer;
    expect(answer.events.map((e) => [e.script, e.seq, e.status])).toEqual([["shop", 0, 201]]);
  });

  it("completes fields and values", async () => {
    const fields = await (await call("/api/v1/fields?prefix=stat", { token: ADMIN })).json();
    expect(JSON.stringify(fields)).toContain("http.response.status_code");
    const values = await (await call("/api/v1/fields/status/values?from=-1h", { token: ADMIN })).json();
    expect(values).toEqual({
      values: expect.arrayContaining([201, 202, 203].map((s) => ({ value: String(s), count: 1 }))),
    });
  });
});

describe("a query that cannot be answered", () => {
  it("is 400 with the position and what was expected", async () => {
    const response = await ask({ q: "status:>= | stats" });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: "bad_query", details: { position: expect.any(Number), expected: expect.any(String) } },
    });
  });

  it("is the same when lines were asked for, as long as none was sent", async () => {
    const response = await ask({ q: "status:>=" }, ndjson);
    expect([response.status, await errorCode(response)]).toEqual([400, "bad_query"]);
  });

  it("is 400 for times, limits and bodies that are none", async () => {
    const wrong: Record<string, string>[] = [
      { from: "soon" },
      { to: "x" },
      { limit: "-1" },
      { limit: "many" },
      { from: "now", to: "-1h" },
    ];
    for (const params of wrong) expect((await ask({ q: "", ...params })).status, JSON.stringify(params)).toBe(400);
    for (const body of ["{", "[]", '{"q":1}', '{"q":"","limit":{}}'])
      expect((await call("/api/v1/query", { method: "POST", token: ADMIN, body })).status, body).toBe(400);
  });

  it("is 404 for an invocation that is nowhere", async () => {
    const response = await call(`/api/v1/invocations/${"f".repeat(32)}`, { token: ADMIN });
    expect([response.status, await errorCode(response)]).toEqual([404, "not_found"]);
  });
});

describe("maintenance by hand", () => {
  it("seals, runs what the crons run, and is audited", async () => {
    const response = await call("/api/v1/maintenance", { method: "POST", token: ADMIN });
    expect(response.status).toBe(200);
    const { rows } = (await (await call("/api/v1/audit?limit=2", { token: ADMIN })).json()) as AuditAnswer;
    expect(rows.map((r) => r.action)).toEqual(["store.maintenance", "store.seal"]);
  });
});
