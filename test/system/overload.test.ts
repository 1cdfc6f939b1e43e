/**
 * Ten times the normal rate: memory stays bounded, what is dropped is counted
 * (received = kept + dropped), and errors are kept.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bodies, Random } from "../../bench/items.mjs";
import type { IngestAnswer } from "../../workers/api/contract.ts";
import { probeItem } from "../support/probes.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

const SCRIPT = "probe-flood";
/** Items per minute that this Worker is set to be allowed. */
const NORMAL_PER_MINUTE = 3_000;
/** A minute's allowance ten times over, in far less than a minute. */
const SENT = 10 * NORMAL_PER_MINUTE;
const PER_BODY = 250;
const SENDERS = 6;
const ERROR_SHARE = 0.02;
/** workerd with all its isolates; production would end an isolate at 128 MB. */
const MAX_RSS_MIB = 700;

let tailrace: TestStack;
beforeAll(async () => {
  tailrace = await startTestStack();
});
afterAll(() => tailrace.stop());

function floodItem(random: Random, n: number): Record<string, unknown> {
  const item = probeItem(SCRIPT, "flood", n);
  if (random.next() >= ERROR_SHARE) return item;
  item.outcome = "exception";
  item.exceptions = [{ timestamp: Date.now(), name: "TypeError", message: "flooded", stack: "at f (index.js:1:1)" }];
  return item;
}

function rssMib(): number {
  const kib = tailrace.stack.pids().map((pid) => {
    if (process.platform !== "linux") return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)]));
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  });
  return kib.reduce((sum, one) => sum + one, 0) / 1024;
}

/** Workers of the generator's load, unlimited, as fast as they can be sent. */
const FLOOD_ITEMS = 80_000;
const FLOOD_SENDERS = 16;

test("ten times the allowance of one Worker", async () => {
  const { client } = tailrace;
  const settings = JSON.stringify({ ratePerMinute: NORMAL_PER_MINUTE });
  const set = await client.call("PUT", `/api/v1/workers/${SCRIPT}/settings`, settings, {
    "content-type": "application/json",
  });
  expect(set.status).toBe(200);

  const random = new Random(4);
  let sent = 0;
  let errors = 0;
  let peakMib = 0;
  const answers: IngestAnswer[] = [];
  const sender = async () => {
    while (sent < SENT) {
      const items = Array.from({ length: PER_BODY }, () => floodItem(random, sent++));
      errors += items.filter((item) => item.outcome === "exception").length;
      answers.push(await client.ingest(items));
      peakMib = Math.max(peakMib, rssMib());
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));

  const total = (key: "accepted" | "dropped") => answers.reduce((sum, answer) => sum + answer[key], 0);
  console.log(
    `${sent} sent, ${total("accepted")} accepted, ${total("dropped")} dropped, peak ${peakMib.toFixed(0)} MiB`,
  );
  expect(total("accepted") + total("dropped")).toBe(sent);
  expect(total("dropped")).toBeGreaterThan(SENT / 2);
  expect(peakMib).toBeLessThan(MAX_RSS_MIB);

  const { rows, stats } = await client.query(`script:${SCRIPT} kind:invocation | stats count() by outcome`);
  const counts = new Map(rows.map((row) => [row[0], Number(row[1])]));
  expect(counts.get("exception")).toBe(errors);
  const { received, kept, rateLimited, sampledOut, overloaded } = stats.completeness;
  expect(received).toBe(sent);
  expect(kept).toBe(total("accepted"));
  expect(rateLimited + sampledOut + overloaded).toBe(total("dropped"));
  expect((await client.health()).status).toBe(200);
});

test("as much as sixteen senders can send, without a limit", async () => {
  const { client } = tailrace;
  const from = Date.now() - 600_000;
  const source = bodies({ seed: 21, count: FLOOD_ITEMS, perBody: 500, from, spanMs: 500_000 });
  let sent = 0;
  let events = 0;
  let accepted = 0;
  let dropped = 0;
  let peakMib = 0;
  const sender = async () => {
    for (;;) {
      const { value: load } = source.next();
      if (!load) return;
      const { status, body } = await client.call<IngestAnswer>("POST", "/api/v1/ingest/tail", load.body, {
        "content-type": "application/x-ndjson",
      });
      expect(status).toBe(200);
      sent += load.items;
      events += load.events;
      accepted += body.accepted;
      dropped += body.dropped;
      peakMib = Math.max(peakMib, rssMib());
    }
  };
  await Promise.all(Array.from({ length: FLOOD_SENDERS }, sender));
  console.log(`${sent} sent, ${accepted} accepted, ${dropped} dropped, peak ${peakMib.toFixed(0)} MiB`);
  expect(accepted + dropped).toBe(sent);
  expect(peakMib).toBeLessThan(MAX_RSS_MIB);
  await client.seal();
  const range = [from - 1, Date.now() - 30_000] as const;
  expect(await client.number("kind:invocation -script:probe-flood | stats count()", ...range)).toBe(accepted);
  if (dropped === 0) expect(await client.number("-script:probe-flood | stats count()", ...range)).toBe(events);
});
