/** What an issue's invocations have more often than others: the whole way from events to findings. */
import { beforeAll, describe, expect, it } from "vitest";
import type { AttributesAnswer, QueryAnswer } from "../../../workers/api/contract.ts";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { seeded } from "../../support/segments.ts";
import { appendOf, ingester, invocation } from "../buffer/support.ts";
import { ADMIN, call } from "./client.ts";
import { addIssue } from "./issues-support.ts";

const SCRIPT = "compared";
const NOW = Date.now();
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:115.0) Gecko/20100101 Firefox/115.0";
const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36";

const random = seeded(5);
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;

interface Made {
  fingerprint?: string;
  canary: number;
  tenant?: string;
  firefox?: number;
  weight?: number;
}

/** A request, a log that says whose it is, and an error if it fails. */
function eventsOf(n: number, { fingerprint, canary, tenant, firefox = 0.2, weight = 1 }: Made): TailraceEvent[] {
  const first = invocation(SCRIPT, (NOW - 60_000 + n) * 1000, {
    version_id: random() < canary ? "v2" : "v1",
    colo: pick(["LHR", "FRA", "AMS", "CDG"]),
    country: pick(["GB", "DE", "NL", "FR"]),
    route: pick(["/", "/cart", "/pay"]),
    method: "GET",
    sample_weight: weight,
    outcome: fingerprint === undefined ? "ok" : "exception",
    attributes: {
      "user_agent.original": random() < firefox ? FIREFOX : CHROME,
      "url.full": `https://shop.example/${n}`,
      "client.address": `192.0.2.${n}`,
    },
  });
  const { attributes: _, ...shared } = first;
  const log: TailraceEvent = {
    ...{ ...shared, kind: "log", seq: 1, message: "cart" },
    attributes: { "tenant.id": tenant ?? `t${Math.floor(random() * 40)}`, "request.id": `r${n}` },
  };
  if (fingerprint === undefined) return [first, log];
  const error: TailraceEvent = {
    ...{ ...shared, kind: "exception", seq: 2, message: "x is undefined", fingerprint },
    // Said by errors only: no circumstance.
    attributes: { "error.code": "E1", reason: "declined" },
  };
  return [first, log, error];
}

let planted = 0;
let even = 0;
beforeAll(async () => {
  planted = await addIssue({ script: SCRIPT, fingerprints: ["v1-planted", "u1-planted"] });
  even = await addIssue({ script: SCRIPT, fingerprints: ["v1-even"] });
  const rest = Array.from({ length: 600 }, (_, n) => eventsOf(n, { canary: 0.1, weight: 5 }));
  const failing = Array.from({ length: 60 }, (_, n) =>
    eventsOf(1_000 + n, {
      fingerprint: n % 2 ? "v1-planted" : "u1-planted",
      ...{ canary: 0.9, firefox: 0.95 },
      ...(n % 3 ? { tenant: "acme" } : {}),
    }),
  );
  const others = Array.from({ length: 60 }, (_, n) => eventsOf(2_000 + n, { fingerprint: "v1-even", canary: 0.1 }));
  const all = [...rest, ...failing, ...others];
  const stub = ingester(SCRIPT);
  await stub.append(appendOf(SCRIPT, all.slice(0, 400).flat()));
  await stub.seal();
  await stub.append(appendOf(SCRIPT, all.slice(400, 680).flat()));
  await stub.seal();
  await stub.append(appendOf(SCRIPT, all.slice(680).flat()));
});

async function ask(id: number, from = "-1h"): Promise<AttributesAnswer> {
  const response = await call(`/api/v1/issues/${id}/attributes?from=${from}`, { token: ADMIN });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as AttributesAnswer;
}

describe("over-represented attributes", () => {
  it("are the version, the browser and the tenant that were planted, and nothing else", async () => {
    const answer = await ask(planted);
    const found = answer.findings.flatMap((f) => [f, ...f.alike]).map((f) => `${f.attribute}=${f.value}`);
    expect(new Set(found)).toEqual(
      new Set([
        "version=v2",
        "user_agent.name=Firefox",
        "user_agent.version=Firefox 115",
        "user_agent.os.name=Windows",
        `user_agent.original=${FIREFOX}`,
        "tenant.id=acme",
      ]),
    );
    expect(answer.inIssue).toBe(60);
    expect(answer.inWorker).toBe(60 + 60 + 600 * 5);
    expect(answer.looked).toEqual({ issue: 60, rest: 660, fractions: { issue: 1, rest: 1 } });
    expect(answer.comparisons.values).toBeGreaterThan(40);
    const tenant = answer.findings.find((f) => f.attribute === "tenant.id");
    expect(tenant).toMatchObject({ value: "acme", issueCount: 40, workerCount: 40, filter: "tenant.id:acme" });
    expect(tenant?.issueShare).toBeCloseTo(2 / 3, 9);
    expect(tenant?.q).toBeLessThan(1e-6);
    const version = answer.findings.find((f) => f.attribute === "version");
    expect(version?.effect).toBeGreaterThan(0.5);
    expect(version?.interval[0]).toBeGreaterThan(5);
  });

  it("are told once where the same invocations have them", async () => {
    const { findings } = await ask(planted);
    const browser = findings.filter((f) => f.attribute.startsWith("user_agent."));
    expect(browser).toHaveLength(1);
    expect(browser[0]?.alike).toHaveLength(3);
  });

  it("come with filters that find them", async () => {
    for (const { filter, issueCount } of (await ask(planted)).findings) {
      const q = `script:${SCRIPT} issue:${planted} | stats count_distinct(invocation_id)`;
      const having = `script:${SCRIPT} ${filter} | stats count_distinct(invocation_id)`;
      const count = async (text: string) => {
        const response = await call(`/api/v1/query?q=${encodeURIComponent(text)}`, { token: ADMIN });
        return Number(((await response.json()) as QueryAnswer).rows[0]?.[0]);
      };
      expect(await count(q)).toBe(60);
      expect(await count(having), filter).toBeGreaterThanOrEqual(issueCount);
      expect(await count(having), filter).toBeLessThan(660);
    }
  });

  it("are none where an issue meets everyone alike", async () => {
    expect((await ask(even)).findings).toEqual([]);
  });

  it("are none outside the time of its events, and there is no issue 999999", async () => {
    const response = await call(`/api/v1/issues/${planted}/attributes?from=-30d&to=-29d`, { token: ADMIN });
    expect(await response.json()).toMatchObject({ inIssue: 0, inWorker: 0, findings: [] });
    expect((await call("/api/v1/issues/999999/attributes", { token: ADMIN })).status).toBe(404);
  });
});
