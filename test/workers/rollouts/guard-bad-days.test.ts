/**
 * Days on which Cloudflare, the platform, the clock, D1 or a colleague do what one
 * would not wish. On each of them: nothing is promoted on missing evidence, and
 * nothing is taken back, or promoted, twice.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { DeploymentVersion } from "../../../workers/cloudflare/contract.ts";
import type { RolloutGuard } from "../../../workers/rollouts/guard.ts";
import type { Fault } from "../../support/lying-cloudflare.ts";
import { awayDb, PLAN, TEN_O_CLOCK, World } from "./guard-support.ts";

afterEach(() => vi.restoreAllMocks());

const FAULTS: Fault[] = [
  "rate_limited",
  "server_error",
  "no_connection",
  "unauthorized",
  "timeout_before",
  "timeout_after",
  "error_after",
  "success_without_effect",
];

describe.each(FAULTS)("Cloudflare answers a deployment with %s", (fault) => {
  it("the first step is made once", async () => {
    const world = new World(`start-${fault}`);
    world.cloudflare.next("deploy", fault);
    const { id } = await world.start();
    await world.until(id, ({ state }) => state === "running", 40);
    await world.looks(10);
    expect(world.ours).toEqual([5]);
  });

  it("taking back is done once, within seconds of Cloudflare's return", async () => {
    const world = new World(`back-${fault}`);
    const { id } = await world.start();
    world.cloudflare.next("deploy", fault, fault);
    world.verdict = "worse";
    await world.until(id, ({ state }) => state === "rolled_back", 15);
    await world.looks(40);
    expect(world.ours).toEqual([5, 0]);
  });

  it("a promotion is looked up, and decided anew: not while nothing is known", async () => {
    const world = new World(`on-${fault}`);
    const { id } = await world.start();
    world.cloudflare.next("deploy", fault);
    world.verdict = "not_worse";
    for (let i = 0; i < 60 && world.asked.length < 2; i++) await world.looks(1);
    expect(world.asked).toEqual([5, 50]);
    world.verdict = "unknown";
    await world.looks(30);
    const hadEffect = fault === "timeout_after" || fault === "error_after";
    expect(world.asked).toEqual([5, 50]);
    expect(world.ours).toEqual(hadEffect ? [5, 50] : [5]);
    expect(await world.rollout(id)).toMatchObject({ step: hadEffect ? 1 : 0, state: "running" });
    world.verdict = "not_worse";
    await world.until(id, ({ state }) => state === "promoted");
    expect(world.ours).toEqual([5, 50, 100]);
  });
});

describe.each(["server_error", "timeout_before", "rate_limited", "no_connection"] as Fault[])(
  "Cloudflare answers no reading: %s",
  (fault) => {
    it("holds, and says that it cannot see; the time does not count", async () => {
      const world = new World(`dark-${fault}`);
      const { id } = await world.start();
      world.cloudflare.always("deployments", fault);
      await world.looks(6);
      world.verdict = "not_worse";
      await world.looks(100);
      const page = await world.stub.read(id);
      expect(page?.rollout).toMatchObject({ state: "running", step: 0 });
      expect(page?.blind).toHaveLength(1);
      expect(page?.soak.ms).toBeLessThan(30_000);
      world.cloudflare.heal();
      await world.until(id, ({ step }) => step === 1);
    });

    it("taking back is retried until it works", async () => {
      const world = new World(`patient-${fault}`);
      const { id } = await world.start();
      world.cloudflare.always("deployments", fault).always("deploy", fault);
      world.verdict = "worse";
      await world.looks(200);
      const rollout = await world.rollout(id);
      expect(rollout.state).toBe("running");
      expect(rollout.reason).toContain("The test says worse.");
      expect((await world.stub.read(id))?.blind).not.toEqual([]);
      world.cloudflare.heal();
      await world.until(id, ({ state }) => state === "rolled_back", 40);
      expect(world.ours).toEqual([5, 0]);
    });
  },
);

it("asks less and less often for a step that Cloudflare never makes, and its record does not grow with it", async () => {
  const world = new World("never-made");
  const { id } = await world.start();
  world.cloudflare.always("deploy", "server_error");
  world.verdict = "not_worse";
  await world.looks(1_800);
  expect(world.asked.length).toBeLessThan(100);
  expect(await world.events(id)).not.toHaveLength(0);
  expect((await world.events(id)).length).toBeLessThan(60);
  world.cloudflare.heal();
  await world.until(id, ({ step }) => step === 1, 60);
  expect(world.ours).toEqual([5, 50]);
});

it("a person's promotion never lowers what the guard has reached meanwhile", async () => {
  const world = new World("crossing");
  const steps = [5, 25, 50, 100].map((percent) => ({ percent, soakMinutes: 0 }));
  const { id } = await world.start({ plan: { steps } });
  let reading = 0;
  world.beforeAnswer = async (call) => {
    // The person's preflight is held up until the guard has gone on to 50 %.
    if (call !== "tailConsumers" || reading++ > 0) return;
    world.verdict = "not_worse";
    await world.looks(2);
  };
  const said = await world.stub.command(id, "promote", { percent: 25 }, "kim");
  expect(said).toMatchObject({ ok: false, code: "bad_request" });
  expect(world.asked).toEqual([5, 25, 50]);
});

it("a pause takes back the wish for a step that was not asked for yet", async () => {
  const world = new World("pause-wish");
  const { id } = await world.start();
  world.cloudflare.always("deployments", "server_error");
  await world.stub.command(id, "promote", {}, "kim");
  await world.stub.command(id, "pause", {}, "kim");
  world.cloudflare.heal();
  await world.looks(10);
  expect(await world.rollout(id)).toMatchObject({ state: "paused", percent: 5 });
  expect(world.asked).toEqual([5]);
});

it("reads no sooner than Cloudflare asks it to, also while nothing is to be done", async () => {
  const world = new World("read-later");
  await world.start();
  world.cloudflare.retryAfterMs = 60_000;
  world.cloudflare.always("deployments", "rate_limited");
  await world.looks(6);
  const { length } = world.cloudflare.asked;
  await world.looks(25);
  expect(world.cloudflare.asked).toHaveLength(length);
});

it("waits as long as Cloudflare asks it to", async () => {
  const world = new World("retry-after");
  const { id } = await world.start();
  world.cloudflare.retryAfterMs = 60_000;
  world.cloudflare.next("deploy", "rate_limited");
  world.verdict = "worse";
  await world.looks(1);
  const asked = world.cloudflare.asked.length;
  await world.looks(29);
  expect(world.cloudflare.asked).toHaveLength(asked);
  await world.until(id, ({ state }) => state === "rolled_back", 4);
  expect(world.asked).toEqual([5, 0, 0]);
});

it("a step that nobody confirmed and that comes late is taken back after the end, too", async () => {
  const world = new World("late");
  const { id } = await world.start();
  world.cloudflare.next("deploy", "timeout_before");
  world.verdict = "not_worse";
  for (let i = 0; i < 60 && world.asked.length < 2; i++) await world.looks(1);
  world.verdict = "worse";
  await world.until(id, ({ state }) => state === "rolled_back", 4);
  const late = world.cloudflare.posts(world.script)[1];
  world.cloudflare.act(world.script, late?.versions ?? [], late?.message);
  await world.looks(12);
  expect(world.percent).toBe(0);
  expect(await world.rollout(id)).toMatchObject({ state: "rolled_back", percent: 0 });
});

it.each<Fault | undefined>([undefined, "timeout_after", "error_after", "success_without_effect"])(
  "a step is judged by evidence of its own, also in the look in which it goes live (%s)",
  async (fault) => {
    const world = new World("own-evidence");
    const steps = [5, 25, 50, 100].map((percent) => ({ percent, soakMinutes: 0 }));
    // Ten invocations a second on each version, of which a hundred are asked for.
    world.judge = (_plan, _evidence, _next, since) => {
      const n = since === 0 ? 1_000_000 : 10 * Math.max(world.clock / 1000 - since, 0);
      return { verdict: "not_worse", isDisaster: false, reason: "Good.", gates: [], present: { old: n, new: n } };
    };
    const { id } = await world.start({ plan: { steps, minSamples: 100 } });
    if (fault !== undefined) world.cloudflare.next("deploy", fault);
    await world.until(id, ({ state }) => state === "promoted", 100);
    expect(world.ours).toEqual([5, 25, 50, 100]);
    const made = world.cloudflare
      .history(world.script)
      .map(({ createdAt }) => createdAt)
      .reverse()
      .slice(1);
    for (const [i, at] of made.entries())
      if (i > 0) expect(at - (made[i - 1] as number)).toBeGreaterThanOrEqual(10_000);
  },
);

it.each([
  ["unknown", [], false],
  ["worse", [], false],
  ["not_worse", ["No Ingester answers."], false],
  ["not_worse", [], true],
] as const)(
  "a policy that would promote on %s, blind %j, paused %s is not obeyed",
  async (verdict, blind, isPaused) => {
    const world = new World("mad-policy");
    const { id } = await world.start();
    if (isPaused) await world.stub.command(id, "pause", {}, "kim");
    Object.assign(world, { verdict, blind });
    world.policy = ({ step }) => ({ type: "promote", step: step + 1, reason: "On and on." });
    await world.looks(10);
    expect(world.asked).toEqual([5]);
    Object.assign(world, { verdict: "not_worse", blind: [] });
    if (isPaused) await world.stub.command(id, "resume", {}, "kim");
    await world.looks(1);
    expect(world.asked.slice(0, 2)).toEqual([5, 50]);
  },
);

it("what shows only after a while was made once: it is looked up before it is asked for again", async () => {
  const world = new World("slow-truth");
  const { id } = await world.start();
  world.onPost = () => void world.cloudflare.next("deployments", "stale", "stale");
  world.cloudflare.next("deploy", "timeout_after");
  world.verdict = "worse";
  await world.until(id, ({ state }) => state === "rolled_back", 10);
  await world.looks(40);
  expect(world.asked).toEqual([5, 0]);
});

it("an abort while a step is on its way is carried out right after it", async () => {
  const world = new World("abort-in-between");
  const { id } = await world.start();
  world.verdict = "not_worse";
  let aborted: Promise<unknown> = Promise.resolve();
  world.beforeAnswer = (call) => {
    if (call !== "deploy") return;
    world.beforeAnswer = () => undefined;
    aborted = world.stub.command(id, "abort", {}, "kim");
  };
  await world.until(id, ({ state }) => state === "aborted", 60);
  await aborted;
  await world.looks(40);
  expect(world.ours).toEqual([5, 50, 0]);
});

it("an old answer is no change by somebody else", async () => {
  const world = new World("stale");
  const { id } = await world.start();
  world.cloudflare.always("deployments", "stale");
  await world.looks(10);
  expect(await world.rollout(id)).toMatchObject({ state: "running", step: 0 });
  world.cloudflare.heal();
  world.verdict = "worse";
  await world.until(id, ({ state }) => state === "rolled_back", 10);
  expect(world.ours).toEqual([5, 0]);
});

describe("the object is lost", () => {
  /** What a crash between two steps leaves behind: all that was written so far, and nothing after. */
  async function crashAt(world: World, call: string, work: () => Promise<unknown>): Promise<void> {
    let crashed = false;
    world.beforeAnswer = async (of) => {
      if (of !== call || crashed) return;
      crashed = true;
      await runInDurableObject(world.stub, (_, state) => state.storage.sync());
      throw new CrashError("the object is lost");
    };
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    await work().catch(() => undefined);
    expect(crashed).toBe(true);
    world.beforeAnswer = () => undefined;
    await world.evict();
  }
  class CrashError extends Error {}

  it("in the first step, after it was asked for and before it is remembered", async () => {
    const world = new World("crash-start");
    const id = crypto.randomUUID();
    await crashAt(world, "deploy", () => world.start({ id }));
    await world.until(id, ({ state }) => state === "running", 20);
    await world.looks(10);
    expect(world.asked).toEqual([5]);
  });

  it.each(["deployments", "deploy"])("while it takes back, after %s and before it is remembered", async (call) => {
    const world = new World(`crash-back-${call}`);
    const { id } = await world.start();
    world.verdict = "worse";
    await crashAt(world, call, () => world.looks(1));
    await world.until(id, ({ state }) => state === "rolled_back", 20);
    await world.looks(40);
    expect(world.ours).toEqual([5, 0]);
    expect(world.asked).toEqual([5, 0]);
  });

  it.each(["versions", "deploy"])("while it promotes, after %s and before it is remembered", async (call) => {
    const world = new World(`crash-on-${call}`);
    const { id } = await world.start();
    world.verdict = "not_worse";
    await crashAt(world, call, () => world.until(id, ({ step }) => step === 1, 45));
    await world.looks(20);
    expect(world.ours).toEqual([5, 50]);
    expect(world.asked).toEqual([5, 50]);
  });

  it("at every look: the rollout goes on as if nothing had been", async () => {
    const world = new World("evictions");
    const { id } = await world.start();
    world.verdict = "not_worse";
    for (let i = 0; i < 120 && (await world.rollout(id)).endedAt === null; i++) {
      await world.evict();
      await world.looks(1);
    }
    expect(await world.rollout(id)).toMatchObject({ state: "promoted" });
    expect(world.ours).toEqual([5, 50, 100]);
  });
});

