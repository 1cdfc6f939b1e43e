/** When the guard is told that traffic may be split. Times are ms. */
import { describe, expect, it } from "vitest";
import { MAX_ACTIVE_VERSIONS, TELL_AGAIN_MS, TOGETHER_MS, VERSION_PAUSE_MS } from "../../../workers/buffer/limits.ts";
import { SplitWatch } from "../../../workers/buffer/split-watch.ts";
import { RollupBuilder } from "../../../workers/event/rollup.ts";

const T = 1_790_000_000_000;

function watching(answer: () => Promise<{ againAfterMs: number }> = async () => ({ againAfterMs: 0 })) {
  const told: string[] = [];
  const watch = new SplitWatch((version) => {
    told.push(version);
    return answer();
  });
  const see = async (version: string, now: number) => {
    const rollups = new RollupBuilder();
    rollups.count({ script: "shop", version_id: version, sample_weight: 1 }, now * 1000, 1, 1);
    watch.see({ rollups: rollups.build() }, now);
    // The answer is there before the next append.
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { told, see };
}

describe("the watch for splits", () => {
  it("tells nobody of a Worker with one version, or of none", async () => {
    const { told, see } = watching();
    await see("a", T);
    await see("", T + 1);
    await see("a", T + VERSION_PAUSE_MS + 1);
    expect(told).toEqual([]);
  });

  it("tells of a second version once, again after a pause, and now and then while both are active", async () => {
    const { told, see } = watching();
    await see("a", T);
    await see("b", T + 1);
    for (let ms = 2; ms < 50_000; ms += 500) {
      await see("a", T + ms);
      await see("b", T + ms + 1);
    }
    expect(told).toEqual(["b"]);
    await see("a", T + VERSION_PAUSE_MS);
    await see("b", T + VERSION_PAUSE_MS + 50_000);
    expect(told).toEqual(["b", "b"]);
    for (let ms = VERSION_PAUSE_MS + 50_000; ms < TELL_AGAIN_MS + 200_000; ms += 1_000) {
      await see("a", T + ms);
      await see("b", T + ms);
    }
    expect(told).toHaveLength(3);
  });

  it("does not tell of the version that follows another long after", async () => {
    const { told, see } = watching();
    await see("a", T);
    await see("b", T + TOGETHER_MS);
    expect(told).toEqual([]);
  });

  it("is quiet for as long as the guard says, and tells again after a call that failed", async () => {
    const quiet = watching(async () => ({ againAfterMs: 60_000 }));
    await quiet.see("a", T);
    await quiet.see("b", T + 1);
    await quiet.see("c", T + 2);
    expect(quiet.told).toEqual(["b"]);
    await quiet.see("d", T + 60_001);
    expect(quiet.told).toEqual(["b", "d"]);
    const failing = watching(() => Promise.reject(new Error("gone")));
    await failing.see("a", T);
    await failing.see("b", T + 1);
    await failing.see("c", T + 2);
    expect(failing.told).toEqual(["b", "c"]);
  });

  it("calls once at a time, and remembers a bounded number of versions", async () => {
    const hanging = watching(() => new Promise(() => {}));
    for (let i = 0; i < 10 * MAX_ACTIVE_VERSIONS; i++) await hanging.see(`v${i}`, T + i);
    expect(hanging.told).toEqual(["v1"]);
  });
});
