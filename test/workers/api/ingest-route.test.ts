/** The route in front of HTTP ingest: what goes in can be asked for, and what cannot go in is told apart. */
import { describe, expect, it } from "vitest";
import type { IngestAnswer, QueryAnswer } from "../../../workers/api/contract.ts";
import { ADMIN, call, makeToken } from "./client.ts";

const item = (n: number) => ({
  scriptName: "remote",
  eventTimestamp: Date.now() - n,
  outcome: "ok",
  event: { request: { url: `https://shop.test/p/${n}`, method: "GET", headers: {} }, response: { status: 200 } },
  logs: [],
  exceptions: [],
  diagnosticsChannelEvents: [],
});
const send = (body: string, token: string, headers: Record<string, string> = {}) =>
  call("/api/v1/ingest/tail", { method: "POST", token, body, headers });

describe("POST /api/v1/ingest/tail", () => {
  it("takes items with an ingest token, and a query finds them at once", async () => {
    const { token } = await makeToken("ingest");
    const response = await send(JSON.stringify([item(1), item(2)]), token);
    expect([response.status, await response.json()]).toEqual([200, { accepted: 2, rejected: [], dropped: 0 }]);
    const q = "/api/v1/query?q=script:remote+kind:invocation+%7C+stats+count()&from=-1h";
    const answer = (await (await call(q, { token: ADMIN })).json()) as QueryAnswer;
    expect(answer.rows).toEqual([[2]]);
  });

  it("names bad items by index and keeps the good ones", async () => {
    const response = await send(`${JSON.stringify(item(3))}\n{"no":1}\nnonsense\n${JSON.stringify(item(4))}`, ADMIN);
    const answer = (await response.json()) as IngestAnswer;
    expect(response.status).toBe(200);
    expect([answer.accepted, answer.rejected.map((r) => r.index)]).toEqual([2, [1, 2]]);
  });

  it("refuses a body that is not what its encoding says, as an error of ours", async () => {
    const bad = await send("not gzip", ADMIN, { "content-encoding": "gzip" });
    expect(bad.status).toBe(400);
    expect(await bad.json()).toMatchObject({ error: { code: "bad_request", details: { accepted: 0 } } });
    expect((await send("x", ADMIN, { "content-encoding": "compress" })).status).toBe(415);
  });
});
