import { describe, expect, it } from "vitest";
import type {
  AuditAnswer,
  OverviewAnswer,
  PlatformSettings,
  RuleProblem,
  WorkerSettings,
} from "../../../workers/api/contract.ts";
import { ADMIN, call, errorCode, makeToken } from "./client.ts";

const PLATFORM = "/api/v1/settings";
const WORKER = "/api/v1/workers/shop/settings";
const put = (path: string, body: unknown) => call(path, { method: "PUT", token: ADMIN, body });
const get = async <T>(path: string) => (await (await call(path, { token: ADMIN })).json()) as T;

describe("the platform's settings", () => {
  it("are the defaults until someone changes them, and then his", async () => {
    const before = await get<PlatformSettings>(PLATFORM);
    expect(before.worker.retentionDays).toBe(30);
    const changed: PlatformSettings = {
      redaction: { ...before.redaction, keys: ["x-customer-*"], emails: true },
      worker: { retentionDays: 7 },
    };
    const answer = await put(PLATFORM, changed);
    expect([answer.status, await answer.json()]).toEqual([200, changed]);
    expect(await get(PLATFORM)).toEqual(changed);
  });

  it.each([
    ["a field that means nothing", { redaction: {}, worker: {}, more: 1 }],
    ["half of it", { worker: {} }],
    ["a wrong type", { redaction: { keys: "all", except: [], cardNumbers: true, emails: true }, worker: {} }],
    ["a list", []],
    ["text", '"x"'],
  ])("refuse %s", async (_, body) => {
    const response = await put(PLATFORM, body);
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe("bad_request");
    expect(error.message).not.toBe("");
  });
});

describe("how errors are grouped", () => {
  const withGrouping = async (grouping: unknown) => ({ ...(await get<PlatformSettings>(PLATFORM)), grouping });

  it("is a setting, left out until someone sets it", async () => {
    expect(await get(PLATFORM)).not.toHaveProperty("grouping");
    const changed = await withGrouping({
      fingerprintRules: ["type:PaymentError -> payment"],
      userAttributes: ["tenant"],
    });
    expect((await put(PLATFORM, changed)).status).toBe(200);
    expect(await get(PLATFORM)).toEqual(changed);
  });

  it("says on which line a rule cannot be read, and leaves everything as it was", async () => {
    const before = await get(PLATFORM);
    const fingerprintRules = ["type:PaymentError -> payment", "", "type:PaymentError payment", "-> -> ->"];
    const response = await put(PLATFORM, await withGrouping({ fingerprintRules, userAttributes: [] }));
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { code: string; details: { problems: RuleProblem[] } } };
    expect(error.code).toBe("bad_rules");
    expect(error.details.problems.map(({ line }) => line)).toEqual([3, 4]);
    for (const { message } of error.details.problems) expect(message).not.toBe("");
    expect(await get(PLATFORM)).toEqual(before);
  });

  it.each([
    ["rules that are one text", { fingerprintRules: "type:E -> e", userAttributes: [] }],
    ["half of it", { fingerprintRules: [] }],
    ["too many rules", { fingerprintRules: Array(501).fill("type:E -> e"), userAttributes: [] }],
  ])("refuses %s", async (_, grouping) => {
    expect((await put(PLATFORM, await withGrouping(grouping))).status).toBe(400);
  });
});

describe("a Worker's settings", () => {
  it("are its own, whether or not it was seen yet", async () => {
    expect(await get(WORKER)).toEqual({});
    const settings: WorkerSettings = { retentionDays: 3, sampling: [{ route: "/health", rate: 0.1 }] };
    expect((await put(WORKER, settings)).status).toBe(200);
    expect(await get(WORKER)).toEqual(settings);
    expect(await get("/api/v1/workers/other/settings")).toEqual({});
  });

  it("do not make a Worker that was never seen look as if it had been", async () => {
    await put("/api/v1/workers/ghost/settings", { slowMs: 100 });
    const { workers } = await get<OverviewAnswer>("/api/v1/overview");
    expect(workers.map((w) => w.script)).not.toContain("ghost");
    expect((await call("/api/v1/workers/ghost", { token: ADMIN })).status).toBe(404);
  });

  it("refuse a list in place of an object", async () => {
    expect((await put(WORKER, [])).status).toBe(400);
  });

  it("say where a body is wrong", async () => {
    const response = await put(WORKER, { sampling: [{ rate: 1 }, { rate: 2 }] });
    expect(await response.json()).toMatchObject({ error: { details: [{ path: "sampling.1.rate" }] } });
  });

  it("refuse a rate that is no rate", async () => {
    for (const rate of [0, -1, 1.1, "1", null]) expect((await put(WORKER, { sampling: [{ rate }] })).status).toBe(400);
  });
});

describe("settings", () => {
  it("can be read with `read`, and changed with `admin` only", async () => {
    const { token } = await makeToken("read");
    expect((await call(PLATFORM, { token })).status).toBe(200);
    const response = await call(WORKER, { method: "PUT", token, body: {} });
    expect([response.status, await errorCode(response)]).toEqual([403, "forbidden"]);
  });

  it("leave a row in the audit log with what was set", async () => {
    await put(WORKER, { slowMs: 250 });
    const { rows } = await get<AuditAnswer>("/api/v1/audit?limit=1");
    expect(rows[0]).toMatchObject({
      action: "worker.settings.update",
      target: "shop",
      actor: "bootstrap",
      detail: { slowMs: 250 },
    });
  });

  it("are bounded", async () => {
    const body = JSON.stringify({ canaryVersions: ["x".repeat(200_000)] });
    expect((await put(WORKER, body)).status).toBe(413);
  });
});
