import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DestinationHealth } from "../../../workers/api/contract/integrations.ts";
import { judgeConsumers } from "../../../workers/api/health.ts";
import type { IngesterStatus } from "../../../workers/buffer/contract.ts";
import { consumersOf } from "../../../workers/self/consumers.ts";
import type { Facts, KnownDestination } from "../../../workers/self/facts.ts";
import { type ConsumerFacts, judgeProgress, SILENT_MS, STALL_MS } from "../../../workers/self/progress.ts";

const NOW = Date.UTC(2026, 10, 21, 3);
const HOUR = 3_600_000;
const facts = (more: Partial<ConsumerFacts>): ConsumerFacts => ({
  ...{ paused: false, hasWork: true, movedAt: NOW - 1_000, since: NOW - HOUR },
  ...more,
});
const judge = (more: Partial<ConsumerFacts>) => judgeProgress(facts(more), NOW).condition;

describe("a consumer", () => {
  test("that has work and moves is healthy, however much it has left", () => expect(judge({})).toBe("moving"));
  test("that has work and has not moved for a minute stands still", () => {
    expect(judge({ movedAt: NOW - STALL_MS })).toBe("moving");
    expect(judge({ movedAt: NOW - STALL_MS - 1 })).toBe("stalled");
  });
  test("without work is idle, however long it has not moved", () => {
    expect(judge({ hasWork: false, movedAt: NOW - 24 * HOUR })).toBe("idle");
    expect(judge({ hasWork: false, movedAt: null })).toBe("idle");
  });
  test("that has just been made, or resumed, has not failed yet", () => {
    expect(judge({ movedAt: null, since: NOW - STALL_MS })).toBe("new");
    expect(judge({ movedAt: NOW - 24 * HOUR, since: NOW - 10_000 })).toBe("new");
    expect(judge({ movedAt: null, since: NOW - STALL_MS - 1 })).toBe("stalled");
  });
  test("that is paused is healthy", () => expect(judge({ paused: true, movedAt: NOW - HOUR })).toBe("paused"));
  test("that says nothing of itself any more stands still, also when it said last that it had nothing to do", () => {
    expect(judge({ hasWork: false, reportedAt: NOW - SILENT_MS })).toBe("idle");
    expect(judge({ hasWork: false, reportedAt: NOW - SILENT_MS - 1 })).toBe("stalled");
    expect(judge({ reportedAt: null, since: NOW - SILENT_MS })).toBe("new");
    expect(judge({ reportedAt: null, since: NOW - SILENT_MS - 1 })).toBe("stalled");
  });
  test("that is healthy and is left alone stands still in time exactly when it has work", () => {
    const at = fc.integer({ min: NOW - HOUR, max: NOW });
    fc.assert(
      fc.property(fc.option(at), at, fc.boolean(), (movedAt, since, hasWork) => {
        const later = Math.max(movedAt ?? 0, since) + STALL_MS + 1;
        const { condition } = judgeProgress({ paused: false, hasWork, movedAt, since }, Math.max(later, NOW + HOUR));
        expect(condition).toBe(hasWork ? "stalled" : "idle");
      }),
    );
  });
});

const health = (more: Partial<DestinationHealth>): DestinationHealth => ({
  ...{ condition: "ok", sentence: "All is well.", delivered: 1, failed: 0, rejectedByReceiver: 0, deadLetters: 0 },
  ...{ droppedByRule: { sampled: 0, ceiling: 0 }, lost: 0, viaFailover: 0, queued: 0, oldestWaiting: null },
  ...{ lastDeliveredAt: null, movedAt: NOW - 1_000, lastError: null, nextTryAt: null, circuit: "closed" },
  ...{
    failedOverSince: null,
    carriedAt: null,
    backfill: null,
    minutes: [],
    latency: { p50: null, p99: null },
    asOf: NOW - 1_000,
  },
  ...more,
});
const destination = (more: Partial<KnownDestination>): KnownDestination => ({
  ...{ id: "d1", name: "Acme's Sentry", integration: "sentry", state: "enabled", standby: false },
  ...{ createdAt: NOW - HOUR, updatedAt: NOW - HOUR, health: health({}) },
  ...more,
});
const known = (more: Partial<Facts>): Facts => ({
  ...{ open: 0, toAsk: [], ingesters: [], destinations: [] },
  notifications: { waiting: 0, oldestAt: null, lastPublishedAt: null },
  ...more,
});
const AGES = { sealAgeMs: 60_000 };
const conditions = (more: Partial<Facts>) =>
  Object.fromEntries(consumersOf(known(more), AGES, NOW).map(({ name, condition }) => [name, condition]));

