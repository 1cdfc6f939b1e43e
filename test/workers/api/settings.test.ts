import { describe, expect, it } from "vitest";
import type { AuditAnswer, OverviewAnswer, PlatformSettings, WorkerSettings } from "../../../workers/api/contract.ts";
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
