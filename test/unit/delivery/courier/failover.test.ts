import { expect, it } from "vitest";
import { failover, type Sight, viaLanes } from "../../../../workers/delivery/courier/failover.ts";
import type { LaneState } from "../../../../workers/delivery/courier/lane.ts";

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

it.each([
  ["where it was, when that is further on", [2, 5], ["other"], [2, 5]],
  ["where the first is, when that is further on", [1, 9], ["own"], [2, 3]],
  ["with what both have done, where they are alike", [2, 3], ["other", "own"], [2, 3]],
])("one that carries again begins %s", (_name, [through = 0, offset = 0], ahead, [at, of]) => {
  const lane = (through: number, offset: number, id: string): LaneState => ({
    ...{ kind: "log", shard: "shop", script: "shop" },
    ...{ position: { through, offset }, ahead: new Set([id]) },
  });
  const [begins] = viaLanes([lane(2, 3, "own")], [lane(through, offset, "other")]);
  expect(begins?.position).toEqual({ through: at, offset: of });
  expect([...(begins?.ahead ?? [])]).toEqual(ahead);
});
