/** What a Courier really works with. Tests set `dependencies.make`. */

import { sql } from "drizzle-orm";
import type { DestinationHealth } from "../../api/contract/integrations.ts";
import { runBatch } from "../../db/batch.ts";
import { destinations } from "../../db/schema.ts";
import { integrationOf } from "../../integrations/catalog.ts";
import type { Destination } from "../../integrations/contract.ts";
import { count, flushCounts } from "../../self/count.ts";
import { rootMessage } from "../../util/error-message.ts";
import { eachWithin } from "../../util/parallel.ts";
import { openValues, readDestination, type StoredDestination } from "../destinations.ts";
import { createIo } from "../io/io.ts";
import { itemsOf, noticeItems, wantsWorker } from "../rules/rules.ts";
import { readBackfill } from "../source/backfill.ts";
import { noticesThrough, readNotices } from "../source/notices.ts";
import { readShard } from "../source/read.ts";
import { endBackfill, letGo, shardsWithNews, startMarks, takeBackfill } from "../source/start.ts";
import { waitingOf } from "../source/waiting.ts";
import { SEAL_MS, SEAL_WIDTH } from "./limits.ts";
import type { Dependencies, Opened, Rules, Sources } from "./needs.ts";

function makeDependencies(ctx: DurableObjectState, env: Env, id: string): Dependencies {
  return {
    readDestination: (which) => readDestination(env, which),
    integrationOf,
    open: (row) => openReceiver(env, row, id),
    sources: sourcesOf(env, id),
    rules: (integration, row) => rulesOf(integration, row),
    writeHealth: (health) => writeHealth(env, id, health),
    count: (name, outcome, n) => {
      if (name === "tailrace_delivery_seconds_total") count(env, name, { destination: id }, n);
      else count(env, name, { destination: id, outcome }, n);
    },
    now: () => Date.now(),
    random: () => Math.random(),
    wake: (at) => {
      // Not awaited: the output gate holds every answer back until it is on disk.
      if (at === null) ctx.storage.deleteAlarm();
      else ctx.storage.setAlarm(at);
    },
  };
}

export const dependencies = { make: makeDependencies };

/** @param id of the destination whose items it gets: another than the row's, where the row is its failover */
async function openReceiver(env: Env, row: StoredDestination, id: string): Promise<Opened> {
  const integration = integrationOf(row.integration);
  if (integration === undefined || integration.role !== "destination")
    return misplaced(`There is no integration "${row.integration}" in this version of Tailrace.`);
  const opened = await openValues(env, row, integration.fields);
  if (!opened.ok) return misplaced(opened.message);
  const io = await createIo(env, { secrets: opened.secrets, source: id });
  return { ok: true, receiver: { id: row.id, revision: row.revision, integration, values: opened.values, io } };
}

const misplaced = (message: string): Opened => ({ ok: false, failure: { kind: "blocked", status: 0, message } });

/** The feeds that were chosen, as far as the receiver takes them: a failover may take fewer. */
export function rulesOf(integration: Destination, row: StoredDestination): Rules {
  const rules = { ...row.rules, feeds: row.rules.feeds.filter((feed) => integration.takes.includes(feed)) };
  const events = rules.feeds.filter((feed) => feed !== "notices");
  return {
    wants: (script) => wantsWorker(rules, script),
    takesEvents: events.length > 0,
    takesNotices: rules.feeds.includes("notices"),
    errorsOnly: events.length === 1 && events[0] === "errors",
    feeds: rules.feeds,
    perMinute: rules.perMinute,
    items: (invocation) => {
      const { items, dropped } = itemsOf(invocation, rules, row.id);
      return { items, sampled: dropped.sampled };
    },
    notices: (notices) => noticeItems(notices, rules, row.id).items,
  };
}

function sourcesOf(env: Env, id: string): Sources {
  return {
    read: (request) => readShard(env, request),
    readBackfill: (request) => readBackfill(env, request),
    waiting: (asked) => waitingOf(env, id, asked),
    startMarks: () => startMarks(env),
    seal: (shards) => sealAll(env, shards),
    withNews: (known) => shardsWithNews(env, known),
    takeBackfill: (from, to) => takeBackfill(env, id, from, to),
    endBackfill: (through) => endBackfill(env, id, through),
    notices: (after, limit) => readNotices(env, after, limit),
    lastNotice: (before) => noticesThrough(env, before),
    letGo: () => letGo(env, id),
  };
}

/** So that a mark of D1 is the end of the log. An Ingester that does not answer keeps nobody waiting: some events from before are sent then. */
async function sealAll(env: Env, shards: readonly string[]): Promise<void> {
  const failures = await eachWithin(shards, { width: SEAL_WIDTH, timeoutMs: SEAL_MS }, async (shard) => {
    await env.INGESTER.getByName(shard).seal();
  });
  for (const { item, error } of failures) console.warn(`delivery: ${item} was not sealed: ${error}`);
}

/** Comes at least once a minute, so what was counted is not left behind for longer. */
async function writeHealth(env: Env, id: string, health: DestinationHealth): Promise<void> {
  flushCounts(env);
  try {
    await runBatch(env.DB, [sql`UPDATE ${destinations} SET health = ${JSON.stringify(health)} WHERE id = ${id}`]);
  } catch (error) {
    // It is written again before long.
    console.warn(`delivery: health of ${id} was not written: ${rootMessage(error)}`);
  }
}
