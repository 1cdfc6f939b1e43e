/** An Ingester tells of new events at most every few seconds, and sleeps in between: its alarm tells of the last ones. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import type { Ingester } from "../../../workers/buffer/ingester.ts";
import { NUDGE_MS } from "../../../workers/buffer/limits.ts";
import type { Nudge } from "../../../workers/delivery/contract.ts";
import { appendOf, ingester, invocation, until } from "./support.ts";

const SHARD = "nudge-by-alarm";

it("what comes just after a message to the queue is told by the alarm, and no alarm is spent on a single event", async () => {
  const stub = ingester(SHARD);
  const sent: Nudge[] = [];
  await runInDurableObject(stub, (instance: Ingester) => {
    instance.queue = {
      send: async (nudge) => {
        sent.push(nudge);
        return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
      },
    };
  });
  const alarmIn = () =>
    runInDurableObject(stub, async (_: Ingester, state) => ((await state.storage.getAlarm()) ?? 0) - Date.now());
  const somebodyReads = () => stub.readLog({ reader: "somebody", afterId: 0, maxBytes: 1, errorsOnly: false });
  await somebodyReads();
  await stub.append(appendOf(SHARD, [invocation(SHARD)]));
  expect(sent).toHaveLength(1);
  // A version that is new has an alarm of its own.
  await stub.flushIssues();
  await runDurableObjectAlarm(stub);
  expect(await alarmIn()).toBeGreaterThan(2 * NUDGE_MS);
  // D1, which knows of no destination here, has said so.
  await somebodyReads();
  await stub.append(appendOf(SHARD, [invocation(SHARD)]));
  expect(sent).toHaveLength(1);
  expect(await alarmIn()).toBeLessThanOrEqual(NUDGE_MS);
  await until(async () => sent.length === 2);
  expect(sent[1]).toMatchObject({ kind: "log", shard: SHARD, errors: false });
});