describe("somebody else deploys", () => {
  it("stops, keeps the evidence, and touches nothing", async () => {
    const world = new World("human");
    const { id } = await world.start();
    world.cloudflare.upload(world.script, { id: "hotfix" });
    world.cloudflare.act(world.script, [{ version: "hotfix", percent: 100 }], "Hotfix", "kim@example.com");
    world.verdict = "worse";
    await world.looks(10);
    const rollout = await world.rollout(id);
    expect(rollout.state).toBe("stopped");
    expect(rollout.reason).toContain("kim@example.com deployed hotfix at 100 %");
    expect(world.asked).toEqual([5]);
    expect((await world.events(id)).some(({ kind }) => kind === "decision")).toBe(true);
  });

  it("between the decision and the deed: the deed is not done", async () => {
    const world = new World("human-between");
    const { id } = await world.start();
    world.verdict = "not_worse";
    // Preflight has read; what is live is read again right before posting.
    world.beforeAnswer = (call) => {
      if (call !== "tailConsumers") return;
      world.beforeAnswer = () => undefined;
      world.cloudflare.act(world.script, [{ version: "old", percent: 100 }]);
    };
    await world.until(id, ({ state }) => state === "stopped", 60);
    expect(world.asked).toEqual([5]);
  });

  describe("between our reading and our writing", () => {
    /** Somebody deploys right before ours gets there, once. */
    function collide(world: World, versions: DeploymentVersion[]): void {
      world.onPost = () => {
        world.onPost = () => undefined;
        world.cloudflare.act(world.script, versions, "by hand", "kim@example.com");
      };
    }
    const told = (world: World) =>
      env.DB.prepare("SELECT kind FROM notifications WHERE script = ? ORDER BY id")
        .bind(world.script)
        .all<{ kind: string }>()
        .then(({ results }) => results.map(({ kind }) => kind));

    it.each<[string, DeploymentVersion[]]>([
      ["their rollback", [{ version: "old", percent: 100 }]],
      ["their hotfix", [{ version: "hotfix", percent: 100 }]],
      [
        "their smaller share",
        [
          { version: "old", percent: 90 },
          { version: "new", percent: 10 },
        ],
      ],
    ])("%s is put back at once, and the rollout ends", async (_, versions) => {
      const world = new World("collision");
      world.cloudflare.upload(world.script, { id: "hotfix" });
      const { id } = await world.start();
      collide(world, versions);
      world.verdict = "not_worse";
      const over = await world.until(id, ({ endedAt }) => endedAt !== null, 60);
      expect(over.state).toBe("stopped");
      expect(over.reason).toContain("kim@example.com deployed");
      expect(world.cloudflare.live(world.script)?.versions).toEqual(versions);
      expect(world.asked).toEqual([5, 50, over.percent]);
      await world.looks(40);
      expect(world.cloudflare.live(world.script)?.versions).toEqual(versions);
      expect(await told(world)).toContain("rollout.stopped");
    });

    it("putting it back is tried until it works", async () => {
      const world = new World("collision-outage");
      const { id } = await world.start();
      collide(world, [{ version: "old", percent: 100 }]);
      world.verdict = "not_worse";
      for (let i = 0; i < 60 && world.asked.length < 2; i++) {
        world.cloudflare.heal();
        world.cloudflare.next("deploy", "timeout_after", "server_error", "rate_limited", "timeout_before");
        await world.looks(1);
      }
      await world.until(id, ({ state }) => state === "stopped", 60);
      expect(world.percent).toBe(0);
      expect(world.ours).toEqual([5, 50, 0]);
    });

    it("their larger share is replaced and told: the rollout stops, and does nothing more", async () => {
      const world = new World("collision-up");
      const { id } = await world.start();
      collide(world, [{ version: "new", percent: 100 }]);
      world.verdict = "not_worse";
      await world.until(id, ({ state }) => state === "stopped", 60);
      await world.looks(40);
      expect(world.asked).toEqual([5, 50]);
      expect(await told(world)).toContain("rollout.stopped");
    });

    it("of a take-back: a hotfix is put back, the same rollback is left, and somebody is told", async () => {
      for (const version of ["hotfix", "old"]) {
        const world = new World("collision-back");
        world.cloudflare.upload(world.script, { id: "hotfix" });
        const { id } = await world.start();
        collide(world, [{ version, percent: 100 }]);
        world.verdict = "worse";
        await world.until(id, ({ endedAt }) => endedAt !== null, 10);
        expect(world.cloudflare.live(world.script)?.versions).toEqual([{ version, percent: 100 }]);
        expect((await world.rollout(id)).state).toBe(version === "old" ? "rolled_back" : "stopped");
        expect(await told(world)).toContain("rollout.stopped");
      }
    });
  });

  it("and Cloudflare does not show it yet: what ours replaced is said in the record", async () => {
    const world = new World("human-hidden");
    const { id } = await world.start();
    world.cloudflare.act(world.script, [{ version: "old", percent: 100 }], "by hand", "kim@example.com");
    world.cloudflare.next("deployments", "stale", "stale");
    world.verdict = "worse";
    await world.looks(2);
    expect(await world.rollout(id)).toMatchObject({ state: "rolled_back" });
    const texts = (await world.events(id)).map(({ text }) => text);
    expect(texts.join("\n")).toContain("kim@example.com deployed old at 100 %");
    expect(texts.join("\n")).toContain("ours replaced it");
  });

  it("while Cloudflare does not answer a take-back: what they did stays", async () => {
    const world = new World("human-outage");
    const { id } = await world.start();
    world.cloudflare.always("deploy", "server_error");
    world.verdict = "worse";
    await world.looks(5);
    world.cloudflare.act(world.script, [{ version: "new", percent: 100 }], "We want it");
    world.cloudflare.heal();
    await world.looks(20);
    expect(await world.rollout(id)).toMatchObject({ state: "stopped" });
    expect(world.percent).toBe(100);
    expect(world.ours).toEqual([5]);
  });
});

