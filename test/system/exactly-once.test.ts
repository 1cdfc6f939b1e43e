import { afterAll, beforeAll, expect, test } from "vitest";
import { expectExactlyOnce, type ProbeBatch, probeItems } from "../support/probes.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

const SCRIPT = "probe-once";
let tailrace: TestStack;

beforeAll(async () => {
  tailrace = await startTestStack();
});
afterAll(() => tailrace.stop());

test("what ingest has acknowledged is in the next query's answer", async () => {
  for (let n = 0; n < 5; n++) {
    const batch = { id: `now-${n}`, size: 7 };
    const answer = await tailrace.client.ingest(probeItems("probe-now", batch));
    expect(answer).toEqual({ accepted: 7, rejected: [], dropped: 0 });
    expect(await tailrace.client.number(`script:probe-now @probe.batch:now-${n} | stats count()`)).toBe(7);
  }
});

test("live, while being sealed, sealed, compacted and after a restart: each event once", async () => {
  const batches: ProbeBatch[] = [];
  const send = async (id: string, size: number) => {
    await tailrace.client.ingest(probeItems(SCRIPT, { id, size }));
    batches.push({ id, size });
  };
  await send("live", 300);
  await expectExactlyOnce(tailrace.client, SCRIPT, batches);

  let sealing = true;
  const seal = tailrace.client.seal().finally(() => {
    sealing = false;
  });
  while (sealing) await expectExactlyOnce(tailrace.client, SCRIPT, batches);
  await seal;
  await expectExactlyOnce(tailrace.client, SCRIPT, batches);

  for (let n = 0; n < 4; n++) {
    await send(`segment-${n}`, 50);
    await tailrace.client.seal();
  }
  await send("tail", 20);
  await expectExactlyOnce(tailrace.client, SCRIPT, batches);
  await tailrace.client.maintenance();
  await expectExactlyOnce(tailrace.client, SCRIPT, batches);

  tailrace = await tailrace.restart();
  await expectExactlyOnce(tailrace.client, SCRIPT, batches);
});

test("the ledger and the rollups count what was sent, live and sealed alike", async () => {
  const script = "probe-ledger";
  await tailrace.client.ingest(probeItems(script, { id: "a", size: 40 }));
  await tailrace.client.seal();
  await tailrace.client.ingest(probeItems(script, { id: "b", size: 2 }));
  const { stats } = await tailrace.client.query(`script:${script} kind:invocation | stats count()`);
  expect(stats.completeness).toMatchObject({ ratio: 1, received: 42, kept: 42 });
  const { body } = await tailrace.client.call<{ worker: { requests: number } }>(
    "GET",
    `/api/v1/workers/${script}?from=-1h`,
  );
  expect(body.worker.requests).toBe(42);
});
