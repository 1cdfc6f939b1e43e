import { describe, expect, it } from "vitest";
import type { IssueDelta } from "../../../workers/errors/delta.ts";
import { aggregate } from "../../../workers/errors/issues/aggregate.ts";
import { joinVictims } from "../../../workers/errors/issues/incidents.ts";
import { readDeltas } from "../../../workers/errors/issues/read-deltas.ts";

const delta = (more: Partial<IssueDelta> = {}): IssueDelta => ({
  fingerprint: "v1-a",
  group: "v1-a",
  aliases: [],
  algorithm: 1,
  kind: "exception",
  noise: "",
  type: "Error",
  title: "no",
  culprit: "/",
  awaitsMap: "",
  script: "shop",
  versionId: "one",
  versionTag: "",
  versionMessage: "",
  count: 1,
  firstSeen: 1_000,
  lastSeen: 1_000,
  minutes: [0, 1],
  exemplar: { invocationId: "i", seq: 0, time: 1_000, type: "Error", message: "no" },
  distinct: { users: [], routes: [], colos: [], countries: [] },
  ...more,
});
const never = () => false;

describe("aggregate", () => {
  it("makes one row of what happened many times", () => {
    const sums = aggregate(
      [
        delta({ count: 2, minutes: [0, 1, 60, 1], distinct: { users: [1, 2], routes: [], colos: [], countries: [] } }),
        delta({
          lastSeen: 70_000,
          minutes: [60, 1],
          distinct: { users: [2, 3], routes: [], colos: [], countries: [] },
        }),
        delta({ versionId: "two", versionTag: "t", firstSeen: 500, lastSeen: 600, minutes: [0, 1] }),
      ],
      never,
    );
    expect(sums.fingerprints).toMatchObject([
      { count: 4, first: 500, last: 70_000, firstVersion: { id: "two", tag: "t" }, lastVersion: { id: "one" } },
    ]);
    expect(sums.versions.map((v) => [v.version.id, v.count])).toEqual([
      ["one", 3],
      ["two", 1],
    ]);
    expect(sums.minutes.map((m) => [m.minute, m.versionId, m.count])).toEqual([
      [0, "one", 1],
      [60, "one", 2],
      [0, "two", 1],
    ]);
    expect([...(sums.distinct[0]?.hashes.users ?? [])]).toEqual([1, 2, 3]);
  });

  it("takes away replayed occurrences with their weight, minute and place, and nothing else", () => {
    const replay = delta({
      kind: "death",
      count: 21,
      minutes: [0, 11, 60, 10],
      replayable: ["a", 1, 0, "b", 10, 0, "c", 10, 60],
      victims: ["LHR", 1, "FRA", 2, "LHR", 3],
    });
    const sums = aggregate([replay], (id) => id === "b");
    expect(sums.fingerprints[0]?.count).toBe(11);
    expect(sums.minutes.map((m) => [m.minute, m.count])).toEqual([
      [0, 1],
      [60, 10],
    ]);
    expect(sums.incidents).toMatchObject([{ colo: "LHR", victims: 2 }]);
    expect(sums.counted).toEqual(["a", "b", "c"]);
    expect(aggregate([replay], () => true).fingerprints).toEqual([]);
    expect(aggregate([replay, replay], never).fingerprints[0]?.count).toBe(21);
  });
});

describe("incidents", () => {
  it("end where nothing dies for half a minute, and are of one place", () => {
    const victims = ["LHR", 60_000, "LHR", 0, "FRA", 10, "LHR", 29_999, "LHR", 59_999.5];
    expect(joinVictims("f", "v", victims)).toMatchObject([
      { colo: "LHR", startedAt: 0, endedAt: 29_999, victims: 2 },
      { colo: "LHR", startedAt: 59_999.5, endedAt: 60_000, victims: 2 },
      { colo: "FRA", victims: 1 },
    ]);
  });
});

describe("deltas out of the log", () => {
  it("are read as they were written", () => {
    const deltas = [delta(), delta({ victims: ["LHR", 1], replayable: ["a", 1, 0] })];
    expect(readDeltas(JSON.stringify(deltas))).toEqual(deltas);
  });

  it.each([
    ["{", /JSON/],
    ["{}", /not a list/],
    ["[1]", /not an object/],
    [JSON.stringify([{ ...delta(), count: null }]), /count/],
    [JSON.stringify([delta({ count: 0 })]), /count of 0/],
    [JSON.stringify([delta({ fingerprint: "" })]), /no fingerprint/],
    [JSON.stringify([{ ...delta(), kind: "other" }]), /kind/],
    [JSON.stringify([{ ...delta(), minutes: [null] }]), /minutes/],
    [JSON.stringify([{ ...delta(), distinct: { users: [] } }]), /distinct/],
    [JSON.stringify([{ ...delta(), exemplar: null }]), /exemplar/],
    [JSON.stringify([{ ...delta(), victims: {} }]), /victims/],
  ])("are refused when D1 would: %s", (text, why) => {
    expect(() => readDeltas(text)).toThrow(why);
  });
});
