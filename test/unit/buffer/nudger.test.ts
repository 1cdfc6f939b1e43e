/** Telling the queue that there is something: seldom, only while somebody wants to know, and at no append's cost. */
import { describe, expect, it, vi } from "vitest";
import { NUDGE_ERRORS_MS, NUDGE_MS } from "../../../workers/buffer/limits.ts";
import type { Meta } from "../../../workers/buffer/meta.ts";
import { Nudger } from "../../../workers/buffer/nudger.ts";
import type { Nudge } from "../../../workers/delivery/contract.ts";

/** The time, and the Ingester's alarm, which asks when there may be something to tell. */
class Clock {
  at = 1_000_000;
  nudger: Nudger | undefined;
  now = () => this.at;
  async pass(ms: number): Promise<void> {
    const end = this.at + ms;
    await settled();
    for (;;) {
      const dueAt = this.nudger?.dueAt ?? Number.POSITIVE_INFINITY;
      if (dueAt > end) break;
      this.at = Math.max(this.at, dueAt);
      void this.nudger?.run();
      await settled();
    }
    this.at = end;
  }
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

function nudger(send: (nudge: Nudge) => Promise<unknown> = async () => {}) {
  const values = new Map<string, string>();
  const meta = {
    get: (key: string) => values.get(key) ?? "",
    set: (key: string, value: string) => values.set(key, value),
  } as unknown as Meta;
  const clock = new Clock();
  const sent: (Nudge & { at: number })[] = [];
  let told = 0;
  const make = () => {
    clock.nudger = new Nudger({
      ...{ meta, now: clock.now, shard: "shop#1", script: () => "shop" },
      due: () => {
        told += 1;
      },
      send: (nudge) => {
        sent.push({ ...nudge, at: clock.at });
        return send(nudge);
      },
    });
    return clock.nudger;
  };
  return { make, clock, sent, asked: () => told };
}

describe("Nudger", () => {
  it("says nothing while there are no destinations", async () => {
    const { make, clock, sent } = nudger();
    make().note(true);
    await clock.pass(60_000);
    expect(sent).toEqual([]);
  });

  it("a shard that is new tells of its first events as soon as it hears of destinations", async () => {
    const { make, clock, sent } = nudger();
    const one = make();
    one.note(true);
    await clock.pass(500);
    one.learn(true);
    await clock.pass(0);
    expect(sent).toMatchObject([{ errors: true, at: clock.at }]);
  });

  it("tells of the first append at once, then of all that follow together", async () => {
    const { make, clock, sent } = nudger();
    const one = make();
    one.learn(true);
    const start = clock.at;
    for (let n = 0; n < 100; n++) {
      one.note(false);
      await clock.pass(100);
    }
    await clock.pass(60_000);
    expect(sent.map(({ at }) => at - start)).toEqual([0, NUDGE_MS, 2 * NUDGE_MS]);
    expect(sent[0]).toMatchObject({ kind: "log", shard: "shop#1", script: "shop", errors: false });
  });

  it("is quicker with errors, and says that there are some", async () => {
    const { make, clock, sent } = nudger();
    const one = make();
    one.learn(true);
    const start = clock.at;
    one.note(false);
    await clock.pass(500);
    one.note(false);
    one.note(true);
    one.note(false);
    await clock.pass(60_000);
    expect(sent.map((nudge) => [nudge.at - start, (nudge as { errors?: boolean }).errors])).toEqual([
      [0, false],
      [NUDGE_ERRORS_MS, true],
    ]);
  });

  it("remembers over a restart that there are destinations, and forgets them when D1 says so", async () => {
    const { make, sent } = nudger();
    make().learn(true);
    make().note(false);
    expect(sent).toHaveLength(1);
    make().learn(false);
    make().note(false);
    expect(sent).toHaveLength(1);
  });

  it("goes on after a queue that fails, and never throws", async () => {
    const { make, clock, sent } = nudger(() => Promise.reject(new Error("the queue is away")));
    const one = make();
    one.learn(true);
    one.note(false);
    await settled();
    one.note(false);
    await clock.pass(NUDGE_MS);
    expect(sent).toHaveLength(2);
  });

  it("sets no timer, which would keep the object awake: it says when it is due, and is asked then, or with an append", async () => {
    const timers = vi.spyOn(globalThis, "setTimeout");
    const { make, clock, sent, asked } = nudger();
    const one = make();
    one.learn(true);
    one.note(false);
    await settled();
    expect(one.dueAt).toBeUndefined();
    timers.mockClear();
    one.note(false);
    await settled();
    expect([one.dueAt, sent.length]).toEqual([clock.at + NUDGE_MS, 1]);
    expect(timers).not.toHaveBeenCalled();
    timers.mockRestore();
    expect(asked()).toBeGreaterThan(0);
    clock.at += NUDGE_MS;
    one.note(false);
    await settled();
    expect([one.dueAt, sent.length]).toEqual([undefined, 2]);
  });

  it("is due again after a message that took long, when more came meanwhile", async () => {
    const answers: (() => void)[] = [];
    const { make, clock, sent, asked } = nudger(() => new Promise<void>((resolve) => answers.push(resolve)));
    const one = make();
    one.learn(true);
    one.note(false);
    one.note(true);
    expect(one.dueAt).toBeUndefined();
    const before = asked();
    answers[0]?.();
    await settled();
    expect([one.dueAt, sent.length]).toEqual([clock.at + NUDGE_ERRORS_MS, 1]);
    expect(asked()).toBeGreaterThan(before);
  });

  it("has one message on its way at a time", async () => {
    const { make, clock, sent } = nudger(() => new Promise(() => {}));
    const one = make();
    one.learn(true);
    for (let n = 0; n < 10; n++) {
      one.note(true);
      await clock.pass(NUDGE_ERRORS_MS);
    }
    expect(sent).toHaveLength(1);
  });
});
