/** Levels for `/metrics`: from what `facts.ts` asked and what `consumers.ts` judged. Pure. */

import type { Consumer } from "./consumers.ts";
import type { CountersSnapshot } from "./contract.ts";
import type { Facts } from "./facts.ts";
import type { GaugeName } from "./names.ts";

export interface Sample {
  labels: Record<string, string>;
  value: number;
}
export type Gauges = Partial<Record<GaugeName, Sample[]>>;

/** How gauges of many are added up when nobody is named: the oldest of all, the sum of all. */
const OLDEST: ReadonlySet<GaugeName> = new Set([
  "tailrace_seal_oldest_unsealed_seconds",
  "tailrace_delivery_oldest_waiting_seconds",
]);
export const isOldest = (name: string): boolean => OLDEST.has(name as GaugeName);

export function gaugesOf(facts: Facts, consumers: readonly Consumer[], version: string, now: number): Gauges {
  const { notifications, destinations } = facts;
  const statuses = facts.ingesters.flatMap(({ script: worker, status }) =>
    status === undefined ? [] : [{ worker, status }],
  );
  const perWorker = (
    value: (status: (typeof statuses)[number]["status"]) => number,
    add = (a: number, b: number) => a + b,
  ) => {
    const sums = new Map<string, number>();
    for (const { worker, status } of statuses) sums.set(worker, add(sums.get(worker) ?? 0, value(status)));
    return sums.size === 0 ? [nothing] : [...sums].map(([worker, sum]) => ({ labels: { worker }, value: sum }));
  };
  const perDestination = (value: (health: NonNullable<(typeof destinations)[number]["health"]>) => number | null) => {
    const samples = destinations.flatMap(({ id: destination, health }) => {
      const level = health === null ? null : value(health);
      return level === null ? [] : [{ labels: { destination }, value: level }];
    });
    return samples.length === 0 ? [nothing] : samples;
  };
  const conditions = Map.groupBy(destinations, ({ health }) => health?.condition ?? "new");
  return {
    tailrace_build_info: [{ labels: { version }, value: 1 }],
    tailrace_ingest_unsealed_events: perWorker((status) => status.unsealedRows),
    tailrace_ingest_unsealed_bytes: perWorker((status) => status.unsealedBytes),
    tailrace_seal_oldest_unsealed_seconds: perWorker((status) => status.oldestMs / 1000, Math.max),
    tailrace_seal_quarantined_batches: perWorker((status) => status.quarantined),
    tailrace_ingest_open_shards: [{ labels: {}, value: facts.open }],
    tailrace_notifications_waiting: [{ labels: {}, value: notifications.waiting }],
    tailrace_notifications_oldest_waiting_seconds: [{ labels: {}, value: age(notifications.oldestAt, now) }],
    tailrace_delivery_queued_events: perDestination((health) => health.queued),
    tailrace_delivery_oldest_waiting_seconds: perDestination((health) => age(health.oldestWaiting, now)),
    tailrace_delivery_circuit_open: perDestination((health) => (health.circuit === "closed" ? 0 : 1)),
    tailrace_delivery_dead_letters: perDestination((health) => health.deadLetters),
    tailrace_delivery_destinations: [...conditions].map(([condition, { length }]) => ({
      labels: { condition },
      value: length,
    })),
    tailrace_consumers_stalled: [...Map.groupBy(consumers, (consumer) => consumer.kind)].map(([kind, all]) => ({
      labels: { kind },
      value: all.filter((consumer) => consumer.condition === "stalled").length,
    })),
  };
}

const nothing: Sample = { labels: {}, value: 0 };
const age = (at: number | null, now: number) => (at === null ? 0 : Math.max(now - at, 0) / 1000);

/** Who watches live, from what the hubs reported. */
export function viewersOf({ levels }: Pick<CountersSnapshot, "levels">): Sample[] {
  return [{ labels: {}, value: levels.reduce((sum, { value }) => sum + value, 0) }];
}
