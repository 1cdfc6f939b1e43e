import { describe, expect, it } from "vitest";
import { askedMs, backoffMs, holdMs } from "../../../../workers/delivery/courier/backoff.ts";
import {
  allows,
  askedToWait,
  type Breaker,
  CLOSED,
  failedOnce,
  probing,
  succeeded,
} from "../../../../workers/delivery/courier/breaker.ts";

const NOW = 1_000_000;

const failed = (times: number, breaker: Breaker = CLOSED): Breaker =>
  Array.from({ length: times }).reduce<Breaker>((before) => failedOnce(before, NOW, 0.5, 0), breaker);

describe("back-off", () => {
  it("doubles its ceiling from one second to half a minute, and is anywhere below it", () => {
    expect([1, 2, 3, 4, 5, 6, 60].map((n) => backoffMs(n, 1))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
    expect([1, 6].map((n) => backoffMs(n, 0))).toEqual([500, 500]);
  });

  it("asks ever more seldom where only a person can mend it", () => {
    expect([0, 1, 10].map((n) => holdMs(n, 1))).toEqual([15_000, 30_000, 300_000]);
  });

  it("waits as long as a receiver asks, an hour at most", () => {
    expect([undefined, -1, Number.NaN, 90_000, 1e12].map(askedMs)).toEqual([0, 0, 0, 90_000, 3_600_000]);
  });
});

describe("the circuit", () => {
  it("opens after five failures in a row", () => {
    expect(failed(4).state).toBe("closed");
    expect(failed(5)).toMatchObject({ state: "open", openedAt: NOW });
  });

  it("opens when half of the newest sends fail, though none in a row", () => {
    let breaker = CLOSED;
    for (let n = 0; n < 5; n++) breaker = failed(1, succeeded(breaker, 20));
    expect(breaker.state).toBe("open");
  });

  it("counts late answers as half a failure, and alone they do not open it", () => {
    let late = CLOSED;
    for (let n = 0; n < 30; n++) late = succeeded(late, 9_000);
    expect(late.state).toBe("closed");
    expect(failed(1, late).state).toBe("open");
  });

  it("lets one probe through when its time has come, and is closed by it", () => {
    const open = failed(5);
    expect(allows(open, open.until - 1, 0)).toBe("wait");
    expect(allows(open, open.until, 1)).toBe("wait");
    expect(allows(open, open.until, 0)).toBe("probe");
    const half = probing(open);
    expect(failedOnce(half, NOW, 0.5, 0)).toMatchObject({ state: "open", openedAt: NOW });
    expect(succeeded(half, 20)).toMatchObject({ state: "closed", failures: 0, openedAt: null });
  });

  it("begins with one batch at a time after trouble, and doubles", () => {
    const well = succeeded(probing(failed(5)), 20);
    expect([well, succeeded(well, 20), succeeded(succeeded(well, 20), 20)].map(({ width }) => width)).toEqual([
      1, 2, 4,
    ]);
  });

  it("waits as it is asked to, and not less because of what follows", () => {
    const asked = askedToWait(CLOSED, NOW, 60_000);
    expect(allows(asked, NOW + 59_999, 0)).toBe("wait");
    expect(failedOnce(asked, NOW, 0, 0).until).toBe(NOW + 60_000);
    expect(allows(asked, NOW + 60_000, 0)).toBe("send");
  });
});
