/** Whatever happens in whatever order: nothing is promoted on missing evidence, nothing is done twice, and nobody is fought. */

import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Verdict } from "../../../workers/api/contract.ts";
import type { Call, Fault } from "../../support/lying-cloudflare.ts";
import { awayDb, PLAN, World } from "./guard-support.ts";

const FAULTS: Fault[] = [
  "rate_limited",
  "server_error",
  "no_connection",
  "unauthorized",
  "refused",
  "timeout_before",
  "timeout_after",
  "error_after",
  "success_without_effect",
  "stale",
];
const CALLS: Call[] = ["deployments", "deploy", "versions", "tailConsumers", "version"];

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("looks" as const), times: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("verdict" as const),
      verdict: fc.constantFrom<Verdict[]>("worse", "not_worse", "not_worse", "unknown"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("fault" as const),
      call: fc.constantFrom(...CALLS),
      fault: fc.constantFrom(...FAULTS),
      always: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("heal" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("evict" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("crash" as const), call: fc.constantFrom(...CALLS) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("blind" as const), isBlind: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("command" as const),
      verb: fc.constantFrom("promote" as const, "pause" as const, "resume" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("abort" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("somebody" as const), percent: fc.constantFrom(0, 30, 100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("jump" as const), hours: fc.integer({ min: -48, max: 48 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("db" as const), isAway: fc.boolean() }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Soaked after a few looks, so that sequences get far. */
const SHORT = { ...PLAN, steps: PLAN.steps.map((s) => ({ ...s, soakMinutes: s.soakMinutes / 10 })) };

/** A rollout with its history, and what must hold of it at every moment. */
class Model {
  readonly world = new World("model");
  id = "";
  /** Percentages that a person asked for. */
  readonly asked = new Set<number>([5]);
  hasSomebody = false;
  isAborted = false;
  /** Cloudflare did not show somebody's change when it was asked, right before a deployment of ours. */
  isHidden = false;
  readonly wrong: string[] = [];

  async begin(): Promise<void> {
    const { world } = this;
    world.onPost = ({ versions }) => {
      const percent = versions.find(({ version }) => version === "new")?.percent ?? 0;
      const read = world.cloudflare.asked.findLast(({ call }) => call === "deployments");
      if (this.hasSomebody && read?.fault === "stale") this.isHidden = true;
      if (percent <= world.percent || this.asked.has(percent)) return;
      if (world.verdict !== "not_worse") this.wrong.push(`${percent} % on verdict ${world.verdict}`);
      if (world.blind.length > 0) this.wrong.push(`${percent} % while blind`);
    };
    this.id = (await world.start({ plan: SHORT })).id;
  }

  async run(s: Step): Promise<void> {
    const { world, id } = this;
    const { cloudflare, script } = world;
    if (s.do === "looks") await world.looks(s.times);
    else if (s.do === "verdict") world.verdict = s.verdict;
    else if (s.do === "fault" && s.always) cloudflare.always(s.call, s.fault);
    else if (s.do === "fault") cloudflare.next(s.call, s.fault);
    else if (s.do === "heal") cloudflare.heal();
    else if (s.do === "evict") await world.evict();
    else if (s.do === "crash") await this.crash(s.call);
    else if (s.do === "blind") world.blind = s.isBlind ? ["No Ingester answers."] : [];
    else if (s.do === "jump") world.clock += s.hours * 3_600_000;
    else if (s.do === "db") world.db = s.isAway ? awayDb : env.DB;
    else if (s.do === "abort") this.isAborted = (await world.stub.command(id, "abort", {}, "kim")).ok || this.isAborted;
    else if (s.do === "command") await this.command(s.verb);
    else if (s.do === "somebody") {
      const { percent } = s;
      cloudflare.act(
        script,
        [
          { version: "old", percent: 100 - percent },
          { version: "new", percent },
        ],
        "by hand",
      );
      this.hasSomebody = true;
    }
  }

  private async command(verb: "promote" | "pause" | "resume"): Promise<void> {
    const { step: at } = await this.world.rollout(this.id);
    // Before: the answer comes only after the deed.
    const wanted = PLAN.steps[at + 1]?.percent;
    const had = wanted !== undefined && this.asked.has(wanted);
    if (verb === "promote" && wanted !== undefined) this.asked.add(wanted);
    const said = await this.world.stub.command(this.id, verb, {}, "kim");
    if (!said.ok && !had && wanted !== undefined) this.asked.delete(wanted);
  }

  /** The object is lost while it waits for an answer that it then never hears. */
  private async crash(call: Call): Promise<void> {
    const { world } = this;
    world.beforeAnswer = (of) => {
      if (of !== call) return;
      world.beforeAnswer = () => undefined;
      throw new Error("the object is lost");
    };
    await world.looks(1);
    world.beforeAnswer = () => undefined;
    await world.evict();
  }

  check(): void {
    const { world } = this;
    expect(this.wrong).toEqual([]);
    const { ours } = world;
    expect(ours.filter((percent) => percent === 0).length, "taken back once").toBeLessThanOrEqual(1);
    expect(new Set(ours).size, `each step once: ${ours}`).toBe(ours.length);
    const up = ours.filter((percent) => percent > 0);
    expect(up, "steps go up").toEqual([...up].sort((a, b) => a - b));
    if (ours.includes(0)) expect(ours.at(-1), "nothing follows a take-back").toBe(0);
    const history = world.cloudflare.history(world.script);
    const somebody = history.findIndex(({ message }) => message === "by hand");
    const after =
      somebody === -1 ? [] : history.slice(0, somebody).filter(({ message }) => message.startsWith("Tailrace "));
    if (!this.isHidden) expect(after, "nothing of ours after somebody else's change").toEqual([]);
  }
}

beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterAll(() => vi.restoreAllMocks());

it("keeps to its promises over any sequence of faults, evictions, crashes, jumps, commands and colleagues", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 30 }), async (steps) => {
      const model = new Model();
      const { world } = model;
      await model.begin();
      for (const s of steps) {
        await model.run(s);
        model.check();
      }
      // When all is well again, what is bad is taken back, and what was told is done.
      world.cloudflare.heal();
      world.blind = [];
      world.db = env.DB;
      world.verdict = "worse";
      const over = await world.until(model.id, ({ endedAt }) => endedAt !== null, 200);
      model.check();
      if (model.hasSomebody || over.state === "promoted") return;
      if (over.state !== "stopped" && over.state !== "failed") expect(world.percent).toBe(0);
    }),
    { numRuns: 60 },
  );
}, 240_000);