it("two guards for one Worker: the second start is refused, and nothing is asked twice", async () => {
  const world = new World("twice");
  const request = { script: world.script, version: "new", plan: PLAN };
  const starts = await Promise.all([1, 2, 3].map((n) => world.stub.start(request, `releaser ${n}`)));
  expect(starts.filter(({ ok }) => ok)).toHaveLength(1);
  expect(starts.filter((s) => !s.ok && s.code === "rollout_running")).toHaveLength(2);
  expect(world.asked).toEqual([5]);
});

describe("a version disappears", () => {
  it("the new one: stops, and says so", async () => {
    const world = new World("no-new");
    const { id } = await world.start();
    world.cloudflare.forget(world.script, "new");
    world.verdict = "not_worse";
    const over = await world.until(id, ({ endedAt }) => endedAt !== null, 60);
    expect(over.state).toBe("stopped");
    expect(over.reason).toContain("no version new");
    expect(world.ours).toEqual([5]);
  });

  it("the old one: no step is taken, and what is bad cannot be taken back, in plain words", async () => {
    const world = new World("no-old");
    const { id } = await world.start();
    world.cloudflare.forget(world.script, "old");
    world.verdict = "not_worse";
    await world.looks(60);
    expect(await world.rollout(id)).toMatchObject({ state: "running", step: 0 });
    world.verdict = "worse";
    const over = await world.until(id, ({ endedAt }) => endedAt !== null, 20);
    expect(over.state).toBe("failed");
    expect(over.reason).toContain("The old version cannot come back");
    expect((await world.events(id)).filter(({ answer }) => answer?.ok === false).length).toBeGreaterThan(0);
  });

  it("the Worker itself: ends after more than one such answer", async () => {
    const world = new World("no-worker");
    const { id } = await world.start();
    world.cloudflare.remove(world.script);
    await world.looks(40);
    expect(await world.rollout(id)).toMatchObject({ state: "stopped" });
  });
});

