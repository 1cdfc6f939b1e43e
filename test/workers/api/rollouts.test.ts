/** The API of rollouts: what reaches the guard, what its answers become, and what is written down. */
import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { AuditAnswer, Rollout, RolloutsAnswer } from "../../../workers/api/contract.ts";
import { database, schema } from "../../../workers/db/client.ts";
import { ADMIN, makeToken } from "./client.ts";
import { apiOf, brokenDatabase, FakeGuard, rolloutOf } from "./rollouts-support.ts";

const json = async <T>(response: Response | Promise<Response>) => (await (await response).json()) as T;
interface ErrorBody {
  error: { code: string; message: string; details?: unknown };
}

async function addRow(rollout: Rollout): Promise<void> {
  const { id, script, state, startedAt, endedAt } = rollout;
  const row = { id, script, state, startedAt, endedAt, revision: 1, row: JSON.stringify(rollout) };
  await database(env.DB).insert(schema.rollouts).values(row);
}

describe("a start", () => {
  it("reaches the guard of that Worker with who asked, and can be read at once", async () => {
    const guard = new FakeGuard();
    const api = apiOf({ "start-shop": guard });
    const { token } = await makeToken("deploy");
    const body = { script: "start-shop", version: "v2", plan: { steps: [{ percent: 10, soakMinutes: 1 }] } };
    const response = await api("POST", "/api/v1/rollouts", { body, token });
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe("/api/v1/rollouts/r-start-shop");
    expect(guard.asked).toEqual([["start", body, expect.stringContaining("a deploy token")]]);
    // The guard of this test has put no row into D1.
    const read = await api("GET", "/api/v1/rollouts/r-start-shop");
    expect(await json(read)).toMatchObject({ rollout: { id: "r-start-shop", startedBy: guard.asked[0]?.[2] } });
  });

  it("leaves a row that the guard was quicker with as it is", async () => {
    await addRow(rolloutOf({ id: "r-quick-shop", script: "quick-shop", state: "failed", endedAt: 5 }));
    await apiOf({ "quick-shop": new FakeGuard() })("POST", "/api/v1/rollouts", {
      body: { script: "quick-shop", version: "v2" },
    });
    const listed = await json<RolloutsAnswer>(apiOf({})("GET", "/api/v1/rollouts?script=quick-shop"));
    expect(listed.rollouts).toMatchObject([{ state: "failed", endedAt: 5 }]);
  });

  it("is answered also while D1 is away: the guard has begun", async () => {
    const api = apiOf({ "away-shop": new FakeGuard() });
    const body = { script: "away-shop", version: "v2" };
    const response = await api("POST", "/api/v1/rollouts", { body, db: brokenDatabase });
    expect(response.status).toBe(201);
    expect(await json<Rollout>(response)).toMatchObject({ id: "r-away-shop" });
  });

  it("that is asked for twice with one id is the same rollout, also when that is over", async () => {
    const guard = new FakeGuard();
    const api = apiOf({ "twice-shop": guard });
    const id = crypto.randomUUID();
    const body = { id, script: "twice-shop", version: "v2" };
    expect((await api("POST", "/api/v1/rollouts", { body })).status).toBe(201);
    guard.rollouts.set(id, { ...(guard.rollouts.get(id) as Rollout), state: "rolled_back", endedAt: 9 });
    const again = await api("POST", "/api/v1/rollouts", { body });
    expect([again.status, await json<Rollout>(again)]).toMatchObject([200, { id, state: "rolled_back" }]);
    expect(guard.asked).toHaveLength(1);
    const elsewhere = await api("POST", "/api/v1/rollouts", { body: { ...body, script: "thrice-shop" } });
    expect(elsewhere.status).toBe(400);
  });

  it("that meets a running rollout names it, for who asks again after a lost answer", async () => {
    const guard = new FakeGuard();
    guard.running = "r-first";
    guard.refusal = { code: "rollout_running", message: "A rollout runs already." };
    const response = await apiOf({ shop: guard })("POST", "/api/v1/rollouts", {
      body: { script: "shop", version: "v2" },
    });
    expect(response.status).toBe(409);
    expect((await json<ErrorBody>(response)).error).toEqual({
      code: "rollout_running",
      message: "A rollout runs already.",
      details: { rollout: "r-first" },
    });
  });

  it.each([
    ["not_connected", 409],
    ["rollout_running", 409],
    ["ended", 409],
    ["preflight_failed", 422],
    ["bad_request", 400],
    ["not_found", 404],
    ["cloudflare", 424],
  ] as const)("that the guard refuses with %s is %i", async (code, status) => {
    const guard = new FakeGuard();
    guard.refusal = { code, message: "Do this." };
    const response = await apiOf({ shop: guard })("POST", "/api/v1/rollouts", {
      body: { script: "shop", version: "v2" },
    });
    expect([response.status, (await json<ErrorBody>(response)).error]).toEqual([status, { code, message: "Do this." }]);
  });

  it.each([
    [{}, "script"],
    [{ script: "shop" }, "version"],
    [{ script: "shop", version: "v2", plans: {} }, "plans"],
    [{ script: "shop", version: "v2", force: "yes" }, "force"],
    [{ script: "shop", version: "v2", plan: { steps: [] } }, "plan.steps"],
    [{ script: "shop", version: "v2", plan: { steps: [{ percent: 0, soakMinutes: 1 }] } }, "plan.steps.0.percent"],
    [{ script: "shop", version: "v2", plan: { steps: [{ percent: 101, soakMinutes: 1 }] } }, "plan.steps.0.percent"],
    [{ script: "shop", version: "v2", plan: { steps: [{ percent: 5 }] } }, "plan.steps.0.soakMinutes"],
    [{ script: "shop", version: "v2", plan: { mode: "watch" } }, "plan.mode"],
    [{ script: "shop", version: "v2", plan: { minSamples: 0.5 } }, "plan.minSamples"],
    [{ script: "shop", version: "v2", plan: { gates: { error: null } } }, "plan.gates.error"],
    [{ script: "shop", version: "v2", plan: { gates: { errors: { minEffect: 5 } } } }, "plan.gates.errors.minEffect"],
    [
      { script: "shop", version: "v2", plan: { gates: { cpu: { quantile: 99, tolerance: 1, minMs: 1 } } } },
      "plan.gates.cpu.quantile",
    ],
  ])("of %j is refused, with the place that does not fit", async (body, path) => {
    const guard = new FakeGuard();
    const response = await apiOf({ shop: guard })("POST", "/api/v1/rollouts", { body });
    expect(response.status).toBe(400);
    const { details } = (await json<ErrorBody>(response)).error as { details: { path: string }[] };
    expect(details.map((detail) => detail.path)).toContain(path);
    expect(guard.asked).toEqual([]);
  });

  it("may leave gates out one by one, or ask for none", async () => {
    const guard = new FakeGuard();
    const gates = { errors: null, duration: null, queries: [{ name: "paid", filter: "level:error", minEffect: 0.01 }] };
    const body = { script: "shop", version: "v2", plan: { gates } };
    const response = await apiOf({ shop: guard })("POST", "/api/v1/rollouts/preflight", { body });
    expect(response.status).toBe(200);
    expect(guard.asked).toEqual([["preflight", body]]);
  });
});

