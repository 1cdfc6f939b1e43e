import { expect, it } from "vitest";
import { failover, type Sight } from "../../../../workers/delivery/courier/failover.ts";

const NOW = 10_000_000;
const WELL: Sight = {
  ...{ now: NOW, circuit: "closed", openedAt: null, held: false, halfBroken: false },
  ...{ waitedMs: 0, behindMs: 0, failedOver: false },
};

const CASES: [string, Partial<Sight>, boolean][] = [
  ["not while all is well", {}, false],
  ["not for a circuit that opened a moment ago", { circuit: "open", openedAt: NOW - 1_000, waitedMs: 1_000 }, false],
  ["when the circuit stays open", { circuit: "open", openedAt: NOW - 6_000, waitedMs: 6_000 }, true],
  ["when only a person can mend it", { held: true, waitedMs: 100 }, true],
  ["not when nothing waits", { held: true, waitedMs: 0 }, false],
  ["when items wait long although they are tried", { waitedMs: 60_000 }, true],
  ["when it is half broken", { halfBroken: true }, true],
  ["goes on while it is half broken", { failedOver: true, halfBroken: true }, true],
  ["goes on while nobody knows how far behind it is", { failedOver: true, behindMs: Number.POSITIVE_INFINITY }, true],
  ["not when there is only much to catch up on", { waitedMs: 900, behindMs: 8 * 3_600_000 }, false],
  ["goes on while it is behind", { failedOver: true, behindMs: 10_000 }, true],
  ["goes on while the circuit is tried", { failedOver: true, circuit: "half-open", openedAt: NOW - 60_000 }, true],
  ["ends when it has caught up", { failedOver: true, behindMs: 9_999 }, false],
];

it.each(CASES)("%s", (_name, sight, wanted) => {
  expect(failover({ ...WELL, ...sight })).toBe(wanted);
});
