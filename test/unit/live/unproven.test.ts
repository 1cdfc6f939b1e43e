/** How much of what was sent counts as unread: little of a healthy tail, soon too much of a flood. */
import { describe, expect, it } from "vitest";
import { UNPROVEN_CHARS, UNPROVEN_OWN_CHARS } from "../../../workers/live/limits.ts";
import { Room, Unproven } from "../../../workers/live/unproven.ts";

const NOW = 1_795_300_000_000;

/** Seconds until tails of so many characters a second each are too much together; undefined: not within an hour. */
function secondsUntilTooMuch(tails: number, charsPerS: number): number | undefined {
  const all = Array.from({ length: tails }, () => new Unproven());
  for (let second = 0; second < 3_600; second++) {
    for (let part = 0; part < 4; part++) {
      const now = NOW + second * 1_000 + part * 250;
      for (const one of all) one.add(charsPerS / 4, now);
      if (all.reduce((sum, one) => sum + one.at(now), 0) > UNPROVEN_CHARS) return second;
    }
  }
  return undefined;
}

describe("what is not known to have been read", () => {
  it.each([
    [1, 100_000],
    [1, 300_000],
    [3, 100_000],
    [10, 30_000],
  ])("of %d healthy tails with %d characters a second is never too much", (tails, charsPerS) => {
    expect(secondsUntilTooMuch(tails, charsPerS)).toBeUndefined();
  });

  it("of a flood is too much within a minute, and in the beginning every character counts", () => {
    expect(secondsUntilTooMuch(1, 2 << 20)).toBeLessThan(60);
    expect(secondsUntilTooMuch(10, 2 << 20)).toBeLessThan(5);
  });

  it("is not less because the clock goes back", () => {
    const one = new Unproven();
    one.add(100, NOW);
    expect(one.at(NOW - 60_000)).toBe(100);
  });
});

describe("room for what is sent to tails", () => {
  it("is never more than there is, however many read nothing; each has a little of its own", () => {
    const [tails, pushes, chars] = [100, 50, 100_000];
    const unproven = new Array<number>(tails).fill(0);
    const room = new Room();
    for (let push = 0; push < pushes; push++) {
      room.measure(
        unproven.reduce((sum, n) => sum + n, 0),
        tails,
      );
      for (const [k, sent] of unproven.entries()) if (room.takes(chars, sent)) unproven[k] = sent + chars;
    }
    expect(room.isShort).toBe(true);
    expect(unproven.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(UNPROVEN_CHARS + UNPROVEN_OWN_CHARS);
    expect(room.takes(100, 0)).toBe(true);
  });
});
