import { describe, expect, it } from "vitest";
import type { AuditAnswer } from "../../../workers/api/contract.ts";
import { ADMIN, call, makeToken } from "./client.ts";

const logIn = (token: string, address: string) => call("/api/v1/session", { method: "POST", body: { token }, address });

/** Counters turn over with the minute: a row of attempts may be cut in two by it. */
async function untilLimited(attempt: () => Promise<Response>, most: number): Promise<Response> {
  for (let i = 0; i < most; i++) {
    const response = await attempt();
    if (response.status === 429) return response;
    expect(response.status).toBe(401);
    await response.body?.cancel();
  }
  throw new Error(`not limited after ${most} attempts`);
}

describe("failed log-ins", () => {
  it("are limited per address, and then even the right token has to wait", async () => {
    const limited = await untilLimited(() => logIn("wrong", "198.51.100.1"), 25);
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await logIn(ADMIN, "198.51.100.1")).status).toBe(429);
    expect((await logIn(ADMIN, "198.51.100.2")).status).toBe(200);
  });

  it("are counted per /64 of IPv6, which is what one subscriber has", async () => {
    let host = 0;
    await untilLimited(() => logIn("wrong", `2001:db8:1:2::${(++host).toString(16)}`), 25);
    expect((await logIn(ADMIN, "2001:db8:1:2:ffff::1")).status).toBe(429);
    expect((await logIn(ADMIN, "2001:db8:1:3::1")).status).toBe(200);
  });

  it("do not count when they succeed", async () => {
    for (let i = 0; i < 25; i++) expect((await logIn(ADMIN, "198.51.100.3")).status).toBe(200);
  });

  it("cannot slip past the count by coming all at once", async () => {
    const burst = await Promise.all(Array.from({ length: 60 }, () => logIn("wrong", "198.51.100.4")));
    const looked = burst.filter((r) => r.status === 401).length;
    expect(looked).toBeLessThanOrEqual(20);
    expect(burst.filter((r) => r.status === 429)).toHaveLength(60 - looked);
  });

  it("leave a bounded number of rows in the audit log", async () => {
    for (let i = 0; i < 60; i++) await (await logIn("wrong", `203.0.113.${i}`)).body?.cancel();
    const { rows } = (await (await call("/api/v1/audit?limit=1000", { token: ADMIN })).json()) as AuditAnswer;
    const refused = rows.filter((r) => r.action === "session.refused");
    expect(refused.length).toBeGreaterThan(0);
    // Twenty per minute; the test may see two minutes.
    expect(refused.length).toBeLessThanOrEqual(40);
  });
});

describe("failed bearer tokens", () => {
  it("are limited per address without locking out those who have a right one", async () => {
    const address = "198.51.100.10";
    const { token } = await makeToken("read");
    await untilLimited(() => call("/api/v1/session", { token: "trl_wrong", address }), 250);
    expect((await call("/api/v1/session", { token, address })).status).toBe(200);
    expect((await call("/api/v1/session", { token: ADMIN, address })).status).toBe(200);
    expect((await call("/api/v1/session", { token: "trl_wrong", address: "198.51.100.11" })).status).toBe(401);
  });
});
