import fc from "fast-check";
import { expect, it } from "vitest";
import type { Item, SendResult } from "../../../workers/integrations/contract.ts";
import { again, failureOf, refused, textOf, World } from "./courier-support.ts";

/**
 * Any sequence of what may happen to a destination, and then a receiver that is
 * well: everything that was logged arrives or is a dead letter. A receiver that
 * goes by ids has each once; and where the receiver's answer came, nothing is sent
 * a second time at all.
 */
type Step =
  | { do: "log"; script: "a" | "b"; n: number; together: boolean }
  | { do: "behave"; how: How }
  | { do: "pass"; ms: number }
  | { do: "evict" | "pause" | "resume" | "edit" | "edit that nobody tells" };

const HOWS = ["ok", "500", "unreachable", "before", "after", "429", "refuse one", "partial", "hold", "throws"] as const;
type How = (typeof HOWS)[number];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("log" as const),
      script: fc.constantFrom("a" as const, "b" as const),
      n: fc.integer({ min: 1, max: 30 }),
      together: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("behave" as const), how: fc.constantFrom(...HOWS) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 120_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("evict", "pause", "resume", "edit", "edit that nobody tells"),
    }),
  },
);

/** The receiver's side: which items it has taken, how often, and whether it said so. */
class Ledger {
  how: How = "ok";
  taken = new Map<string, number>();
  /** Ids that were taken while the answer said so, or said nothing of them. */
  answered = new Set<string>();
  doubledAfterAnswer: string[] = [];

  receive(items: readonly Item[]): SendResult | Promise<never> {
    switch (this.how) {
      case "ok":
        return { outcomes: items.map((item) => this.take(item, true)), requests: 1 };
      case "500":
        return again(items, failureOf("unavailable"));
      case "unreachable":
      case "before":
        return again(items, failureOf(this.how === "before" ? "timeout" : "unreachable"));
      case "after":
        for (const item of items) this.take(item, false);
        return again(items, failureOf("timeout"));
      case "429":
        return again(items, failureOf("rate_limited", { status: 429, retryAfterMs: 5_000 }));
      case "refuse one":
        if (items.some((item) => textOf(item).endsWith("7"))) return refused(items);
        return { outcomes: items.map((item) => this.take(item, true)), requests: 1 };
      case "partial":
        return {
          outcomes: items.map((item, i) => (i % 3 === 1 ? { again: failureOf("unavailable") } : this.take(item, true))),
          requests: 1,
        };
      case "hold":
        return again(items, failureOf("unauthorized", { status: 401 }));
      case "throws":
        return Promise.reject(new Error("a bug of the integration"));
    }
  }

  private take(item: Item, isAnswered: boolean): "delivered" {
    if (this.answered.has(item.id)) this.doubledAfterAnswer.push(textOf(item));
    if (isAnswered) this.answered.add(item.id);
    this.taken.set(textOf(item), (this.taken.get(textOf(item)) ?? 0) + 1);
    return "delivered";
  }
}

async function play(steps: readonly Step[], { ordered, fails }: { ordered: boolean; fails: boolean }): Promise<void> {
  const world = new World({ ordered });
  const ledger = new Ledger();
  const other = new Ledger();
  if (fails) world.addFailover();
  world.failover.behave = (items) => other.receive(items);
  world.receiver.behave = (items) => ledger.receive(items);
  await world.start();
  const logged: string[] = [];
  for (const each of steps) {
    if (each.do === "log") {
      const texts = Array.from({ length: each.n }, (_, i) => `${each.script} ${logged.length + i}`);
      logged.push(...texts);
      if (each.together) world.logTogether(each.script, texts);
      else world.log(each.script, texts);
      await world.nudge(each.script);
      await world.settle();
    } else if (each.do === "behave") ledger.how = each.how;
    else if (each.do === "pass") await world.settle(each.ms);
    else if (each.do === "evict") await world.evict();
    else {
      const isEdit = each.do === "edit" || each.do === "edit that nobody tells";
      world.row = isEdit ? { values: {} } : { state: each.do === "pause" ? "paused" : "enabled" };
      if (each.do !== "edit that nobody tells") await world.stub.refresh(world.id);
      await world.settle();
    }
  }
  ledger.how = "ok";
  world.row = { state: "enabled" };
  await world.stub.refresh(world.id);
  await world.settle(600_000);
  const { deadLetters } = await world.stub.deadLetters({ limit: 1_000 });
  const dead = deadLetters.map(({ title }) => title);
  expect([...new Set([...ledger.taken.keys(), ...dead])].sort()).toEqual([...logged].sort());
  expect(dead.filter((title) => ledger.answered.has(title))).toEqual([]);
  expect(ledger.doubledAfterAnswer).toEqual([]);
  // Nor at the other one, which is well all the time.
  expect(other.doubledAfterAnswer).toEqual([]);
  const health = await world.stub.health();
  expect(health).toMatchObject({
    queued: 0,
    delivered: logged.length - dead.length,
    deadLetters: dead.length,
    lost: 0,
  });
}

const RUNS = 60;

const KINDS = [
  { title: "one that takes items in any order", ordered: false, fails: false },
  { title: "one that takes them in their order", ordered: true, fails: false },
  { title: "one with a failover", ordered: false, fails: true },
];

it.each(KINDS)("$title: whatever happens, nothing is lost, and nothing doubled that was answered for", async (kind) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => play(steps, kind)),
    { numRuns: RUNS, endOnFailure: true },
  );
});