describe("a command", () => {
  it.each(["promote", "pause", "resume", "abort"])(
    "%s reaches the guard and the audit log, with its reason",
    async (verb) => {
      const guard = new FakeGuard();
      const rollout = rolloutOf({ id: `r-${verb}`, script: "steered" });
      guard.rollouts.set(rollout.id, rollout);
      await addRow(rollout);
      const api = apiOf({ steered: guard });
      const response = await api("POST", `/api/v1/rollouts/r-${verb}/${verb}`, {
        body: { reason: "the pager\nwent off" },
      });
      expect(response.status).toBe(200);
      expect(guard.asked).toMatchObject([[verb, `r-${verb}`, { reason: "the pager went off" }, expect.any(String)]]);
      const { rows } = await json<AuditAnswer>(api("GET", "/api/v1/audit?limit=1"));
      expect(rows).toMatchObject([
        {
          action: `rollout.${verb}`,
          target: `steered r-${verb}`,
          detail: { version: "v2", reason: "the pager went off" },
        },
      ]);
    },
  );

  it("needs no body", async () => {
    const guard = new FakeGuard();
    const rollout = rolloutOf({ id: "r-bare", script: "bare" });
    guard.rollouts.set(rollout.id, rollout);
    const response = await apiOf({ bare: guard })("POST", "/api/v1/rollouts/r-bare/abort?script=bare");
    expect(response.status).toBe(200);
  });

  it("to take back works while D1 is away, when the Worker is named", async () => {
    const guard = new FakeGuard();
    guard.rollouts.set("r-dark", rolloutOf({ id: "r-dark", script: "dark" }));
    const path = "/api/v1/rollouts/r-dark/abort?script=dark";
    const response = await apiOf({ dark: guard })("POST", path, { body: {}, db: brokenDatabase });
    expect(response.status).toBe(200);
    expect(guard.asked).toMatchObject([["abort", "r-dark", {}, expect.any(String)]]);
  });

  it("with a percentage is a promotion only", async () => {
    const api = apiOf({ shop: new FakeGuard() });
    const response = await api("POST", "/api/v1/rollouts/r-1/pause?script=shop", { body: { percent: 5 } });
    expect(response.status).toBe(400);
  });

  it("of a rollout that nobody knows is 404", async () => {
    const api = apiOf({});
    for (const path of ["/api/v1/rollouts/r-none", "/api/v1/rollouts/r-none?script=shop"])
      expect((await api("GET", path)).status).toBe(404);
    expect((await api("POST", "/api/v1/rollouts/r-none/abort", { body: {} })).status).toBe(404);
    expect((await api("GET", "/api/v1/rollouts/r%20none")).status).toBe(400);
  });

  it("is refused to who may only read", async () => {
    const { token } = await makeToken("read");
    const guard = new FakeGuard();
    const api = apiOf({ shop: guard });
    for (const verb of ["promote", "pause", "resume", "abort"])
      expect((await api("POST", `/api/v1/rollouts/r-1/${verb}?script=shop`, { body: {}, token })).status).toBe(403);
    expect((await api("POST", "/api/v1/rollouts", { body: { script: "shop", version: "v2" }, token })).status).toBe(
      403,
    );
    expect(guard.asked).toEqual([]);
  });
});

