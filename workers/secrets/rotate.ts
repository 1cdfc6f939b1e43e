/**
 * A key is changed in three steps: put the new one in front of TAILRACE_SECRET_KEY,
 * call this, take the old one away. What is stored under another key is opened and
 * sealed under the first one; what cannot be opened is left as it is and named, so
 * that somebody enters it again. `api/routes/secrets.ts` and `tailrace secrets
 * rotate` call it; it can be called again at any time.
 */
import { and, eq } from "drizzle-orm";
import type { SecretsAnswer } from "../api/contract.ts";
import { type Database, database, schema } from "../db/client.ts";
import { cloudflareTokenPurpose, destinationPurpose, resourcePurpose } from "./purposes.ts";
import { type KeyEnv, keyIdOf, keyIds, open, seal } from "./seal.ts";

export type SecretsEnv = Pick<Env, "DB" | "CLOUDFLARE_API_BASE_URL"> & KeyEnv;

/** Field → sealed text, of one row. */
type Fields = Record<string, string>;

interface Holder {
  /** As people know it: `destination "Sentry"`. */
  name: string;
  fields: Fields;
  purpose(field: string): string;
  /** False when the row was changed in between: then it holds what was just sealed. */
  replace(fields: Fields): Promise<boolean>;
}

/** Which keys seal what is stored, and what none of them opens. */
export async function secretsState(env: SecretsEnv): Promise<SecretsAnswer> {
  return stateOf(env, await holdersOf(env));
}

/** Throws when D1 does; what was sealed anew until then is, and the rest opens as before. */
export async function reseal(env: SecretsEnv): Promise<SecretsAnswer> {
  const keys = await keyIds(env);
  const first = keys.ok ? keys.ids[0] : undefined;
  let resealed = 0;
  if (first !== undefined) for (const holder of await holdersOf(env)) resealed += await resealRow(env, holder, first);
  return { ...(await secretsState(env)), resealed };
}

async function resealRow(env: KeyEnv, { fields, purpose, replace }: Holder, key: string): Promise<number> {
  const anew: Fields = {};
  for (const [field, text] of Object.entries(fields)) {
    if (keyIdOf(text) === key) continue;
    const opened = await open(env, purpose(field), text);
    if (!opened.ok) continue;
    const sealed = await seal(env, purpose(field), opened.text);
    if (sealed.ok) anew[field] = sealed.sealed;
  }
  const count = Object.keys(anew).length;
  return count > 0 && (await replace({ ...fields, ...anew })) ? count : 0;
}

async function stateOf(env: KeyEnv, holders: readonly Holder[]): Promise<SecretsAnswer> {
  const keys = await keyIds(env);
  const counts = new Map<string, number>();
  const unreadable: string[] = [];
  for (const { name, fields, purpose } of holders) {
    for (const [field, text] of Object.entries(fields)) {
      const key = keyIdOf(text);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      const opened = await open(env, purpose(field), text);
      if (!opened.ok) unreadable.push(`${name}: ${field}`);
    }
  }
  const sealed = [...counts].map(([key, count]) => ({ key, count }));
  return { key: keys.ok ? (keys.ids[0] ?? null) : null, sealed, unreadable };
}

/** Everything that is sealed in D1. A table that comes to hold sealed texts is added here. */
async function holdersOf(env: SecretsEnv): Promise<Holder[]> {
  const db = database(env.DB);
  const { destinations, resources, cloudflareAccounts } = schema;
  const [ofDestinations, ofResources, accounts] = await Promise.all([
    db.select({ id: destinations.id, name: destinations.name, sealed: destinations.sealed }).from(destinations),
    db.select({ id: resources.id, name: resources.name, sealed: resources.sealed }).from(resources),
    db.select().from(cloudflareAccounts),
  ]);
  // Only what was read is replaced: who edits a row meanwhile has sealed it under the first key already.
  return [
    ...ofDestinations.map((row) => holderOf(db, destinations, row, "destination", destinationPurpose)),
    ...ofResources.map((row) => holderOf(db, resources, row, "resource", resourcePurpose)),
    ...accounts.map(({ accountId, sealedToken }) => ({
      name: "the Cloudflare account",
      fields: { token: sealedToken },
      purpose: () => cloudflareTokenPurpose(accountId, env.CLOUDFLARE_API_BASE_URL),
      replace: async ({ token = sealedToken }: Fields) => {
        const same = eq(cloudflareAccounts.sealedToken, sealedToken);
        return changed(await db.update(cloudflareAccounts).set({ sealedToken: token }).where(same));
      },
    })),
  ];
}

/** A row whose column `sealed` is JSON of fields. */
function holderOf(
  db: Database,
  table: typeof schema.destinations | typeof schema.resources,
  { id, name, sealed }: { id: string; name: string; sealed: string },
  what: string,
  purposeOf: (id: string, field: string) => string,
): Holder {
  return {
    name: `${what} "${name}"`,
    fields: JSON.parse(sealed) as Fields,
    purpose: (field) => purposeOf(id, field),
    replace: async (fields) => {
      const same = and(eq(table.id, id), eq(table.sealed, sealed));
      const anew = { sealed: JSON.stringify(fields) };
      return changed(await db.update(table).set(anew).where(same));
    },
  };
}

const changed = (result: D1Result) => result.meta.changes > 0;
