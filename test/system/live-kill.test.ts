/**
 * The platform dies in mid-stream and comes again. Viewers come again with their
 * cursors, as a page or the command does, and have in the end heard of every
 * event whose ingest was acknowledged: once, in order, or as a number of those
 * that were gone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { LiveMessage } from "../../workers/api/contract/live.ts";
import { Client, until } from "../support/client.ts";
import { type Launched, launch, type Victim } from "../support/launcher.ts";
import { createToken, times } from "../support/live-load.ts";
import { LiveViewer } from "../support/live-viewer.ts";
import { probeItem } from "../support/probes.ts";
import { ADMIN_TOKEN, freePort } from "../support/stack.ts";

const HEARD_MS = 60_000;
const VIEWERS = 12;
const PER_BATCH = 20;

let data: string;
let running: Launched | undefined;
afterEach(async () => {
  await running?.kill("both");
  running = undefined;
  rmSync(data, { recursive: true, force: true });
});

/** One who watches over all the platform's lives. */
class Faithful {
  readonly #seen = new Map<number, number>();
  readonly #options: Parameters<typeof LiveViewer.open>[1];
  #viewer: LiveViewer | undefined;
  gone = 0;
  inOrder = true;
  #last = -1;

  constructor(token: string, script: string | null, q: string) {
    this.#options = { token, script, q, rate: 5_000, onMessage: (message) => this.#hear(message) };
  }

  #hear(message: LiveMessage): void {
    if (message.type === "resumed") this.gone += message.gone;
    if (message.type !== "events") return;
    for (const { kind, attributes } of message.events) {
      if (kind !== "log") continue;
      const n = Number(attributes["probe.n"]);
      if (n <= this.#last) this.inOrder = false;
      this.#last = n;
      this.#seen.set(n, (this.#seen.get(n) ?? 0) + 1);
    }
  }

  async come(url: string): Promise<void> {
    const before = this.#viewer;
    const resume = before === undefined ? {} : { resume: { cursor: { ...before.cursor }, since: before.since } };
    this.#viewer = await LiveViewer.open(url, { ...this.#options, ...resume });
    await this.#viewer.greeted;
  }

  leave(): void {
    this.#viewer?.destroy();
  }

  /** Numbers of probes that it did not see, and of those that it saw twice. */
  compare(acknowledged: readonly number[]): { missing: number[]; doubled: number[] } {
    const doubled = [...this.#seen].filter(([, count]) => count > 1).map(([n]) => n);
    return { missing: acknowledged.filter((n) => !this.#seen.has(n)), doubled };
  }

  get tally() {
    return this.#viewer?.tally;
  }
}

test.each<Victim>(["workerd", "both"])(
  "SIGKILL of %s in mid-stream: what was missed comes, once and in order",
  async (victim) => {
    data = mkdtempSync(join(tmpdir(), "tailrace-live-kill-"));
    const port = await freePort();
    running = await launch(data, port);
    const client = new Client(running.url, ADMIN_TOKEN);
    const { token } = await createToken(client);
    const script = "live-kill";
    const viewers = times(VIEWERS, (n) =>
      n % 3 === 2 ? new Faithful(token, null, `script:${script} kind:log`) : new Faithful(token, script, ""),
    );
    const acknowledged: number[] = [];
    let next = 0;
    const sendBatch = async () => {
      const numbers = times(PER_BATCH, () => next++);
      await client.ingest(numbers.map((n) => probeItem(script, "k", n)));
      acknowledged.push(...numbers);
    };
    for (let life = 0; life < 3; life++) {
      const { url } = running;
      await Promise.all(viewers.map((viewer) => viewer.come(url)));
      for (let batch = 0; batch < 10; batch++) await sendBatch();
      // Half of them are not there when the last ones are stored, and no push is awaited.
      for (const viewer of viewers.slice(0, VIEWERS / 2)) viewer.leave();
      for (let batch = 0; batch < 5; batch++) await sendBatch();
      const cut = sendBatch().catch(() => {});
      await running.kill(victim);
      await cut;
      running = await launch(data, port);
    }
    const { url } = running;
    await Promise.all(viewers.map((viewer) => viewer.come(url)));
    await sendBatch();
    const missing = () => viewers.map((viewer) => viewer.compare(acknowledged).missing.length);
    await until(
      async () => missing(),
      (counts) => counts.every((n) => n === 0),
      HEARD_MS,
    );
    for (const viewer of viewers) {
      expect(viewer.compare(acknowledged)).toEqual({ missing: [], doubled: [] });
      expect(viewer.gone).toBe(0);
      expect(viewer.inOrder).toBe(true);
      expect(viewer.tally?.wrong).toEqual([]);
    }
    for (const viewer of viewers) viewer.leave();
  },
);

test("what was sealed meanwhile is gone from the stream, and the viewer is told exactly how much", async () => {
  data = mkdtempSync(join(tmpdir(), "tailrace-live-kill-"));
  const port = await freePort();
  running = await launch(data, port);
  const client = new Client(running.url, ADMIN_TOKEN);
  const { token } = await createToken(client);
  const script = "live-gone";
  const viewer = new Faithful(token, script, "");
  await viewer.come(running.url);
  await client.ingest(times(10, (n) => probeItem(script, "g", n)));
  await until(
    async () => viewer.tally?.events,
    (events) => events === 20,
    HEARD_MS,
  );
  viewer.leave();
  await client.ingest(times(30, (n) => probeItem(script, "g", 10 + n)));
  // Sealing takes the log away, and a redeploy the ring.
  await client.seal();
  await running.kill("both");
  running = await launch(data, port);
  await client.ingest(times(5, (n) => probeItem(script, "g", 40 + n)));
  await viewer.come(running.url);
  await until(
    async () => viewer.gone,
    (gone) => gone > 0,
    HEARD_MS,
  );
  await until(
    async () => viewer.compare([40, 41, 42, 43, 44]).missing.length,
    (n) => n === 0,
    HEARD_MS,
  );
  expect(viewer.gone).toBe(60);
  viewer.leave();
});
