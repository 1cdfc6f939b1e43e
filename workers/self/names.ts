/**
 * Everything that Tailrace counts about itself: the table that `count.ts` types its
 * callers by, `counters.ts` bounds itself by, and `/metrics` and the status page print.
 * Names follow Prometheus' conventions: base units, `_total` for what only grows.
 */

export interface CounterSpec {
  help: string;
  /** For the status page; seconds and bytes are in the name, too. */
  unit: string;
  labels: readonly string[];
}

const counter = <const L extends readonly string[] = []>(help: string, unit: string, labels?: L) => ({
  help,
  unit,
  labels: (labels ?? []) as L,
});

export const COUNTERS = {
  tailrace_ingest_batches_total: counter("Batches of events that were made durable.", "batches", ["worker"]),
  tailrace_ingest_events_total: counter("Events that were made durable.", "events", ["worker"]),
  tailrace_ingest_bytes_total: counter("Bytes that were written to the Ingesters' logs.", "bytes", ["worker"]),
  tailrace_ingest_items_total: counter("Invocations by what became of them: the ledger's reasons.", "invocations", [
    "worker",
    "reason",
  ]),
  tailrace_ingest_refused_batches_total: counter("Batches that an overloaded Ingester sent back.", "batches", [
    "worker",
  ]),
  tailrace_ingest_lag_seconds_total: counter(
    "Seconds between the newest event of each batch and its being durable; per batch: the mean lag.",
    "seconds",
    ["worker"],
  ),
  tailrace_ingest_timed_batches_total: counter(
    "Batches whose lag was taken: replays of old events are not.",
    "batches",
    ["worker"],
  ),
  tailrace_seal_segments_total: counter("Segments that were sealed.", "segments", ["worker"]),
  tailrace_seal_events_total: counter("Events that were sealed into segments.", "events", ["worker"]),
  tailrace_seal_bytes_total: counter("Bytes of sealed segments.", "bytes", ["worker"]),
  tailrace_seal_failures_total: counter("Tries of sealing that failed.", "tries", ["worker"]),
  tailrace_issues_flushes_total: counter("Tries of bringing issues to the database.", "tries", ["worker", "outcome"]),
  tailrace_notifications_published_total: counter("Notifications that were passed on.", "notifications", ["kind"]),
  tailrace_query_requests_total: counter("Queries that were answered.", "queries", ["outcome"]),
  tailrace_query_seconds_total: counter("Seconds that queries took.", "seconds"),
  tailrace_query_events_total: counter("Events that queries looked at.", "events"),
  tailrace_query_bytes_total: counter("Bytes that queries read.", "bytes"),
  tailrace_live_pushes_total: counter("Pushes of events to the hubs of live viewers.", "pushes", ["worker"]),
  tailrace_live_events_total: counter("Events that were pushed to the hubs of live viewers.", "events", ["worker"]),
  tailrace_delivery_nudges_total: counter("Messages of the delivery queue, by what became of them.", "messages", [
    "outcome",
  ]),
  tailrace_delivery_items_total: counter(
    "Items by what became of them: delivered, failed (a try), sampled, ceiling, rejected, dead, lost.",
    "items",
    ["destination", "outcome"],
  ),
  tailrace_delivery_requests_total: counter("Tries of delivering a batch, by how they ended.", "tries", [
    "destination",
    "outcome",
  ]),
  tailrace_delivery_seconds_total: counter("Seconds that tries of delivering took.", "seconds", ["destination"]),
} as const satisfies Record<string, CounterSpec>;

export type CounterName = keyof typeof COUNTERS;
export type Labels<N extends CounterName> = Readonly<Record<(typeof COUNTERS)[N]["labels"][number], string>>;

/** What names a Worker or a destination is the team's own business: without a token it is added up. */
const PRIVATE_LABELS: ReadonlySet<string> = new Set(["worker", "destination"]);
export const isPrivate = (label: string): boolean => PRIVATE_LABELS.has(label);

/** What is asked when somebody looks: `gauges.ts`. */
export const GAUGES = {
  tailrace_build_info: "Always 1; the version is a label.",
  tailrace_ingest_open_shards: "Ingesters with unsealed events; of the first sixteen more is told.",
  tailrace_ingest_unsealed_events: "Events in the Ingesters' logs that are not in segments yet.",
  tailrace_ingest_unsealed_bytes: "Bytes in the Ingesters' logs that are not in segments yet.",
  tailrace_seal_oldest_unsealed_seconds: "Age of the oldest event that is not in a segment yet.",
  tailrace_seal_quarantined_batches: "Batches that were set aside because they cannot be decoded.",
  tailrace_live_viewers: "Connections that watch live.",
  tailrace_notifications_waiting: "Notifications that were not passed on yet.",
  tailrace_notifications_oldest_waiting_seconds: "Age of the oldest notification that was not passed on yet.",
  tailrace_delivery_queued_events: "Events that wait for a destination and may match its rules.",
  tailrace_delivery_oldest_waiting_seconds: "Age of the oldest event that waits for a destination.",
  tailrace_delivery_circuit_open: "Destinations whose circuit breaker is not closed.",
  tailrace_delivery_dead_letters: "Items that a destination refused and that are kept.",
  tailrace_delivery_destinations: "Destinations by condition.",
  tailrace_consumers_stalled: "Consumers that have work and did not move for a minute.",
} as const;

export type GaugeName = keyof typeof GAUGES;
