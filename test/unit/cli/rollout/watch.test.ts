/** Following a rollout, with a platform and a clock of the test's own: ends, exit codes, and bad days. */
import { beforeEach, describe, expect, it } from "vitest";
import { Unreachable } from "../../../../cli/api/client.ts";
import { ApiFailure } from "../../../../cli/api/failures.ts";
import { Output } from "../../../../cli/output.ts";
import type { Rollouts } from "../../../../cli/rollout/platform.ts";
import { watch } from "../../../../cli/rollout/watch.ts";
import type { Rollout, RolloutAnswer, RolloutState } from "../../../../workers/api/contract.ts";
import { FakeClock } from "../tail/fake-stream.ts";
import { answerOf, eventOf } from "./fixtures.ts";

let clock: FakeClock;
let answers: (RolloutAnswer | Error)[];
let out: string;
let err: string;
let interrupt: () => void;
let asked: number;
beforeEach(() => {
  clock = new FakeClock();
  answers = [];
  out = "";
  err = "";
  asked = 0;
  interrupt = () => {};
});

/** The last answer is given for ever. */
const read = async (): Promise<RolloutAnswer> => {
  asked++;
  const next = answers.length > 1 ? answers.shift() : answers[0];
  if (next === undefined || next instanceof Error) throw next ?? new Error("BUG: nothing to answer");
  return next;
};

function start(more: { forMs?: number; json?: boolean; isTTY?: boolean } = {}): Promise<number> {
  const { forMs, json = false, isTTY = false } = more;
  const streams = {
    out: { write: (text: string) => (out += text), isTTY, columns: 100, rows: 30 },
    err: { write: (text: string) => (err += text) },
  };
  return watch(
    { id: "r-1", script: "shop" },
    { watch: true, json, colour: false, ...(forMs === undefined ? {} : { forMs }) },
    {
      rollouts: { url: "https://t.example", read } as unknown as Rollouts,
      output: new Output(streams),
      streams,
      timers: clock,
      onInterrupt(run) {
        interrupt = run;
        return () => {
          interrupt = () => {};
        };
      },
    },
  );
}

const settle = () => new Promise((done) => setImmediate(done));
/** Time passes in small pieces, so that what is asked is answered before the next. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    await settle();
    clock.pass(500);
  }
  await settle();
}
const away = () => new Unreachable("cannot be reached");
const refused = (status: number) => new ApiFailure("no", status, "code");

describe("the end", () => {
  it.each<[RolloutState, number]>([
    ["promoted", 0],
    ["rolled_back", 4],
    ["aborted", 6],
    ["stopped", 6],
    ["failed", 1],
  ])("%s is exit code %i", async (state, code) => {
    answers = [answerOf(), answerOf({ state } as Partial<Rollout>)];
    const ended = start();
    await pass(2_000);
    expect(await ended).toBe(code);
    expect(clock.waiting).toBe(0);
  });

  it("is not waited for longer than --for, and the rollout goes on", async () => {
    answers = [answerOf()];
    const ended = start({ forMs: 60_000 });
    await pass(60_000);
    expect(await ended).toBe(5);
    expect(err).toContain("after 1 min the rollout still runs at 5 %: it goes on");
    expect(clock.waiting).toBe(0);
  });

  it("by Ctrl-C leaves the rollout running, and says so", async () => {
    answers = [answerOf()];
    const ended = start();
    await pass(1_000);
    interrupt();
    expect(await ended).toBe(5);
    expect(err).toContain("goes on at 5 % without you");
    expect(err).toContain("tailrace rollout abort shop");
    expect(clock.waiting).toBe(0);
  });
});

describe("while Tailrace is away", () => {
  it("keeps trying, less and less often, says so once, and goes on where it was", async () => {
    answers = [answerOf(), ...Array.from({ length: 8 }, away), answerOf(), answerOf({ state: "promoted" })];
    const ended = start();
    await pass(120_000);
    expect(await ended).toBe(0);
    expect(err.match(/cannot be reached/g)).toHaveLength(1);
    expect(err).toContain("The rollout goes on without us");
    expect(err).toMatch(/https:\/\/t\.example is back after/);
    expect(out.match(/Started\./g)).toHaveLength(1);
  });

  it.each([429, 500, 502, 503, 408])("takes %i for away", async (status) => {
    answers = [answerOf(), refused(status), answerOf({ state: "promoted" })];
    const ended = start();
    await pass(20_000);
    expect(await ended).toBe(0);
    expect(err).toBe("");
  });

  it("does not believe at once that there is no such rollout", async () => {
    answers = [refused(404), refused(404), answerOf({ state: "promoted" })];
    const ended = start();
    await pass(20_000);
    expect(await ended).toBe(0);
  });

  it.each([401, 403, 404])("gives up when asking again would not help: %i", async (status) => {
    answers = [answerOf(), refused(status)];
    const ended = start();
    const failed = expect(ended).rejects.toThrow("The rollout goes on without us");
    await pass(90_000);
    await failed;
    expect(clock.waiting).toBe(0);
  });

  it("asks no more often than the guard looks", async () => {
    answers = [answerOf()];
    const ended = start();
    await pass(60_000);
    expect(asked).toBeLessThanOrEqual(31);
    interrupt();
    await ended;
  });
});

describe("what is printed", () => {
  it("a line per change, elsewhere than on a terminal", async () => {
    const more = { events: [eventOf(0, "Started."), eventOf(1, "To 25 %.")] };
    answers = [answerOf(), answerOf(), answerOf({ percent: 25 }, more), answerOf({ state: "promoted" }, more)];
    const ended = start();
    await pass(8_000);
    await ended;
    expect(out).toBe("00:16:40  Started.\n00:16:41  To 25 %.\n");
  });

  it("an object per change with --json, on a terminal too", async () => {
    answers = [answerOf(), answerOf(), answerOf({ state: "promoted" })];
    const ended = start({ json: true, isTTY: true });
    await pass(8_000);
    await ended;
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as RolloutAnswer);
    expect(lines.map(({ rollout }) => rollout.state)).toEqual(["running", "promoted"]);
    expect(lines.map(({ events }) => events.length)).toEqual([1, 0]);
  });

  it("a block that is drawn again, on a terminal", async () => {
    answers = [answerOf(), answerOf({ percent: 25, step: 2 }), answerOf({ state: "promoted" })];
    const ended = start({ isTTY: true });
    await pass(8_000);
    await ended;
    expect(out.split("\u001b[6A\r")).toHaveLength(3);
    expect(out).toContain("promoted");
  });
});
