/** What a flush writes: where fingerprints go, what is kept of them, from several shards at once. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readDistinct } from "../../../workers/errors/issues/distinct.ts";
import { runIssueRetention } from "../../../workers/errors/issues/retention.ts";
import { hash32 } from "../../../workers/util/hash.ts";
import {
  activityOf,
  all,
  counts,
  delta,
  everywhere,
  issuesOf,
  notificationsOf,
  occur,
  onlyIssue,
  T0,
} from "./support.ts";

const DAY = 86_400_000;

describe("a fingerprint", () => {
  it("that waits for its map joins the issue of its group", async () => {
    const script = "apply-group";
    const waits = (n: number) =>
      delta({ script, fingerprint: `u1-${script}-${n}`, group: `v1-${script}`, awaitsMap: "version-1", at: T0 + n });
    await occur(script, [waits(1), waits(2)]);
    await occur(script, [waits(3), delta({ script, fingerprint: `v1-${script}`, at: T0 + 4 })]);
    expect(await onlyIssue(script)).toMatchObject({
      birth: `v1-${script}`,
      count: 4,
      first_seen: T0 + 1,
      last_seen: T0 + 4,
    });
    expect(await counts(script)).toEqual(everywhere(4));
    expect(await notificationsOf(script)).toHaveLength(1);
    expect(await activityOf((await onlyIssue(script)).id)).toMatchObject([{ kind: "first_seen" }]);
  });

  it("of a newer algorithm joins the issue that its older key has, and does not regroup the past", async () => {
    const script = "apply-alias";
    await occur(script, [
      delta({ script, fingerprint: `v1-${script}-a` }),
      delta({ script, fingerprint: `v1-${script}-b` }),
    ]);
    const newer = { algorithm: 2, aliases: [`v1-${script}-b`] };
    await occur(script, [
      delta({ script, fingerprint: `v2-${script}-1`, ...newer }),
      delta({ script, fingerprint: `v2-${script}-2`, ...newer }),
      delta({ script, fingerprint: `v2-${script}-3`, algorithm: 2, aliases: [`v1-${script}-unknown`] }),
    ]);
    expect((await issuesOf(script)).map((i) => i.count)).toEqual([1, 3, 1]);
    expect(await notificationsOf(script)).toHaveLength(3);
  });

  it("knows its versions, and the issue its first and last", async () => {
    const script = "apply-versions";
    const of = (versionId: string, at: number, count: number) =>
      delta({ script, versionId, at, count, versionTag: versionId });
    await occur(script, [of("b", T0 + 10, 1), of("a", T0, 2)]);
    await occur(script, [of("c", T0 + 20, 4), of("a", T0 + 15, 8)]);
    await occur(script, [of("early", T0 - 5, 16)]);
    expect(await onlyIssue(script)).toMatchObject({ first_version: "early", last_version: "c", count: 31 });
    const rows = await all(
      "SELECT version_id, count, first_seen, last_seen FROM fingerprint_versions WHERE fingerprint = ? ORDER BY 1",
      `v1-${script}`,
    );
    expect(rows).toEqual([
      { version_id: "a", count: 10, first_seen: T0, last_seen: T0 + 15 },
      { version_id: "b", count: 1, first_seen: T0 + 10, last_seen: T0 + 10 },
      { version_id: "c", count: 4, first_seen: T0 + 20, last_seen: T0 + 20 },
      { version_id: "early", count: 16, first_seen: T0 - 5, last_seen: T0 - 5 },
    ]);
  });

  it("keeps the newest exemplar that has a stack", async () => {
    const script = "apply-exemplar";
    const exemplar = (seq: number, at: number, stack?: string) => ({
      ...delta({ script }).exemplar,
      seq,
      time: at,
      ...(stack === undefined ? {} : { stack }),
    });
    const kept = async () =>
      JSON.parse(
        (
          await all<{ exemplar: string }>(
            "SELECT exemplar FROM fingerprint_versions v JOIN fingerprints f USING (fingerprint) WHERE f.script = ?",
            script,
          )
        )[0]?.exemplar ?? "{}",
      ) as { seq: number; stack?: string };
    const steps: [number, number, string | undefined, number][] = [
      [1, T0, undefined, 1],
      [2, T0 - 5, "at a", 2],
      [3, T0 + 5, undefined, 2],
      [4, T0 + 6, "at b", 4],
      [5, T0 + 1, "at c", 4],
    ];
    for (const [seq, at, stack, expected] of steps) {
      await occur(script, [delta({ script, exemplar: exemplar(seq, at, stack) })]);
      expect((await kept()).seq).toBe(expected);
    }
    await occur(script, [delta({ script, exemplar: exemplar(6, T0 + 9, "x".repeat(100_000)) })]);
    expect((await kept()).stack?.length).toBeLessThan(70_000);
  });

  it("knows how many different users it met, whichever shards told", async () => {
    const script = "apply-distinct";
    const users = (from: number, n: number) => ({
      users: Array.from({ length: n }, (_, i) => hash32(`user-${from + i}`)),
      routes: [1, 2],
      colos: [7],
      countries: [],
    });
    await occur(script, [delta({ script, distinct: users(0, 200) })]);
    await occur(script, [delta({ script, distinct: users(100, 200) })], `${script}#1`);
    await occur(script, [delta({ script, distinct: users(150, 1_850) })]);
    const rows = await all<{ sketch: string }>(
      "SELECT sketch FROM fingerprint_sketches WHERE fingerprint = ?",
      `v1-${script}`,
    );
    expect(rows).toHaveLength(2);
    const { users: n, ...others } = readDistinct(rows.map((r) => r.sketch));
    expect(others).toEqual({ routes: 2, colos: 1, countries: 0 });
    expect(Math.abs(n - 2_000)).toBeLessThan(200);
  });
});

describe("shards", () => {
  it("that see a new error at the same time make one issue and count all of it", async () => {
    const script = "apply-shards";
    const shards = [script, ...[1, 2, 3].map((n) => `${script}#${n}`)];
    for (let round = 0; round < 3; round++) {
      await Promise.all(
        shards.map((shard, n) =>
          occur(
            script,
            [delta({ script, count: n + 1, at: T0 + n }), delta({ script, fingerprint: `v1-${script}-${round}` })],
            shard,
          ),
        ),
      );
    }
    expect(await counts(script)).toEqual(everywhere(30 + 12));
    expect((await issuesOf(script)).map((i) => i.count)).toEqual([30, 4, 4, 4].sort((a, b) => b - a));
    expect(await notificationsOf(script)).toHaveLength(4);
  });
});

describe("deaths", () => {
  const incidents = (script: string) =>
    all<{ colo: string; victims: number; started_at: number; ended_at: number }>(
      "SELECT i.* FROM incidents i JOIN fingerprints f USING (fingerprint) WHERE f.script = ? ORDER BY colo, started_at",
      script,
    );
  const deaths = (script: string, victims: (string | number)[], more = {}) =>
    delta({ script, kind: "death", type: "exceededMemory", count: victims.length / 2, victims, ...more });

  it("without a pause are one incident with so many victims, per place", async () => {
    const script = "apply-deaths";
    await occur(script, [deaths(script, ["LHR", T0, "FRA", T0 + 1, "LHR", T0 + 29_000])]);
    await occur(script, [deaths(script, ["LHR", T0 + 50_000]), deaths(script, ["LHR", T0 + 60_000])]);
    await occur(script, [deaths(script, ["LHR", T0 + 95_000])], `${script}#1`);
    expect(await incidents(script)).toMatchObject([
      { colo: "FRA", victims: 1, started_at: T0 + 1, ended_at: T0 + 1 },
      { colo: "LHR", victims: 4, started_at: T0, ended_at: T0 + 60_000 },
      { colo: "LHR", victims: 1, started_at: T0 + 95_000 },
    ]);
    expect(await counts(script)).toEqual(everywhere(6));
    expect(await notificationsOf(script)).toHaveLength(1);
  });

  it("that close the gap between two incidents make them one", async () => {
    const script = "apply-deaths-bridge";
    await occur(script, [deaths(script, ["LHR", T0])]);
    await occur(script, [deaths(script, ["LHR", T0 + 40_000])]);
    expect(await incidents(script)).toHaveLength(2);
    await occur(script, [deaths(script, ["LHR", T0 + 20_000])], `${script}#1`);
    expect(await incidents(script)).toMatchObject([{ victims: 3, started_at: T0, ended_at: T0 + 40_000 }]);
  });
});

it("counts per minute become counts per hour after some days, once", async () => {
  const script = "apply-fold";
  const base = T0 - 8 * DAY;
  for (let minute = 0; minute < 120; minute += 7) {
    await occur(script, [delta({ script, at: base + minute * 60_000, versionId: minute % 2 === 0 ? "a" : "b" })]);
  }
  await occur(script, [delta({ script, at: T0 - 6 * DAY + 60_000 })]);
  const rows = () =>
    all(
      "SELECT minute, version_id, count FROM fingerprint_minutes WHERE fingerprint = ? ORDER BY 1, 2",
      `v1-${script}`,
    );
  await runIssueRetention(env, T0);
  const hour = base / 1000;
  const expected = [
    { minute: hour, version_id: "a", count: 5 },
    { minute: hour, version_id: "b", count: 4 },
    { minute: hour + 3600, version_id: "a", count: 4 },
    { minute: hour + 3600, version_id: "b", count: 5 },
    { minute: (T0 - 6 * DAY) / 1000 + 60, version_id: "version-1", count: 1 },
  ];
  expect(await rows()).toEqual(expected);
  await runIssueRetention(env, T0);
  expect(await rows()).toEqual(expected);
  expect(await counts(script)).toEqual(everywhere(19));
});

it("retention forgets details that are older than any event, and keeps issues, counts and the newest stack", async () => {
  const script = "apply-retention";
  const at = (days: number) => T0 - days * DAY;
  const stack = { ...delta({ script }).exemplar, stack: "at a" };
  const of = (versionId: string, days: number) =>
    delta({
      script,
      versionId,
      at: at(days),
      exemplar: stack,
      victims: ["LHR", at(days)],
      kind: "death",
      distinct: { users: [1], routes: [], colos: [], countries: [] },
    });
  await occur(script, [of("old", 100), of("older", 101)]);
  await occur(`${script}-live`, [
    { ...of("new", 1), script: `${script}-live`, fingerprint: `v1-${script}-live`, group: `v1-${script}-live` },
  ]);
  expect((await runIssueRetention(env, T0)).rows).toBeGreaterThan(0);
  expect(await runIssueRetention(env, T0)).toEqual({ rows: 0, more: false });
  expect(await counts(script)).toEqual({ ...everywhere(2), minutes: 0 });
  expect(await counts(`${script}-live`)).toEqual(everywhere(1));
  const stacks = await all(
    "SELECT version_id, exemplar->>'stack' AS stack FROM fingerprint_versions WHERE fingerprint = ? ORDER BY 1",
    `v1-${script}`,
  );
  expect(stacks).toEqual([
    { version_id: "old", stack: "at a" },
    { version_id: "older", stack: null },
  ]);
  const left = (table: string) => all(`SELECT 1 FROM ${table} WHERE fingerprint = ?`, `v1-${script}`);
  expect([await left("fingerprint_sketches"), await left("incidents")]).toEqual([[], []]);
});
