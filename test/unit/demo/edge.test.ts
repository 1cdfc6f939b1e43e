/** How the local edge splits traffic between versions, and how the generator paces it. */
import { describe, expect, test } from "vitest";
import { pickVersion } from "../../../demo/edge/traffic/pick.ts";
import { requestsPerSecond } from "../../../demo/traffic/pace.ts";
import { createRandom } from "../../../demo/traffic/random.ts";
import { visitorAt } from "../../../demo/traffic/visitors.ts";
import { planVisit } from "../../../demo/traffic/visits.ts";

const SHARES = [
  { version_id: "a", percentage: 90 },
  { version_id: "b", percentage: 10 },
];
const wish = (part: { key?: string; override?: string }) => ({ script: "shop", key: null, override: null, ...part });

describe("a version is picked", () => {
  test("by percentage", () => {
    expect(pickVersion(SHARES, wish({}), () => 0)).toBe("a");
    expect(pickVersion(SHARES, wish({}), () => 0.8999)).toBe("a");
    expect(pickVersion(SHARES, wish({}), () => 0.9)).toBe("b");
  });

  test("by key: always the same one, in the deployment's proportions", () => {
    const picked = Array.from({ length: 5_000 }, (_, n) => pickVersion(SHARES, wish({ key: `s-${n}` })));
    const again = Array.from({ length: 5_000 }, (_, n) => pickVersion(SHARES, wish({ key: `s-${n}` })));
    expect(again).toEqual(picked);
    const share = picked.filter((id) => id === "b").length / picked.length;
    expect(share).toBeGreaterThan(0.07);
    expect(share).toBeLessThan(0.13);
  });

  test("by key, for each Worker by itself: who has the new version of one has that of another by chance", () => {
    const quarter = [
      { version_id: "a", percentage: 75 },
      { version_id: "b", percentage: 25 },
    ];
    const keys = Array.from({ length: 20_000 }, (_, n) => `s-${n}`);
    const hasNew = (script: string, key: string) => pickVersion(quarter, { script, key, override: null }) === "b";
    const both = keys.filter((key) => hasNew("shop-storefront", key) && hasNew("shop-checkout", key));
    // A quarter of a quarter; the margin is some six standard deviations.
    expect(Math.abs(both.length / keys.length - 0.0625)).toBeLessThan(0.01);
  });

  test("by override, if the deployment has it; another Worker's override is not ours", () => {
    const none = [{ version_id: "a", percentage: 100 }];
    expect(pickVersion(SHARES, wish({ override: 'x="a", shop="b"' }), () => 0)).toBe("b");
    expect(pickVersion(SHARES, wish({ override: 'x="b"' }), () => 0)).toBe("a");
    expect(pickVersion(none, wish({ override: 'shop="b"' }), () => 0)).toBe("a");
  });

  test("at 0 % it can still be asked for", () => {
    const canary = [
      { version_id: "a", percentage: 100 },
      { version_id: "b", percentage: 0 },
    ];
    expect(pickVersion(canary, wish({}), () => 0.9999)).toBe("a");
    expect(pickVersion(canary, wish({ override: 'shop="b"' }))).toBe("b");
  });
});

describe("traffic", () => {
  test("is the same for the same seed, and another for another", () => {
    const visits = (seed: number) =>
      Array.from({ length: 50 }, (_, n) => planVisit(createRandom(seed + n), visitorAt(createRandom, seed, n)));
    expect(visits(1)).toEqual(visits(1));
    expect(visits(1)).not.toEqual(visits(2));
  });

  test("has quiet and busy minutes around its average, and none when the rate is 0", () => {
    const minutes = Array.from({ length: 90 }, (_, minute) => requestsPerSecond(10, (minute + 1) * 60_000));
    const mean = minutes.reduce((sum, rate) => sum + rate, 0) / minutes.length;
    expect(mean).toBeGreaterThan(8);
    expect(mean).toBeLessThan(12);
    expect(Math.max(...minutes) / Math.min(...minutes)).toBeGreaterThan(2);
    expect(requestsPerSecond(0, 1_000)).toBe(0);
  });
});
