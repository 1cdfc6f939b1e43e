import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Ceiling } from "../../../../workers/delivery/rules/ceiling.ts";

const at = (minute: number, second = 0) => (minute * 60 + second) * 1_000_000;

describe("a ceiling", () => {
  it("lets so many pass per minute of the events' own time, in whatever order they come", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        (minutes, most) => {
          const ceiling = new Ceiling(most);
          const passed = minutes.filter((minute, i) => ceiling.admits(at(minute, i % 60)));
          for (const minute of new Set(minutes)) {
            const all = minutes.filter((one) => one === minute).length;
            expect(passed.filter((one) => one === minute)).toHaveLength(Math.min(all, most));
          }
        },
      ),
    );
  });

  it("goes on from its state, as JSON, as if nothing had been between", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 100 }), fc.nat(100), (minutes, cut) => {
        const whole = new Ceiling(3);
        const first = new Ceiling(3);
        const expected = minutes.map((minute) => whole.admits(at(minute)));
        const before = minutes.slice(0, cut).map((minute) => first.admits(at(minute)));
        const second = new Ceiling(3, JSON.parse(JSON.stringify(first.state())));
        expect([...before, ...minutes.slice(cut).map((minute) => second.admits(at(minute)))]).toEqual(expected);
      }),
    );
  });

  it("keeps the counts of a day of minutes at most: the oldest go", () => {
    const ceiling = new Ceiling(1);
    for (let minute = 0; minute < 5_000; minute++) ceiling.admits(at(minute));
    expect(ceiling.state()).toHaveLength(1_440);
    expect(ceiling.state()[0]).toEqual([3_560, 1]);
    expect(ceiling.admits(at(4_999))).toBe(false);
  });

  it("that is none lets everything pass and keeps nothing", () => {
    const ceiling = new Ceiling(null, [[1, 5]]);
    expect(ceiling.admits(at(1))).toBe(true);
    expect(ceiling.state()).toEqual([]);
  });
});