describe("telemetry stops arriving", () => {
  it("holds for as long as it takes: neither promoted nor taken back, and somebody is told once", async () => {
    const world = new World("blind");
    const { id } = await world.start({ plan: { ...PLAN, stepLimitMinutes: 2 } });
    world.blind = ["No Ingester answers."];
    world.hasTraffic = false;
    world.verdict = "not_worse";
    await world.looks(300);
    const page = await world.stub.read(id);
    expect(page?.rollout).toMatchObject({ state: "running", step: 0 });
    expect(page?.blind).toEqual(["No Ingester answers."]);
    expect(page?.soak.ms).toBe(0);
    const told = await env.DB.prepare(
      "SELECT count(*) AS n FROM notifications WHERE script = ? AND kind = 'rollout.held'",
    )
      .bind(world.script)
      .first("n");
    expect(told).toBe(1);
    world.blind = [];
    world.hasTraffic = true;
    await world.until(id, ({ step }) => step === 1, 60);
  });

  it("without an account: holds, says so, and goes on when there is one again", async () => {
    const world = new World("disconnected");
    const { id } = await world.start();
    world.isConnected = false;
    world.verdict = "not_worse";
    await world.looks(100);
    expect((await world.stub.read(id))?.blind[0]).toContain("No Cloudflare account");
    expect(world.asked).toEqual([5]);
    world.isConnected = true;
    await world.until(id, ({ step }) => step === 1, 60);
  });
});

