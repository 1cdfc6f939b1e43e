import { expect, it } from "vitest";
import { CLOSED, failedOnce } from "../../../../workers/delivery/courier/breaker.ts";
import { conditionOf, type Seen } from "../../../../workers/delivery/courier/condition.ts";
import { newReceiver, newState } from "../../../../workers/delivery/courier/state.ts";

const NOW = 100_000_000;
const WELL: Seen = {
  now: NOW,
  state: { ...newState(NOW), lastDeliveredAt: NOW - 1_000 },
  paused: false,
  standby: false,
  problem: null,
  storeError: null,
  deadLetters: 0,
  queued: 0,
  oldestWaiting: null,
  failoverName: null,
  lingerMs: 0,
};
const ERROR = { at: NOW - 500, kind: "unavailable", message: "Status 503: no", status: 503 };
const breakerAfter = (failures: number, agoMs: number) =>
  Array.from({ length: failures }).reduce<typeof CLOSED>((before) => failedOnce(before, NOW - agoMs, 0.5, 0), CLOSED);
const withReceiver = (receiver: Partial<ReturnType<typeof newReceiver>>, more = {}) => ({
  state: { ...WELL.state, lastError: ERROR, receiver: { ...newReceiver(), ...receiver }, ...more },
});
const HOLD = {
  since: NOW - 1_000,
  tries: 0,
  until: NOW + 9_000,
  failure: { kind: "unauthorized" as const, status: 401, message: "The key is not accepted" },
};

const CASES: [string, Partial<Seen>, string, string][] = [
  ["well", {}, "ok", "Delivers."],
  ["nothing came", { state: newState(NOW) }, "idle", "Nothing has come yet that it should get."],
  ["paused", { paused: true, queued: 1_234 }, "paused", "Paused: nothing is sent. 1,234 events wait and are kept."],
  ["standing by", { standby: true }, "standby", "Stands by: it carries what others fail to deliver."],
  ["a secret that does not open", { problem: "No key." }, "attention", "No key. What comes is kept."],
  [
    "a key that is refused",
    { ...withReceiver({ hold: HOLD }), queued: 1 },
    "attention",
    "The key is not accepted. Check the key: it may be wrong, have ended, or not be allowed to do this. 1 event waits and is kept.",
  ],
  [
    "a failover that carries nothing",
    {
      ...withReceiver(
        { hold: HOLD },
        { failedOverSince: NOW, viaProblem: "Its failover B is paused: it carries nothing" },
      ),
      failoverName: "B",
    },
    "attention",
    "The key is not accepted. Check the key: it may be wrong, have ended, or not be allowed to do this. What comes is kept. Its failover B is paused: it carries nothing.",
  ],
  [
    "an open circuit",
    withReceiver({ breaker: breakerAfter(6, 90_000) }),
    "failing",
    "It has not taken anything for 90 s. Status 503: no. What comes is kept.",
  ],
  [
    "failures in a row, the next try under way",
    withReceiver({ breaker: { ...breakerAfter(2, 20_000), until: 0 } }),
    "waiting",
    "The last 2 tries failed; it is being tried again. Status 503: no.",
  ],
  [
    "all that came was refused",
    { ...withReceiver({ refusedInRow: 2 }, { lastDeliveredAt: null }), deadLetters: 2 },
    "attention",
    "The last 2 items were refused, and wait among the dead letters. It said: Status 503: no.",
  ],
  ["one refused among many taken", { ...withReceiver({ refusedInRow: 1 }), deadLetters: 1 }, "ok", "Delivers."],
  [
    "much to catch up on",
    { queued: 5_000, oldestWaiting: NOW - 7_200_000 },
    "behind",
    "Catching up: 5,000 events wait, the oldest from 2 h ago.",
  ],
  [
    "a failover that carries",
    { ...withReceiver({ hold: HOLD }, { failedOverSince: NOW - 5 }), failoverName: "The other" },
    "attention",
    "The key is not accepted. Check the key: it may be wrong, have ended, or not be allowed to do this. What comes is kept. The other carries it meanwhile.",
  ],
];

it.each(CASES)("%s", (_name, seen, condition, sentence) => {
  expect(conditionOf({ ...WELL, ...seen })).toEqual({ condition, sentence });
});
