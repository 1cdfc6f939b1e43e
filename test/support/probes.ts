/**
 * Trace items that can be told apart afterwards. A probe is an invocation with
 * one log line that carries its batch and its number; counts and sums per batch
 * show what was lost or doubled without listing every event.
 */
import { expect } from "vitest";
import type { Client } from "./client.ts";

export interface ProbeBatch {
  id: string;
  size: number;
}

export function probeItem(script: string, batch: string, n: number, time = Date.now()): Record<string, unknown> {
  return {
    event: {
      request: {
        url: `https://probe.example/items/${n}`,
        method: "GET",
        headers: {},
        cf: { colo: "LHR", country: "GB" },
      },
      response: { status: 200 },
    },
    eventTimestamp: time,
    logs: [{ timestamp: time, level: "info", message: ["probe", { probe: { batch, n, square: n * n } }] }],
    exceptions: [],
    diagnosticsChannelEvents: [],
    scriptName: script,
    scriptVersion: { id: "11111111-2222-4333-8444-555555555555", tag: "v1", message: "first" },
    outcome: "ok",
    executionModel: "stateless",
    truncated: false,
    cpuTime: 1,
    wallTime: 2.5,
  };
}

export function probeItems(script: string, { id, size }: ProbeBatch): Record<string, unknown>[] {
  return Array.from({ length: size }, (_, n) => probeItem(script, id, n));
}

/** What a query says per batch: how many lines, and two sums that only the right numbers add up to. */
export async function countProbes(client: Client, script: string): Promise<Map<string, number[]>> {
  const { rows } = await client.query(
    `script:${script} kind:log "probe" | stats count() as lines, sum(@probe.n) as total, sum(@probe.square) as squares by @probe.batch`,
  );
  return new Map(rows.map((row) => [String(row[0]), row.slice(1).map(Number)]));
}

/** Every acknowledged probe exactly once; the others (cut off before the answer) at most once. */
export async function expectExactlyOnce(
  client: Client,
  script: string,
  acknowledged: readonly ProbeBatch[],
  uncertain: readonly ProbeBatch[] = [],
): Promise<void> {
  const found = await countProbes(client, script);
  const wrong: string[] = [];
  for (const batch of acknowledged) {
    const got = found.get(batch.id) ?? [0, 0, 0];
    const want = sums(batch.size);
    if (got.some((value, i) => value !== want[i])) wrong.push(`${batch.id}: ${got} instead of ${want}`);
  }
  for (const batch of uncertain) {
    const [lines = 0] = found.get(batch.id) ?? [];
    if (lines > batch.size) wrong.push(`${batch.id} (not acknowledged): ${lines} lines of ${batch.size}`);
  }
  const known = new Set([...acknowledged, ...uncertain].map((batch) => batch.id));
  for (const id of found.keys()) if (!known.has(id)) wrong.push(`${id}: never sent`);
  expect(wrong).toEqual([]);
}

/** lines, Σn and Σn² for n = 0 … size − 1. */
function sums(size: number): number[] {
  return [size, (size * (size - 1)) / 2, ((size - 1) * size * (2 * size - 1)) / 6];
}