describe("the clock jumps", () => {
  it.each([365 * 86_400_000, -86_400_000])("by %i ms: it neither ends the soak time nor the step", async (jump) => {
    const world = new World("clock");
    const { id } = await world.start();
    world.verdict = "not_worse";
    await world.looks(3);
    world.clock += jump;
    await world.looks(3);
    const page = await world.stub.read(id);
    expect(page?.rollout).toMatchObject({ state: "running", step: 0 });
    expect(page?.soak.ms).toBeLessThan(20_000);
    await world.until(id, ({ step }) => step === 1, 60);
    expect(world.ours).toEqual([5, 50]);
  });

  it("to and fro at every look: what is worse is still taken back, once", async () => {
    const world = new World("clock-storm");
    const { id } = await world.start();
    for (let i = 0; i < 20; i++) {
      world.clock = TEN_O_CLOCK + (i % 2 === 0 ? 1 : -1) * i * 3_600_000;
      await world.looks(1);
    }
    expect(await world.rollout(id)).toMatchObject({ state: "running", step: 0 });
    world.cloudflare.next("deploy", "server_error", "rate_limited");
    world.verdict = "worse";
    await world.until(id, ({ state }) => state === "rolled_back", 20);
    expect(world.ours).toEqual([5, 0]);
  });
});

