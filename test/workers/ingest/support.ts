/** Reads back what the Ingester of a script has in its log. */
import { env } from "cloudflare:workers";
import { shardName } from "../../../workers/buffer/contract.ts";
import { eventAt } from "../../../workers/event/batch.ts";
import { decodeBatch } from "../../../workers/event/batch-wire.ts";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import type { LedgerDelta, LedgerReason, RollupDelta } from "../../../workers/event/rollup.ts";

/** Unique per test: storage lives as long as a test file. */
export const uniqueScript = () => `test-${crypto.randomUUID().slice(0, 8)}`;

const ingester = (script: string) => env.INGESTER.getByName(shardName(script, 0));

export async function eventsIn(script: string): Promise<TailraceEvent[]> {
  const { batches } = await ingester(script).unsealed({ from: 0, to: Number.MAX_SAFE_INTEGER });
  return batches.flatMap(({ batch }) => {
    const columns = decodeBatch(batch);
    return Array.from({ length: columns.rows }, (_, row) => eventAt(columns, row));
  });
}

export async function appendsOf(script: string): Promise<number> {
  return (await ingester(script).unsealedRollups()).entries.length;
}

export async function countsOf(
  script: string,
): Promise<{ ledger: Partial<Record<LedgerReason, number>>; requests: number }> {
  const { entries } = await ingester(script).unsealedRollups();
  const ledger: Partial<Record<LedgerReason, number>> = {};
  let requests = 0;
  for (const entry of entries) {
    for (const { counts } of JSON.parse(entry.ledger) as LedgerDelta[]) {
      for (const reason of Object.keys(counts) as LedgerReason[]) {
        ledger[reason] = (ledger[reason] ?? 0) + (counts[reason] ?? 0);
      }
    }
    for (const rollup of JSON.parse(entry.rollups) as RollupDelta[]) requests += rollup.requests;
  }
  return { ledger, requests };
}

export function item(scriptName: string, overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    event: { request: { url: "https://shop.test/", method: "GET", headers: {} }, response: { status: 200 } },
    eventTimestamp: Date.now(),
    logs: [],
    exceptions: [],
    diagnosticsChannelEvents: [],
    scriptName,
    outcome: "ok",
    executionModel: "stateless",
    truncated: false,
    cpuTime: 1,
    wallTime: 5,
    ...overrides,
  };
}
