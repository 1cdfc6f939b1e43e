/**
 * Everything in Tailrace that moves a cursor, and whether it does: seal and issues
 * of each Ingester with something unsealed, publishing of notifications, delivery to
 * each destination. Pure: from the facts of `facts.ts`.
 */
import type { StatusAnswer } from "../api/contract/integrations.ts";
import type { Facts, KnownDestination } from "./facts.ts";
import { type ConsumerFacts, judgeProgress, STALL_MS } from "./progress.ts";

export type Consumer = StatusAnswer["consumers"][number];

/** Sealing starts at this age of the oldest batch: before, there is nothing to do. */
interface Ages {
  sealAgeMs: number;
}

export function consumersOf(facts: Facts, { sealAgeMs }: Ages, now: number): Consumer[] {
  return [
    ...ingesters(facts, sealAgeMs, now),
    notifications(facts, now),
    ...facts.destinations.map((d) => delivery(d, now)),
  ];
}

function ingesters({ ingesters: asked }: Facts, sealAgeMs: number, now: number): Consumer[] {
  return asked.flatMap(({ shard, status, error }): Consumer[] => {
    if (status === undefined) {
      const message = `The Ingester does not answer: ${error ?? "no message"}`;
      return [{ name: `seal ${shard}`, kind: "seal", condition: "stalled", lagMs: null, movedAt: null, message }];
    }
    const { oldestMs, sealedAt = 0, sealFailures, lastError, issuesWaitingMs = 0, flushFailures } = status;
    const dueAt = now - oldestMs + sealAgeMs;
    const seal = consumer(`seal ${shard}`, "seal", oldestMs, now, {
      paused: false,
      hasWork: oldestMs > sealAgeMs,
      movedAt: sealedAt === 0 ? null : sealedAt,
      since: Math.min(dueAt, now),
    });
    const issues = consumer(`issues ${shard}`, "issues", issuesWaitingMs, now, {
      paused: false,
      hasWork: issuesWaitingMs > 0,
      movedAt: null,
      since: now - issuesWaitingMs,
    });
    const because = lastError === undefined ? "" : ` ${lastError}`;
    if (sealFailures > 0) seal.message += ` ${sealFailures} tries failed.${because}`;
    if (flushFailures > 0) issues.message += ` ${flushFailures} tries failed.${because}`;
    return [seal, issues];
  });
}

function notifications({ notifications: { waiting, oldestAt, lastPublishedAt } }: Facts, now: number): Consumer {
  const lag = oldestAt === null ? 0 : Math.max(now - oldestAt, 0);
  return consumer("notifications", "notifications", lag, now, {
    paused: false,
    hasWork: waiting > 0,
    movedAt: lastPublishedAt,
    since: oldestAt ?? now,
  });
}

function delivery({ name, state, createdAt, updatedAt, health }: KnownDestination, now: number): Consumer {
  const lag = health?.oldestWaiting == null ? null : Math.max(now - health.oldestWaiting, 0);
  const found = consumer(`delivery to ${name}`, "delivery", lag, now, {
    paused: state !== "enabled" || health?.condition === "paused",
    hasWork: health !== null && hasWork(health),
    movedAt: health?.movedAt ?? null,
    since: Math.max(createdAt, updatedAt),
    dueAt: health?.dueAt ?? null,
    reportedAt: health?.asOf ?? null,
    isCarried: health !== null && isCarried(health),
  });
  const stands = found.condition === "stalled" || (found.condition === "moving" && health?.failedOverSince != null);
  if (stands && health !== null) found.message += ` ${health.sentence}`;
  return found;
}

/** Judged at the moment of the courier's last word: one that is silent since is found out by that. */
const isCarried = ({ carriedAt, asOf }: NonNullable<KnownDestination["health"]>) =>
  carriedAt != null && asOf - carriedAt <= STALL_MS;

/** Where nobody knows yet how much waits, the condition tells whether anything does. */
function hasWork({ queued, oldestWaiting, condition }: NonNullable<KnownDestination["health"]>): boolean {
  if (condition === "idle" || condition === "standby") return false;
  if (oldestWaiting !== null || (queued ?? 0) > 0) return true;
  return queued === null && condition !== "ok";
}

function consumer(
  name: string,
  kind: Consumer["kind"],
  lagMs: number | null,
  now: number,
  facts: ConsumerFacts,
): Consumer {
  return { name, kind, lagMs, movedAt: facts.movedAt, ...judgeProgress(facts, now) };
}
