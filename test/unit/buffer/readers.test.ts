/** Readers of the log give way to appends, for a while. */
import { describe, expect, it } from "vitest";
import { GIVE_WAY_MS } from "../../../workers/buffer/limits.ts";
import { Readers } from "../../../workers/buffer/readers.ts";

/** One clock for all: they count on one isolate. */
let now = 1_000_000;

function burst(readers: Readers, ms: number): void {
  for (const end = now + ms; now < end; now += 50) readers.appended(now, 2_000, 200_000);
}

describe("Readers", () => {
  it("are let in while little is appended", () => {
    const readers = new Readers();
    now += 10_000;
    readers.appended(now, 100, 10_000);
    expect(readers.putsOff("a", now)).toBe(false);
  });

  it("are put off as soon as appends come thick, also by those of another Ingester of the isolate", () => {
    const [busy, idle] = [new Readers(), new Readers()];
    now += 10_000;
    burst(busy, 300);
    expect(busy.use(now)).toBeGreaterThan(1);
    expect(busy.putsOff("a", now)).toBe(true);
    expect(idle.putsOff("a", now)).toBe(true);
  });

  it("are let in again half a second after the last append", () => {
    const readers = new Readers();
    burst(readers, 2_000);
    expect(readers.putsOff("a", now)).toBe(true);
    now += 500;
    expect(readers.putsOff("a", now)).toBe(false);
    expect(readers.use(now)).toBe(0);
  });

  it("are put off for a minute at most, each by itself", () => {
    const readers = new Readers();
    now += 10_000;
    burst(readers, 500);
    expect(readers.putsOff("a", now)).toBe(true);
    burst(readers, GIVE_WAY_MS - 1_000);
    expect(readers.putsOff("a", now)).toBe(true);
    expect(readers.putsOff("b", now)).toBe(true);
    burst(readers, 1_000);
    expect(readers.putsOff("a", now)).toBe(false);
    expect(readers.putsOff("b", now)).toBe(true);
    burst(readers, 5_000);
    expect(readers.putsOff("a", now)).toBe(false);
  });
});
