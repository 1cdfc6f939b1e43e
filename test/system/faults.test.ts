/** R2 or D1 failing for a while: nothing lost, nothing doubled, /healthz says so and recovers. */
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/client.ts";
import { expectExactlyOnce, type ProbeBatch, probeItems } from "../support/probes.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

/** Sealing tries again by itself, further and further apart. */
const RECOVERY_MS = 60_000;

let tailrace: TestStack;
beforeAll(async () => {
  tailrace = await startTestStack({ entry: resolve("test/support/faulty-entry.ts") });
});
afterAll(() => tailrace.stop());

async function setFaults(faults: { r2?: string; d1?: string }): Promise<void> {
  const { status } = await tailrace.client.call("POST", "/__faults", JSON.stringify(faults));
  expect(status).toBe(200);
}

test.each([
  { name: "R2 refuses", script: "probe-r2-before", faults: { r2: "before" } },
  { name: "R2 writes but says that it failed", script: "probe-r2-after", faults: { r2: "after" } },
  { name: "D1 refuses", script: "probe-d1-before", faults: { d1: "before" } },
  { name: "D1 commits but says that it failed", script: "probe-d1-after", faults: { d1: "after" } },
])("$name while sealing: acknowledged events stay, once each", async ({ script, faults }) => {
  const { client } = tailrace;
  const batches: ProbeBatch[] = [];
  const send = async (id: string) => {
    await client.ingest(probeItems(script, { id, size: 25 }));
    batches.push({ id, size: 25 });
  };
  await send("sealed before");
  await client.seal();
  await send("unsealed before");

  await setFaults(faults);
  await client.seal().catch(() => undefined);
  // The log does not need R2 or D1: what arrives now is kept as well.
  await send("meanwhile");
  await client.seal().catch(() => undefined);
  const sick = await until(
    () => client.health(),
    (health) => health.status === 503,
    RECOVERY_MS,
  );
  expect(sick.body.checks.some((check) => !check.ok && check.message)).toBe(true);

  await setFaults({});
  await until(
    () => client.health(),
    (health) => health.status === 200,
    RECOVERY_MS,
  );
  await expectExactlyOnce(client, script, batches);
  await send("after");
  await client.seal();
  await expectExactlyOnce(client, script, batches);
  await client.maintenance();
  await expectExactlyOnce(client, script, batches);
});