describe("delivery", () => {
  const of = (more: Partial<KnownDestination>) =>
    conditions({ destinations: [destination(more)] })["delivery to Acme's Sentry"];

  test("is told by what its courier wrote down", () => {
    expect(of({})).toBe("idle");
    expect(of({ health: health({ queued: 10, oldestWaiting: NOW - HOUR }) })).toBe("moving");
    const hanging = { condition: "failing", queued: 10, oldestWaiting: NOW - HOUR, movedAt: NOW - 61_000 } as const;
    expect(of({ health: health(hanging) })).toBe("stalled");
    expect(of({ state: "paused", health: health(hanging) })).toBe("paused");
    expect(of({ updatedAt: NOW - 5_000, health: health(hanging) })).toBe("new");
  });

  test("that stands still while its failover moves, goes on; one whose failover stands still too does not", () => {
    const down = { condition: "failing", queued: 10, oldestWaiting: NOW - HOUR, movedAt: NOW - HOUR } as const;
    const failedOver = { ...down, failedOverSince: NOW - HOUR, asOf: NOW - 50_000 };
    expect(of({ health: health({ ...failedOver, carriedAt: NOW - 50_000 }) })).toBe("moving");
    expect(of({ health: health({ ...failedOver, carriedAt: NOW - 50_000 - STALL_MS }) })).toBe("moving");
    expect(of({ health: health({ ...failedOver, carriedAt: NOW - 50_001 - STALL_MS }) })).toBe("stalled");
    expect(of({ health: health({ ...failedOver, carriedAt: null }) })).toBe("stalled");
    const silent = { ...failedOver, asOf: NOW - SILENT_MS - 1, carriedAt: NOW - SILENT_MS - 1 };
    expect(of({ health: health(silent) })).toBe("stalled");
  });

  test("that waits on purpose stands still from when it is due", () => {
    const still = { queued: 10, oldestWaiting: NOW - HOUR, movedAt: NOW - HOUR } as const;
    expect(of({ health: health({ ...still, dueAt: NOW + 5_000 }) })).toBe("moving");
    expect(of({ health: health({ ...still, dueAt: NOW - STALL_MS - 1 }) })).toBe("stalled");
    expect(of({ health: health({ ...still, dueAt: NOW + HOUR, asOf: NOW - SILENT_MS - 1 }) })).toBe("stalled");
  });

  test("to a destination that was made a moment ago is new, and one whose courier never said anything stands still", () => {
    expect(of({ health: null, createdAt: NOW - 1_000, updatedAt: NOW - 1_000 })).toBe("new");
    expect(of({ health: null })).toBe("stalled");
  });

  test("that waits for a person stands still when there is something for it", () => {
    expect(of({ health: health({ condition: "attention", queued: 0, movedAt: NOW - HOUR }) })).toBe("idle");
    expect(of({ health: health({ condition: "attention", queued: null, movedAt: NOW - HOUR }) })).toBe("stalled");
  });
});

describe("the Ingesters and notifications", () => {
  const status = (more: Partial<IngesterStatus>): IngesterStatus => ({
    ...{ shard: "shop", script: "shop", unsealedRows: 1, unsealedBytes: 1, oldestMs: 0, sealFailures: 0 },
    ...{ quarantined: 0, flushFailures: 0, issuesWaitingMs: 0 },
    ...more,
  });
  const of = (more: Partial<IngesterStatus>) =>
    conditions({ ingesters: [{ shard: "shop", script: "shop", status: status(more) }] });

  test("sealing has nothing to do before its time, a minute for it then, and may have a backlog while it moves", () => {
    expect(of({ oldestMs: 60_000 })["seal shop"]).toBe("idle");
    expect(of({ oldestMs: 120_000 })["seal shop"]).toBe("new");
    expect(of({ oldestMs: 120_001 })["seal shop"]).toBe("stalled");
    expect(of({ oldestMs: HOUR, sealedAt: NOW - 1_000 })["seal shop"]).toBe("moving");
  });

  test("issues that have been due for a minute stand still", () => {
    expect(of({ issuesWaitingMs: 30_000 })["issues shop"]).toBe("new");
    expect(of({ issuesWaitingMs: 60_001 })["issues shop"]).toBe("stalled");
    expect(of({})["issues shop"]).toBe("idle");
  });

  test("a notification that nobody passes on stands still", () => {
    const notice = (waiting: number, oldestAt: number | null, lastPublishedAt: number | null) =>
      conditions({ notifications: { waiting, oldestAt, lastPublishedAt } }).notifications;
    expect(notice(0, null, NOW - HOUR)).toBe("idle");
    expect(notice(1, NOW - 1_000, NOW - HOUR)).toBe("new");
    expect(notice(9, NOW - HOUR, NOW - 1_000)).toBe("moving");
    expect(notice(9, NOW - HOUR, NOW - 61_000)).toBe("stalled");
  });
});

test("strangers are told how many of which kind, and no name", () => {
  const consumers = consumersOf(known({ destinations: [destination({ health: null })] }), AGES, NOW);
  const { ok, message } = judgeConsumers(consumers);
  expect(ok).toBe(false);
  expect(message).toContain("1 of delivery");
  expect(message).not.toContain("Acme");
});
