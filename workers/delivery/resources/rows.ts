/**
 * Resources as they are stored: rows of D1. `resources.ts` makes and changes them,
 * `api/` shows what `rowOf` makes of them: never a secret.
 */
import { asc, eq } from "drizzle-orm";
import type { ResourceRow } from "../../api/contract/integrations.ts";
import { database, schema } from "../../db/client.ts";
import type { Resource } from "../../integrations/contract.ts";
import type { KeyEnv } from "../../secrets/seal.ts";
import { defaultsOf } from "../destinations.ts";

/** A team has a handful; a list needs no pages. */
export const MAX_RESOURCES = 50;

/**
 * Beside the credentials that somebody entered, `sealed` holds what was obtained with
 * them, under this prefix and the name that it has in Workers: so that one more Worker
 * gets the same, and one that could not be reached gets it later.
 */
const OBTAINED = "secret.";
export const obtainedField = (name: string): string => `${OBTAINED}${name}`;
export const nameOfObtained = (field: string): string | undefined =>
  field.startsWith(OBTAINED) ? field.slice(OBTAINED.length) : undefined;

export interface StoredResource {
  id: string;
  integration: string;
  name: string;
  /** Fields that are no secret. */
  values: Record<string, string>;
  /** Field, or `obtainedField`, → sealed text. */
  sealed: Record<string, string>;
  workers: ResourceRow["workers"];
  createdAt: number;
  createdBy: string;
  rotatedAt: number | null;
}

export type ResourceEnv = Pick<Env, "DB" | "BUCKET" | "TAILRACE_ALLOW_LOOPBACK"> & KeyEnv;

/** In the order in which they were made. Throws when D1 does. */
export async function listResources(env: Pick<Env, "DB">): Promise<StoredResource[]> {
  const { resources } = schema;
  const order = [asc(resources.createdAt), asc(resources.id)];
  const rows = await database(env.DB)
    .select()
    .from(resources)
    .orderBy(...order)
    .limit(MAX_RESOURCES);
  return rows.map(storedOf);
}

export async function readResource(env: Pick<Env, "DB">, id: string): Promise<StoredResource | undefined> {
  const { resources } = schema;
  const rows = await database(env.DB).select().from(resources).where(eq(resources.id, id)).limit(1);
  return rows[0] === undefined ? undefined : storedOf(rows[0]);
}

/** What the API shows of it. @param integration undefined: it is in the catalog no more */
export function rowOf(
  stored: StoredResource,
  integration: Pick<Resource, "fields" | "usage"> | undefined,
): ResourceRow {
  const { id, integration: of, name, values, sealed, workers, createdAt, rotatedAt } = stored;
  const all = { ...defaultsOf(integration?.fields ?? []), ...values };
  return {
    ...{ id, integration: of, name, values, workers, createdAt, rotatedAt },
    secretsSet: Object.keys(sealed)
      .filter((field) => nameOfObtained(field) === undefined)
      .sort(),
    usage: integration?.usage(all) ?? { install: "", code: "" },
  };
}

type Row = typeof schema.resources.$inferSelect;

function storedOf({ fieldValues, sealed, workers, ...rest }: Row): StoredResource {
  return {
    ...rest,
    values: JSON.parse(fieldValues) as Record<string, string>,
    sealed: JSON.parse(sealed) as Record<string, string>,
    workers: JSON.parse(workers) as ResourceRow["workers"],
  };
}

export function toRow({ values, sealed, workers, ...rest }: StoredResource): Row {
  const texts = {
    fieldValues: JSON.stringify(values),
    sealed: JSON.stringify(sealed),
    workers: JSON.stringify(workers),
  };
  return { ...rest, ...texts };
}