describe("the list", () => {
  it("is newest first, by Worker and state, in pages", async () => {
    const made = [
      rolloutOf({ id: "r-a", script: "listed", startedAt: 1_000, endedAt: 1_500, state: "promoted" }),
      rolloutOf({ id: "r-b", script: "listed", startedAt: 2_000, endedAt: 2_500, state: "rolled_back" }),
      rolloutOf({ id: "r-c", script: "listed", startedAt: 3_000, state: "paused" }),
      rolloutOf({ id: "r-d", script: "other", startedAt: 4_000, state: "running" }),
    ];
    for (const rollout of made) await addRow(rollout);
    const api = apiOf({});
    const ids = async (query: string) => {
      const answer = await json<RolloutsAnswer>(api("GET", `/api/v1/rollouts?${query}`));
      return [answer.rollouts.map(({ id }) => id), answer.next];
    };
    expect(await ids("script=listed")).toEqual([["r-c", "r-b", "r-a"], undefined]);
    expect(await ids("script=listed&limit=2")).toEqual([["r-c", "r-b"], 2_000]);
    expect(await ids("script=listed&limit=2&before=2000")).toEqual([["r-a"], undefined]);
    expect(await ids("script=listed&state=running")).toEqual([["r-c"], undefined]);
    expect(await ids("script=listed&state=ended")).toEqual([["r-b", "r-a"], undefined]);
    expect(await ids("script=listed&state=promoted")).toEqual([["r-a"], undefined]);
  });

  it("does not tear apart what began at the same moment", async () => {
    for (const id of ["r-t1", "r-t2", "r-t3"]) await addRow(rolloutOf({ id, script: "ties", startedAt: 9_000 }));
    const answer = await json<RolloutsAnswer>(apiOf({})("GET", "/api/v1/rollouts?script=ties&limit=1"));
    expect([answer.rollouts.length, answer.next]).toEqual([3, undefined]);
  });

  it("refuses a state that there is not", async () => {
    expect((await apiOf({})("GET", "/api/v1/rollouts?state=good", { token: ADMIN })).status).toBe(400);
  });
});

describe("names that are made up", () => {
  it("make no guard when somebody reads", async () => {
    const guard = new FakeGuard();
    guard.rollouts.set("r-m", rolloutOf({ id: "r-m", script: "made-up" }));
    const api = apiOf({ "made-up": guard });
    for (const path of ["/api/v1/rollouts/r-m", "/api/v1/rollouts/r-m/evidence"])
      expect((await api("GET", `${path}?script=made-up`)).status).toBe(404);
    await addRow(rolloutOf({ id: "r-m", script: "made-up" }));
    expect((await api("GET", "/api/v1/rollouts/r-m?script=made-up")).status).toBe(200);
  });
});

describe("the evidence", () => {
  it("is Markdown, or JSON for who asks for it", async () => {
    const guard = new FakeGuard();
    const rollout = rolloutOf({ id: "r-e", script: "shown" });
    guard.rollouts.set("r-e", rollout);
    await addRow(rollout);
    const api = apiOf({ shown: guard });
    const path = "/api/v1/rollouts/r-e/evidence?script=shown";
    const markdown = await api("GET", path);
    expect(markdown.headers.get("content-type")).toBe("text/markdown; charset=utf-8");
    expect(markdown.headers.get("content-disposition")).toContain("rollout-r-e.md");
    expect(await markdown.text()).toContain("# Rollout of `shown`: running");
    const asJson = await api("GET", path, { headers: { accept: "application/json" } });
    expect(await json(asJson)).toMatchObject({ rollout: { id: "r-e" }, events: [], judgement: null, issues: [] });
  });
});
