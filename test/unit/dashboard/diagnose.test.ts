/** Is it broken, since when, which version: from rollups alone. */
import { expect, test } from "vitest";
import { diagnose, diagnoseAll } from "../../../dashboard/src/lib/diagnose.ts";
import type { Measures, SeriesPoint, VersionSummary, WorkerSummary } from "../../../workers/api/contract.ts";

const MINUTE = 60_000;

function measures(requests: number, errors: number): Measures {
  const errorRate = requests > 0 ? errors / requests : 0;
  return { requests, errors, errorRate, p50: 1, p99: 2, cpuP50: 1, cpuP99: 2 };
}

/** `[requests, errors]` per minute. */
const series = (points: [number, number][]): SeriesPoint[] =>
  points.map(([requests, errors], i) => ({ t: i * MINUTE, ...measures(requests, errors) }));

const total = (points: [number, number][], at: 0 | 1) => points.reduce((n, p) => n + p[at], 0);

function version(id: string, points: [number, number][]): VersionSummary {
  const first = points.findIndex((p) => p[0] > 0);
  return {
    id,
    tag: id,
    message: "",
    firstSeen: first * MINUTE,
    lastSeen: points.length * MINUTE,
    series: series(points),
    ...measures(total(points, 0), total(points, 1)),
  };
}

function worker(script: string, versions: VersionSummary[]): WorkerSummary {
  const points = (versions[0] as VersionSummary).series.map((_, i): [number, number] => [
    versions.reduce((n, v) => n + (v.series[i]?.requests ?? 0), 0),
    versions.reduce((n, v) => n + (v.series[i]?.errors ?? 0), 0),
  ]);
  return { ...version(script, points), script, versions };
}

const well = (n: number) => Array.from({ length: n }, (): [number, number] => [100, 0]);
const ill = (n: number) => Array.from({ length: n }, (): [number, number] => [100, 20]);

test("a Worker without failures, or with a few by chance, is not broken", () => {
  expect(diagnose(worker("a", [version("v1", well(20))]))).toBeUndefined();
  expect(diagnose(worker("a", [version("v1", [...well(19), [100, 3]])]))).toBeUndefined();
});

test("the version that fails is named, with the minute it began", () => {
  const none = Array.from({ length: 10 }, (): [number, number] => [0, 0]);
  const found = diagnose(worker("a", [version("v1", well(20)), version("v2", [...none, ...ill(10)])]));
  expect(found).toMatchObject({ version: { id: "v2" }, since: 10 * MINUTE, ongoing: true, errors: 200 });
});

test("when all versions fail alike, none is blamed", () => {
  const found = diagnose(worker("a", [version("v1", ill(20)), version("v2", ill(20))]));
  expect(found).toMatchObject({ version: undefined, ongoing: true });
  expect(found?.since).toBeUndefined();
});

test("trouble that began in the middle has a beginning, and one that ended is over", () => {
  expect(diagnose(worker("a", [version("v1", [...well(10), ...ill(10)])]))).toMatchObject({
    since: 10 * MINUTE,
    ongoing: true,
  });
  expect(diagnose(worker("a", [version("v1", [...ill(10), ...well(10)])]))).toMatchObject({ ongoing: false });
});

test("a quiet minute does not end an incident", () => {
  const points: [number, number][] = [...well(10), ...ill(4), [0, 0], [1, 0], ...ill(4)];
  expect(diagnose(worker("a", [version("v1", points)]))).toMatchObject({ since: 10 * MINUTE });
});

test("what still goes on comes first, then what fails most", () => {
  const findings = diagnoseAll([
    worker("over", [version("v1", [...ill(10), ...well(10)])]),
    worker("less", [version("v1", [...well(18), ...ill(2)])]),
    worker("most", [version("v1", [...well(10), ...ill(10)])]),
    worker("fine", [version("v1", well(20))]),
  ]);
  expect(findings.map((f) => f.script)).toEqual(["most", "less", "over"]);
});