describe("D1 is away", () => {
  it("the guard acts all the same; the list and who is to be told hear of it later, once", async () => {
    const world = new World("no-d1");
    world.db = awayDb;
    const { id } = await world.start();
    world.verdict = "worse";
    await world.looks(20);
    expect(await world.rollout(id)).toMatchObject({ state: "rolled_back" });
    const row = () => env.DB.prepare("SELECT state FROM rollouts WHERE id = ?").bind(id).first("state");
    expect(await row()).toBe(null);
    await world.evict();
    world.db = env.DB;
    await world.looks(40);
    expect(await row()).toBe("rolled_back");
    const told = await env.DB.prepare("SELECT kind FROM notifications WHERE script = ?").bind(world.script).all();
    expect(told.results).toHaveLength(2);
    expect(world.wakes.at(-1)).toBe(null);
  });

  it("a row that was written without saying so is written once, and never by an older one", async () => {
    const world = new World("d1-lies");
    let lies = 3;
    world.db = {
      prepare: (query: string) => env.DB.prepare(query),
      batch: async (statements: D1PreparedStatement[]) => {
        const results = await env.DB.batch(statements);
        if (lies-- > 0) throw new Error("the answer is lost");
        return results;
      },
    } as unknown as D1Database;
    const { id } = await world.start();
    world.verdict = "worse";
    await world.looks(40);
    const told = await env.DB.prepare("SELECT kind FROM notifications WHERE script = ?").bind(world.script).all();
    expect(told.results).toHaveLength(2);
    const state = await env.DB.prepare("SELECT state FROM rollouts WHERE id = ?").bind(id).first("state");
    expect(state).toBe("rolled_back");
  });
});

it("a look that fails ends nothing: the next one is planned before, and the page says what went wrong", async () => {
  const world = new World("throws");
  const { id } = await world.start();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  world.verdict = "broken" as never;
  const real = world.cloudflare.deployments;
  world.cloudflare.deployments = () => Promise.reject(new Error("a bug of ours"));
  await world.looks(6);
  expect(world.wakes.at(-1)).toBe(2_000);
  expect((await world.stub.read(id))?.blind.join()).toContain("a bug of ours");
  world.cloudflare.deployments = real;
  world.verdict = "worse";
  await world.until(id, ({ state }) => state === "rolled_back", 10);
  await runInDurableObject(world.stub, (guard: RolloutGuard) => guard.alarm());
  expect((await world.stub.read(id))?.blind).toEqual([]);
});
