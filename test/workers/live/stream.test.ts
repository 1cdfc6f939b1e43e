/** What is pushed reaches who watches: by its filter, in order, once, and what it does not see is told. */
import { describe, expect, it } from "vitest";
import { until } from "../buffer/support.ts";
import { hubOf, Shard, watch } from "./support.ts";

describe("a push", () => {
  it("reaches every viewer by its own filter, in the order of the log", async () => {
    const hub = hubOf("order");
    const shard = new Shard("order");
    const all = await watch(hub, { script: "order" });
    const failing = await watch(hub, { script: "order", q: "status:>=500" });
    const entries = [0, 1, 2].map((n) => shard.some(4, (k) => ({ status: k === 0 ? 500 : 200, duration: n * 10 + k })));
    const answer = await hub.push(shard.push(entries));
    expect(answer.until).toBeGreaterThan(Date.now());
    await until(async () => all.events.length === 12 && failing.events.length === 3);
    expect(all.events.map((e) => e.duration)).toEqual([0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]);
    expect(failing.events.map((e) => e.duration)).toEqual([0, 10, 20]);
    expect([all.matched, failing.matched, all.notShown, failing.notShown]).toEqual([12, 3, 0, 0]);
  });
});
