/**
 * Destinations as they are set up: rows of D1, read for Couriers, the queue's
 * consumer and the API. `api/destinations/` writes them. A secret leaves this
 * file only opened in memory (`openValues`), for who is about to send.
 */
import { asc, eq } from "drizzle-orm";
import type {
  CatalogEntry,
  DestinationHealth,
  DestinationRules,
  DestinationState,
} from "../api/contract/integrations.ts";
import { database, schema } from "../db/client.ts";
import type { Values } from "../integrations/contract.ts";
import { destinationPurpose } from "../secrets/purposes.ts";
import { type KeyEnv, open, type SealFailure } from "../secrets/seal.ts";

/** A team has a handful; a list needs no pages, and a nudge looks at all of them. */
export const MAX_DESTINATIONS = 50;

export interface StoredDestination {
  id: string;
  integration: string;
  name: string;
  state: DestinationState;
  standby: boolean;
  failoverTo: string | null;
  rules: DestinationRules;
  /** Fields that are no secret. */
  values: Record<string, string>;
  /** Field → sealed text. */
  sealed: Record<string, string>;
  /** Grows with each change. */
  revision: number;
  createdAt: number;
  createdBy: string;
  updatedAt: number;
  backfillFrom: number | null;
  /** As its Courier last wrote it; null before that. */
  health: DestinationHealth | null;
}

export type DestinationEnv = Pick<Env, "DB"> & KeyEnv;

/** Throws when D1 does. */
export async function readDestination(env: DestinationEnv, id: string): Promise<StoredDestination | undefined> {
  const { destinations } = schema;
  const rows = await database(env.DB).select().from(destinations).where(eq(destinations.id, id)).limit(1);
  return rows[0] === undefined ? undefined : storedOf(rows[0]);
}

/** In the order in which they were made. Throws when D1 does. */
export async function listDestinations(env: DestinationEnv): Promise<StoredDestination[]> {
  const { destinations } = schema;
  const rows = await database(env.DB)
    .select()
    .from(destinations)
    .orderBy(asc(destinations.createdAt), asc(destinations.id))
    .limit(MAX_DESTINATIONS);
  return rows.map(storedOf);
}

export type OpenedValues = { ok: true; values: Values; secrets: string[] } | SealFailure;

/**
 * All values of a destination, secrets opened, absent fields by their default. Hold
 * them no longer than it takes; `secrets` is what masking has to take out of messages.
 * @param fields of its integration
 */
export async function openValues(
  env: KeyEnv,
  row: Pick<StoredDestination, "id" | "values" | "sealed">,
  fields: CatalogEntry["fields"],
): Promise<OpenedValues> {
  const opened = await openFields(env, row.sealed, (field) => destinationPurpose(row.id, field));
  if (!opened.ok) return opened;
  const values = { ...defaultsOf(fields), ...row.values, ...opened.values };
  return { ok: true, values, secrets: Object.values(opened.values) };
}

/** Opens sealed fields; the first that does not open decides. */
export async function openFields(
  env: KeyEnv,
  sealed: Readonly<Record<string, string>>,
  purpose: (field: string) => string,
): Promise<{ ok: true; values: Record<string, string> } | SealFailure> {
  const values: Record<string, string> = {};
  for (const [field, text] of Object.entries(sealed)) {
    const opened = await open(env, purpose(field), text);
    if (!opened.ok) return opened;
    values[field] = opened.text;
  }
  return { ok: true, values };
}

/** Fields that nobody filled in. */
export function defaultsOf(fields: CatalogEntry["fields"]): Record<string, string> {
  return Object.fromEntries(fields.flatMap(({ name, default: value }) => (value === undefined ? [] : [[name, value]])));
}

type Row = typeof schema.destinations.$inferSelect;

function storedOf(row: Row): StoredDestination {
  const { rules, fieldValues, sealed, standby, state, health, ...rest } = row;
  return {
    ...rest,
    state: state as DestinationState,
    standby: standby !== 0,
    rules: JSON.parse(rules) as DestinationRules,
    values: JSON.parse(fieldValues) as Record<string, string>,
    sealed: JSON.parse(sealed) as Record<string, string>,
    health: health === "" ? null : (JSON.parse(health) as DestinationHealth),
  };
}
