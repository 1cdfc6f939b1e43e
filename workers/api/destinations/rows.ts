/** What is stored of a destination, and what its Courier says, → what the API shows. Never a secret. */
import { openFields, type StoredDestination } from "../../delivery/destinations.ts";
import { destinationPurpose } from "../../secrets/purposes.ts";
import { within } from "../../util/within.ts";
import type { DestinationHealth, DestinationRow } from "../contract.ts";
import { courierOf } from "./courier.ts";
import { hostOf } from "./hosts.ts";

/** A page waits for it; what a Courier last wrote down will do. */
const HEALTH_TIMEOUT_MS = 1_500;

export async function showDestination(env: Env, stored: StoredDestination): Promise<DestinationRow> {
  const asked = within(HEALTH_TIMEOUT_MS, "Courier", courierOf(env, stored.id).health()).catch(
    () => stored.health ?? freshHealth(stored, Date.now()),
  );
  const [health, hosts] = await Promise.all([asked, hostsOf(env, stored)]);
  return { ...rowOf(stored, upToDate(stored, health)), hosts };
}

/** Empty where they cannot be opened: what is wrong then, its health says. */
async function hostsOf(env: Env, { id, sealed }: StoredDestination): Promise<Record<string, string>> {
  const opened = await openFields(env, sealed, (field) => destinationPurpose(id, field));
  if (!opened.ok) return {};
  return Object.fromEntries(
    Object.entries(opened.values).flatMap(([field, text]) => {
      const host = hostOf(text);
      return host === undefined ? [] : [[field, host]];
    }),
  );
}

/** A Courier takes a change over with its next run; the page that made it is ahead of that. */
function upToDate(stored: StoredDestination, health: DestinationHealth): DestinationHealth {
  if ((stored.state === "paused") === (health.condition === "paused")) return health;
  const { condition, sentence } = freshHealth(stored, health.asOf);
  return { ...health, condition, sentence };
}

function rowOf(stored: StoredDestination, health: DestinationHealth): DestinationRow {
  const { id, integration, name, state, standby, failoverTo, rules, values, sealed } = stored;
  const { createdAt, createdBy, updatedAt } = stored;
  return {
    ...{ id, integration, name, state, standby, failoverTo, rules, values },
    secretsSet: Object.keys(sealed).sort(),
    ...{ createdAt, createdBy, updatedAt, health },
  };
}

/** Of one whose Courier has not written anything yet. */
function freshHealth({ state, standby }: StoredDestination, now: number): DestinationHealth {
  const condition = state === "paused" ? "paused" : standby ? "standby" : "idle";
  return {
    condition,
    sentence: FRESH[condition],
    ...{ delivered: 0, failed: 0, droppedByRule: { sampled: 0, ceiling: 0 }, rejectedByReceiver: 0 },
    ...{ deadLetters: 0, lost: 0, viaFailover: 0, queued: null, oldestWaiting: null, movedAt: null },
    ...{
      lastDeliveredAt: null,
      lastError: null,
      nextTryAt: null,
      circuit: "closed",
      failedOverSince: null,
      carriedAt: null,
    },
    ...{ backfill: null, minutes: [], latency: { p50: null, p99: null }, asOf: now },
  };
}

const FRESH = {
  paused: "Paused: what happens is kept for it.",
  standby: "Carries what others fail to deliver.",
  idle: "Nothing to deliver yet.",
} as const;
