/**
 * SIGKILL at random moments under load, ten times in a row. Whatever was
 * acknowledged before a crash is answered exactly once after it; what was cut
 * off before its answer, at most once. TAILRACE_SEED repeats a run.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { Random } from "../../bench/items.mjs";
import { Client } from "../support/client.ts";
import { type Launched, launch, type Victim } from "../support/launcher.ts";
import { expectExactlyOnce, type ProbeBatch, probeItems } from "../support/probes.ts";
import { ADMIN_TOKEN, freePort } from "../support/stack.ts";

const KILLS = 10;
const SENDERS = 4;
/** Under load for this long before the kill, ms: from "just started" to "sealing and compacting". */
const LOAD_MS = [100, 1500] as const;
const SCRIPTS = ["probe-kill-a", "probe-kill-b", "probe-kill-c"];
const VICTIMS: readonly Victim[] = ["workerd", "launcher", "both"];

const seed = Number(process.env.TAILRACE_SEED ?? Date.now() % 2 ** 31);
const data = mkdtempSync(join(tmpdir(), "tailrace-kill-"));
let running: Launched | undefined;

afterAll(async () => {
  await running?.kill("both");
  rmSync(data, { recursive: true, force: true });
});

/** Per script: batches whose answer arrived, and batches of which nobody knows. */
const acknowledged = new Map<string, ProbeBatch[]>(SCRIPTS.map((script) => [script, []]));
const uncertain = new Map<string, ProbeBatch[]>(SCRIPTS.map((script) => [script, []]));

async function send(client: Client, random: Random, name: string, stopped: () => boolean): Promise<void> {
  for (let n = 0; !stopped(); n++) {
    const script = random.pick(SCRIPTS) as string;
    const batch = { id: `${name}-${n}`, size: 1 + random.int(40) };
    try {
      const answer = await client.ingest(probeItems(script, batch));
      expect(answer).toEqual({ accepted: batch.size, rejected: [], dropped: 0 });
      acknowledged.get(script)?.push(batch);
    } catch (error) {
      uncertain.get(script)?.push(batch);
      if (!stopped()) throw error;
    }
  }
}

/** Seals and compacts again and again, so that kills land in the middle of both. */
async function stir(client: Client, random: Random, stopped: () => boolean): Promise<void> {
  while (!stopped()) {
    await sleep(random.int(200));
    const work = random.next() < 0.7 ? client.seal() : client.maintenance();
    await work.catch((error) => {
      if (!stopped()) throw error;
    });
  }
}

async function everythingIsThere(client: Client): Promise<void> {
  for (const script of SCRIPTS) {
    await expectExactlyOnce(client, script, acknowledged.get(script) ?? [], uncertain.get(script));
  }
}

test(`killed ${KILLS} times under load: every acknowledged event exactly once (TAILRACE_SEED=${seed})`, async () => {
  console.log(`TAILRACE_SEED=${seed}`);
  const random = new Random(seed);
  const port = await freePort();
  for (let round = 0; round < KILLS; round++) {
    running = await launch(data, port);
    const client = new Client(running.url, ADMIN_TOKEN);
    await everythingIsThere(client);
    let killed = false;
    const stopped = () => killed;
    const load = Promise.all([
      stir(client, new Random(random.int(2 ** 31)), stopped),
      ...Array.from({ length: SENDERS }, (_, n) =>
        send(client, new Random(random.int(2 ** 31)), `${round}-${n}`, stopped),
      ),
    ]);
    // A failure before the kill must not go unseen, nor unhandled.
    load.catch(() => {});
    await Promise.race([sleep(LOAD_MS[0] + random.int(LOAD_MS[1] - LOAD_MS[0])), load]);
    killed = true;
    await running.kill(random.pick([...VICTIMS]) as Victim);
    await load;
  }
  running = await launch(data, port);
  const client = new Client(running.url, ADMIN_TOKEN);
  await everythingIsThere(client);
  await client.seal();
  await client.maintenance();
  await everythingIsThere(client);
  const sent = [...acknowledged.values()].flat();
  console.log(`${sent.length} batches acknowledged, ${[...uncertain.values()].flat().length} cut off`);
  expect(sent.length).toBeGreaterThan(KILLS);
});
