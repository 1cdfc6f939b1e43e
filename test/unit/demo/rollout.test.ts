/** `npm start -- --rollout`: version 2 comes step by step, and stays. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startRollout } from "../../../demo/traffic/rollout.ts";

const VERSIONS = [
  { script: "front", id: "f1", tag: "v1" },
  { script: "front", id: "f2", tag: "v2" },
  { script: "alone", id: "a1", tag: "v1" },
];

let deployed: { script: string; versions: { version_id: string; percentage: number }[] }[];
beforeEach(() => {
  deployed = [];
  vi.useFakeTimers();
  vi.stubGlobal("fetch", async (url: string, { method, body }: { method: string; body: string }) => {
    expect([url, method]).toEqual(["http://shop/__edge/deployments", "PUT"]);
    deployed.push(JSON.parse(body));
    return new Response("{}");
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const shares = () => deployed.map(({ versions }) => versions.map(({ percentage }) => percentage));

test("from version 1 alone to version 2 alone; a Worker with one version is left as it is", async () => {
  const lines: string[] = [];
  await startRollout("http://shop", VERSIONS, (line) => lines.push(line));
  expect(shares()).toEqual([[100, 0]]);
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  expect(shares()).toEqual([
    [100, 0],
    [90, 10],
    [50, 50],
    [0, 100],
  ]);
  expect(new Set(deployed.map(({ script }) => script))).toEqual(new Set(["front"]));
  expect(deployed[0]?.versions.map((version) => version.version_id)).toEqual(["f1", "f2"]);
  expect(lines.at(-1)).toContain("front v2: 100 %");
});

test("stopped, it deploys nothing more; a shop that is gone stops nothing", async () => {
  const stop = await startRollout("http://shop", VERSIONS, () => {});
  vi.stubGlobal("fetch", () => Promise.reject(new Error("refused")));
  await vi.advanceTimersByTimeAsync(60_000);
  stop();
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  expect(shares()).toEqual([[100, 0]]);
});
