import { expect, it } from "vitest";
import type { AppendRequest } from "../../../workers/buffer/contract.ts";
import { FlushSchedule } from "../../../workers/buffer/flush-schedule.ts";
import { FLUSH_KNOWN_MS, FLUSH_NEWS_MS, KNOWN_FOR_MS, MAX_KNOWN } from "../../../workers/buffer/limits.ts";
import { VersionWatch } from "../../../workers/buffer/version-watch.ts";

const one = { fingerprint: "a", versionId: "1" };
const flushed = [{ fingerprint: "a", version: { id: "1" } }];
const T = 1_000_000;

it("what is new is flushed soon, what keeps failing seldom, and what was quiet counts as new", () => {
  const schedule = new FlushSchedule();
  schedule.note([one], T);
  expect(schedule.dueAt).toBe(T + FLUSH_NEWS_MS);
  schedule.flushed(flushed, T + 1_000);
  schedule.done();
  expect(schedule.dueAt).toBeUndefined();

  schedule.note([one], T + 1_100);
  expect(schedule.dueAt).toBe(T + 1_000 + FLUSH_KNOWN_MS);
  schedule.note([{ ...one, versionId: "2" }], T + 1_200);
  expect(schedule.dueAt).toBe(T + 1_200 + FLUSH_NEWS_MS);
  schedule.done();

  schedule.note([one], T + 1_000 + KNOWN_FOR_MS + 1);
  expect(schedule.dueAt).toBe(T + 1_000 + KNOWN_FOR_MS + 1 + FLUSH_NEWS_MS);
});

it("nothing waits longer than the 5 s in which it must be told", () => {
  expect(FLUSH_NEWS_MS).toBeLessThan(2_000);
  expect(FLUSH_KNOWN_MS).toBeLessThan(5_000);
});

it("a flood of fingerprints does not fill the memory", () => {
  const schedule = new FlushSchedule();
  const many = Array.from({ length: MAX_KNOWN + 500 }, (_, n) => ({ fingerprint: `f${n}`, version: { id: "1" } }));
  schedule.flushed(many, T);
  schedule.note([{ fingerprint: `f${MAX_KNOWN + 499}`, versionId: "1" }], T);
  expect(schedule.dueAt).toBe(T + FLUSH_KNOWN_MS);
  schedule.note([{ fingerprint: "f0", versionId: "1" }], T);
  expect(schedule.dueAt).toBe(T + FLUSH_NEWS_MS);
});

it("a version is news once, with the moment of its arrival as far as its minute allows", () => {
  const watch = new VersionWatch();
  const minute = 600;
  const append = (id: string) =>
    ({ rollups: [{ script: "s", version_id: id, version_tag: "t", version_message: "", minute }] }) as AppendRequest;
  expect(watch.see(append(""), 0)).toBe(false);
  expect(watch.see(append("1"), 630_000)).toBe(true);
  expect(watch.see(append("1"), 625_000)).toBe(true);
  expect(watch.news).toEqual([{ script: "s", id: "1", tag: "t", message: "", first: 625_000, last: 630_000 }]);
  watch.registered(watch.news);
  expect(watch.see(append("1"), 640_000)).toBe(false);
  expect(watch.news).toEqual([]);
  watch.see(append("2"), 10_000_000);
  expect(watch.news[0]?.first).toBe(659_999);
});
