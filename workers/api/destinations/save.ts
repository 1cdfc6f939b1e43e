/**
 * Makes and changes destinations: what was sent is checked against the catalog,
 * the rules and the other destinations, secrets are sealed, and the row goes to D1
 * with its row of the audit log. `routes/destinations.ts` hands in.
 */
import { and, eq, sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { database, schema } from "../../db/client.ts";
import { listDestinations, MAX_DESTINATIONS, openFields, type StoredDestination } from "../../delivery/destinations.ts";
import { readRules } from "../../delivery/rules/rules.ts";
import { integrationOf } from "../../integrations/catalog.ts";
import type { Destination } from "../../integrations/contract.ts";
import { destinationPurpose } from "../../secrets/purposes.ts";
import { type SealFailure, seal } from "../../secrets/seal.ts";
import { type AuditAction, auditOfChange } from "../audit.ts";
import type { DestinationRules, NewDestination } from "../contract.ts";
import { type Failure, fail } from "../errors.ts";
import { failoverProblem } from "./failover.ts";
import { insertDestination } from "./insert.ts";
import { type Before, type Filled, fillIn, type Problems } from "./values.ts";

export type Saved = { ok: true; destination: StoredDestination } | { ok: false; failure: Failure };
type Settings = Omit<NewDestination, "integration" | "backfillFrom">;

/** Bits of chance in an id: 2^24 destinations may be made before two are likely to be alike. */
const ID_BYTES = 6;

export const badFields = (problems: Problems): Failure =>
  fail("bad_fields", Object.values(problems)[0] ?? "The fields do not fit.", { details: { problems } });

export const noSuchDestination = (id: string): Failure =>
  fail("not_found", `There is no destination ${id}. GET /api/v1/destinations lists them.`);

export const noSuchIntegration = (id: string): Failure =>
  fail("not_found", `There is no integration ${id}. GET /api/v1/integrations lists them.`);

export function destinationOf(id: string): { ok: true; value: Destination } | { ok: false; failure: Failure } {
  const integration = integrationOf(id);
  if (integration === undefined) return { ok: false, failure: noSuchIntegration(id) };
  if (integration.role === "destination") return { ok: true, value: integration };
  const message = `${integration.name} is a resource, to which nothing is sent: POST /api/v1/resources.`;
  return { ok: false, failure: fail("bad_request", message) };
}

export async function createDestination(env: Env, asked: NewDestination, actor: string): Promise<Saved> {
  const integration = destinationOf(asked.integration);
  if (!integration.ok) return integration;
  const others = await listDestinations(env);
  if (others.length >= MAX_DESTINATIONS) return FULL;
  const id = newId();
  const checked = checkSettings(env, integration.value, asked, { id: null, others });
  if (!checked.ok) return checked;
  const now = Date.now();
  if (asked.backfillFrom != null && asked.backfillFrom > now)
    return { ok: false, failure: badFields({ backfillFrom: "A back-fill begins in the past." }) };
  const sealed = await sealAll(env, id, checked.filled.secrets);
  if (!sealed.ok) return { ok: false, failure: sealFailure(sealed) };
  const destination: StoredDestination = {
    ...{ id, integration: integration.value.id, name: asked.name, ...settingsOf(asked) },
    ...{ rules: checked.rules, values: checked.filled.values, sealed: sealed.fields, revision: 1 },
    ...{ createdAt: now, createdBy: actor, updatedAt: now, backfillFrom: asked.backfillFrom ?? null, health: null },
  };
  const entry = { at: now, actor, action: "destination.create", target: id, detail: detailOf(destination) } as const;
  const problem = await insertDestination(env, { ...columnsOf(destination), id }, entry);
  if (problem === "full") return FULL;
  if (problem === "name_taken") return { ok: false, failure: badFields({ name: nameTaken(asked.name) }) };
  return { ok: true, destination };
}

const nameTaken = (name: string) => `There is a destination named ${name} already.`;

export async function changeDestination(
  env: Env,
  stored: StoredDestination,
  asked: Settings,
  actor: string,
): Promise<Saved> {
  const integration = destinationOf(stored.integration);
  if (!integration.ok) return integration;
  const before = await openBefore(env, stored);
  if (!before.ok) return before;
  const others = (await listDestinations(env)).filter(({ id }) => id !== stored.id);
  const checked = checkSettings(env, integration.value, asked, { id: stored.id, others, before: before.value });
  if (!checked.ok) return checked;
  const sealed = await sealAll(env, stored.id, checked.filled.secrets);
  if (!sealed.ok) return { ok: false, failure: sealFailure(sealed) };
  const changed: StoredDestination = {
    ...stored,
    ...{ name: asked.name, ...settingsOf({ ...asked, state: asked.state ?? stored.state }) },
    ...{ rules: checked.rules, values: checked.filled.values, sealed: sealed.fields },
  };
  const detail = { ...detailOf(changed), changed: changesOf(stored, changed, before.value, checked.filled) };
  return write(env, stored, changed, { action: "destination.update", actor, detail });
}

/** Also for what changes no field: pausing, resuming. */
export async function write(
  env: Env,
  stored: StoredDestination,
  changed: StoredDestination,
  { action, actor, detail }: { action: AuditAction; actor: string; detail: unknown },
): Promise<Saved> {
  const { destinations } = schema;
  const now = Date.now();
  const destination = { ...changed, revision: stored.revision + 1, updatedAt: now };
  const db = database(env.DB);
  const isFree = sql`NOT EXISTS (SELECT 1 FROM ${destinations} AS other
    WHERE lower(other.name) = lower(${destination.name}) AND other.id <> ${stored.id})`;
  const same = and(eq(destinations.id, stored.id), eq(destinations.revision, stored.revision), isFree);
  const set = changedOf(columnsOf(stored), columnsOf(destination));
  const change = db.update(destinations).set(set).where(same).returning({ id: destinations.id });
  const [updated] = await runBatch<[{ id: string }, unknown]>(env.DB, [
    change.getSQL(),
    auditOfChange({ at: now, actor, action, target: stored.id, detail }),
  ]);
  if (updated.length > 0) return { ok: true, destination };
  return refused(
    "changed_meanwhile",
    "Somebody else changed this destination just now. Load it again, then change it.",
  );
}

type Checked = { ok: true; filled: Filled; rules: DestinationRules } | { ok: false; failure: Failure };

interface Context {
  id: string | null;
  others: readonly StoredDestination[];
  before?: Before;
}

function checkSettings(env: Env, integration: Destination, asked: Settings, { id, others, before }: Context): Checked {
  const filled = fillIn(integration, asked.values, { before, allowLoopback: env.TAILRACE_ALLOW_LOOPBACK === "true" });
  const problems: Problems = { ...filled.problems };
  const same = (name: string) => name.toLowerCase() === asked.name.toLowerCase();
  if (others.some(({ name }) => same(name))) problems.name = nameTaken(asked.name);
  const read = readRules(integration, asked.rules);
  if (!read.ok) Object.assign(problems, read.problems);
  else {
    const { standby = false, failoverTo = null } = asked;
    const links = others.map((one) => ({ ...one, takes: integrationOf(one.integration)?.takes ?? [] }));
    const problem = failoverProblem({ id, standby, failoverTo, rules: read.rules }, links);
    if (problem !== undefined) problems.failoverTo = problem;
  }
  if (!read.ok || Object.keys(problems).length > 0) return { ok: false, failure: badFields(problems) };
  return { ok: true, filled, rules: read.rules };
}

/** Values and secrets of what is stored, for an edit or a test of it. */
export async function openBefore(
  env: Env,
  stored: StoredDestination,
): Promise<{ ok: true; value: Before } | { ok: false; failure: Failure }> {
  const secrets: Record<string, string> = {};
  const unopened: Record<string, string> = {};
  for (const [name, text] of Object.entries(stored.sealed)) {
    const opened = await openFields(env, { [name]: text }, (field) => destinationPurpose(stored.id, field));
    if (opened.ok) Object.assign(secrets, opened.values);
    else if (opened.code === "no_key" || opened.code === "bad_key") return { ok: false, failure: sealFailure(opened) };
    // It is entered again, and what is entered replaces it.
    else unopened[name] = "What is stored cannot be opened with the present TAILRACE_SECRET_KEY.";
  }
  return { ok: true, value: { values: stored.values, secrets, unopened } };
}

export const sealFailure = ({ message }: SealFailure): Failure => fail("unavailable", message);

async function sealAll(env: Env, id: string, secrets: Readonly<Record<string, string>>) {
  const fields: Record<string, string> = {};
  for (const [field, text] of Object.entries(secrets)) {
    const sealed = await seal(env, destinationPurpose(id, field), text);
    if (!sealed.ok) return sealed;
    fields[field] = sealed.sealed;
  }
  return { ok: true as const, fields };
}

const settingsOf = ({ state = "enabled", standby = false, failoverTo = null }: Partial<Settings>) => ({
  ...{ state, standby, failoverTo },
});

function columnsOf(destination: StoredDestination) {
  const { integration, name, state, standby, failoverTo, revision, createdAt, createdBy, updatedAt } = destination;
  return {
    ...{ integration, name, state, failoverTo, revision, createdAt, createdBy, updatedAt },
    standby: standby ? 1 : 0,
    rules: JSON.stringify(destination.rules),
    fieldValues: JSON.stringify(destination.values),
    sealed: JSON.stringify(destination.sealed),
    backfillFrom: destination.backfillFrom,
  };
}

/** Only these are written: the rotation of the key seals texts anew without counting as a change. */
const changedOf = <T extends object>(was: T, is: T): Partial<T> =>
  Object.fromEntries(Object.entries(is).filter(([name, value]) => was[name as keyof T] !== value)) as Partial<T>;

/** For the audit log: no values, not even those that are no secret. */
const detailOf = ({ integration, name, state, standby, failoverTo }: StoredDestination) => ({
  ...{ integration, name, state, standby, failoverTo },
});

function changesOf(was: StoredDestination, is: StoredDestination, before: Before, { secrets }: Filled): string[] {
  const names = new Set([...Object.keys(was.values), ...Object.keys(is.values)]);
  const values = [...names].filter((name) => was.values[name] !== is.values[name]);
  const secretNames = new Set([...Object.keys(was.sealed), ...Object.keys(secrets)]);
  const secret = [...secretNames].filter((name) => before.secrets[name] !== secrets[name]);
  const rules = JSON.stringify(was.rules) === JSON.stringify(is.rules) ? [] : ["rules"];
  return [...values, ...secret, ...rules].sort();
}

function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_BYTES));
  return `dst_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

const FULL: Saved = {
  ok: false,
  failure: fail("limit_reached", `There are ${MAX_DESTINATIONS} destinations already, which is the most there may be.`),
};

const refused = (tag: "changed_meanwhile", message: string): Saved => ({
  ok: false,
  failure: fail(tag, message),
});
