/** From a tail call to the hub: what viewers of an observed Worker are handed, while somebody watches. */
import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Ingester } from "../../../workers/buffer/ingester.ts";
import { eventAt } from "../../../workers/event/batch.ts";
import { decodeBatch } from "../../../workers/event/batch-wire.ts";
import { handleTail } from "../../../workers/ingest/tail.ts";
import { LEASE_MS, type LiveEntry, type LiveExtras, tailHub } from "../../../workers/live/contract.ts";
import { until } from "../buffer/support.ts";
import { eventsIn, item, uniqueScript } from "./support.ts";

async function tail(...items: unknown[]): Promise<void> {
  const ctx = createExecutionContext();
  await handleTail(items, env, ctx, {});
  await waitOnExecutionContext(ctx);
}

/** Records what is pushed for a Worker; `items`: as for `wrangler tail`. */
async function watch(script: string, { items, hub = tailHub(script) }: { items: boolean; hub?: string }) {
  const stub = env.INGESTER.getByName(script);
  const entries: LiveEntry[] = [];
  await runInDurableObject(stub, (instance: Ingester) => {
    instance.hub = () => ({
      push: async (push) => {
        entries.push(...push.entries);
        return { until: Date.now() + LEASE_MS, items };
      },
    });
  });
  const start = () => stub.watch({ hub, until: Date.now() + LEASE_MS, items });
  return { entries, start };
}

const itemsOf = (entries: LiveEntry[]) =>
  entries.flatMap(({ extras }) => Object.entries((JSON.parse(extras || "{}") as LiveExtras).items ?? {}));
const idsOf = (entries: LiveEntry[]) =>
  entries.flatMap(({ batch }) => {
    const columns = decodeBatch(batch);
    return Array.from({ length: columns.rows }, (_, row) => eventAt(columns, row).invocation_id);
  });

test("each invocation's item comes with its events, from the first push on, redacted", async () => {
  const script = uniqueScript();
  const { entries, start } = await watch(script, { items: true });
  await tail(item(script));
  await start();
  for (let n = 0; n < 3; n++) {
    await tail(
      item(script, { logs: [{ level: "log", timestamp: Date.now(), message: ["password:", "hunter2", { n }] }] }),
    );
  }
  await until(async () => entries.length === 3);
  const items = itemsOf(entries);
  expect(items.map(([id]) => id)).toEqual([...new Set(idsOf(entries))]);
  expect(items.map(([, text]) => JSON.parse(text).logs[0].message)).toEqual(
    [0, 1, 2].map((n) => ["password: REDACTED", { n }]),
  );
  expect(JSON.stringify(entries)).not.toContain("hunter2");
  expect(await eventsIn(script)).toHaveLength(7);
});

test("viewers of all Workers see one that nobody had heard of, without anybody telling its Ingester", async () => {
  const [known, unknown] = [uniqueScript(), uniqueScript()];
  const first = await watch(known, { items: false, hub: tailHub(null) });
  const second = await watch(unknown, { items: false, hub: tailHub(null) });
  await first.start();
  await tail(item(known));
  await tail(item(unknown));
  await until(async () => first.entries.length === 1 && second.entries.length === 1);
});

test("a flood comes in order and whole, however many calls share an append", async () => {
  const script = uniqueScript();
  const { entries, start } = await watch(script, { items: true });
  await start();
  await Promise.all(Array.from({ length: 1_000 }, () => tail(item(script))));
  await until(async () => entries.at(-1)?.through === 1_000);
  expect(new Set(idsOf(entries)).size).toBe(1_000);
  expect(entries.map(({ id }) => id)).toEqual(entries.map(({ id }) => id).sort((a, b) => a - b));
});
