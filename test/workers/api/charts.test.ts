/** The pages' numbers, over events in Ingesters and in segments alike. */
import { beforeAll, describe, expect, it } from "vitest";
import type { LedgerAnswer, OverviewAnswer, WorkerAnswer } from "../../../workers/api/contract.ts";
import { appendOf, ingester, invocation } from "../buffer/support.ts";
import { ADMIN, call, errorCode } from "./client.ts";

const MINUTE = 60_000;
const now = Math.floor(Date.now() / MINUTE) * MINUTE;
const at = (minutes: number) => (now + minutes * MINUTE) * 1000;

const get = async <T>(path: string): Promise<T> => {
  const response = await call(path, { token: ADMIN });
  expect(response.status, path).toBe(200);
  return response.json();
};

beforeAll(async () => {
  const good = [1, 2, 3].map((n) => invocation("shop", at(-10), { duration: 10 * n }));
  await ingester("shop").append(appendOf("shop", good));
  const bad = {
    version_id: "v2",
    version_tag: "2.0",
    outcome: "exception",
    status: 500,
    duration: 900,
    entrypoint: "Admin",
  };
  await ingester("shop").append(appendOf("shop", [invocation("shop", at(-5), bad)]));
  await ingester("cron").append(appendOf("cron", [invocation("cron", at(-3), { event_type: "scheduled" })]));
});

describe.each(["unsealed", "sealed"])("%s", (state) => {
  beforeAll(async () => {
    if (state === "sealed") for (const script of ["shop", "cron"]) await ingester(script).seal();
  });

  it("the overview adds up Workers and versions", async () => {
    const answer = await get<OverviewAnswer>("/api/v1/overview?from=-1h");
    expect(answer.bucketMs).toBe(MINUTE);
    expect(answer.total).toMatchObject({ requests: 5, errors: 1, errorRate: 0.2 });
    expect(answer.total.series).toHaveLength((answer.to - answer.from) / MINUTE);
    expect(answer.workers.map((w) => [w.script, w.requests, w.errors])).toEqual([
      ["shop", 4, 1],
      ["cron", 1, 0],
    ]);
    const versions = answer.workers[0]?.versions ?? [];
    expect(versions.map((v) => [v.id, v.tag, v.requests, v.firstSeen])).toEqual([
      ["v2", "2.0", 1, now - 5 * MINUTE],
      ["v1", "", 3, now - 10 * MINUTE],
    ]);
    expect(Math.abs((versions[1]?.p50 ?? 0) - 20)).toBeLessThan(0.5);
    expect(answer.completeness).toMatchObject({ ratio: 1, received: 5, kept: 5 });
  });

  it("a Worker's page breaks it down", async () => {
    const answer = await get<WorkerAnswer>("/api/v1/workers/shop?from=-1h");
    expect(answer.worker).toMatchObject({ script: "shop", requests: 4 });
    expect(answer.entrypoints.map((e) => [e.value, e.requests])).toEqual([
      ["", 3],
      ["Admin", 1],
    ]);
    expect(answer.outcomes).toEqual([
      { value: "ok", requests: 3 },
      { value: "exception", requests: 1 },
    ]);
    expect(answer.statuses).toEqual([
      { value: "2xx", requests: 3 },
      { value: "5xx", requests: 1 },
    ]);
    expect(answer.completeness.received).toBe(4);
  });

  it("the ledger has a point per bucket", async () => {
    const answer = await get<LedgerAnswer>("/api/v1/ledger?from=-1h&script=shop");
    expect(answer.points.find((p) => p.t === now - 10 * MINUTE)).toMatchObject({ received: 3, kept: 3, overloaded: 0 });
    expect(answer.points.reduce((n, p) => n + (p.received ?? 0), 0)).toBe(4);
  });

  it("longer ranges count the same in wider buckets", async () => {
    for (const from of ["-1d", "-30d", "-390d"]) {
      const answer = await get<OverviewAnswer>(`/api/v1/overview?from=${from}`);
      expect([from, answer.total.requests, answer.completeness.received]).toEqual([from, 5, 5]);
      expect(answer.total.series.length).toBeLessThan(125);
    }
  });
});

it("a Worker that is silent in the range is still listed", async () => {
  const answer = await get<OverviewAnswer>("/api/v1/overview?from=-1m");
  expect(answer.workers.map((w) => [w.script, w.requests])).toContainEqual(["shop", 0]);
});

describe("ranges and names", () => {
  it("nobody has heard of are 404", async () => {
    const response = await call("/api/v1/workers/never-seen", { token: ADMIN });
    expect([response.status, await errorCode(response)]).toEqual([404, "not_found"]);
  });

  it.each(["from=yesterday", "to=x", "from=-1h&to=-2h", "from=-9000d", "from=", "to=1e999", "from=-1h&to=-1h"])(
    "%s is 400 with what was expected",
    async (params) => {
      const response = await call(`/api/v1/overview?${params}`, { token: ADMIN });
      expect(response.status).toBe(400);
      expect(JSON.stringify(await response.json())).toContain("epoch ms");
    },
  );
});
