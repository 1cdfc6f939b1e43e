/**
 * A resource's life: credentials are obtained, stored sealed, written into Workers,
 * made anew, taken out again. `api/routes/resources.ts` calls these, with values
 * that it has checked against the integration's fields.
 *
 * What was obtained is stored before it is written: who is interrupted in between
 * finds Workers with an error beside them, and chooses the same Workers again.
 */
import { and, eq } from "drizzle-orm";
import { database, schema } from "../../db/client.ts";
import type { Failure, Io, Resource, Values } from "../../integrations/contract.ts";
import { resourcePurpose } from "../../secrets/purposes.ts";
import { type KeyEnv, type SealFailure, seal } from "../../secrets/seal.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import { defaultsOf, openFields } from "../destinations.ts";
import { masker } from "../egress/mask.ts";
import { createIo } from "../io/io.ts";
import {
  MAX_RESOURCES,
  nameOfObtained,
  obtainedField,
  type ResourceEnv,
  readResource,
  type StoredResource,
  toRow,
} from "./rows.ts";
import { removeFrom, type SecretWriter, type WorkerState, writeInto } from "./write.ts";

/** Two or three requests to the service, each bounded to 10 s. */
const OBTAIN_TIMEOUT_MS = 25_000;
const ID_BYTES = 6;
const UNWRITTEN = "Not written yet.";

/** As `fillIn` of api/destinations/values.ts made them. */
export interface FilledIn {
  /** With defaults and secrets. */
  all: Values;
  values: Record<string, string>;
  secrets: Record<string, string>;
}

export type ResourceFailure =
  | { ok: false; at: "service"; failure: Failure }
  | { ok: false; at: "secret"; why: SealFailure }
  /** Changed by somebody else meanwhile, too many, gone. */
  | { ok: false; at: "conflict" | "too_many" | "not_found"; message: string };
export type ResourceResult = { ok: true; resource: StoredResource } | ResourceFailure;

export interface NewResourceOptions {
  name: string;
  filled: FilledIn;
  workers: readonly string[];
  by: string;
}

export async function createResource(
  env: ResourceEnv,
  writer: SecretWriter,
  integration: Resource,
  { name, filled, workers, by }: NewResourceOptions,
): Promise<ResourceResult> {
  const count = await database(env.DB).$count(schema.resources);
  if (count >= MAX_RESOURCES) return problem("too_many", `There are ${MAX_RESOURCES} resources: remove one first.`);
  const obtained = await obtain(env, integration, filled.all, Object.values(filled.secrets), false);
  if (!obtained.ok) return obtained;
  const id = `${integration.id}-${randomId()}`;
  const sealed = await sealAll(env, id, { ...filled.secrets, ...asFields(obtained.secrets) });
  if (!sealed.ok) return { ok: false, at: "secret", why: sealed.why };
  const stored: StoredResource = {
    ...{ id, integration: integration.id, name, values: filled.values, sealed: sealed.fields },
    workers: workers.map((script) => ({ script, secrets: [], writtenAt: 0, error: UNWRITTEN })),
    ...{ createdAt: Date.now(), createdBy: by, rotatedAt: null },
  };
  await database(env.DB).insert(schema.resources).values(toRow(stored));
  const written = await writeInto(writer, workers, obtained.secrets, [], Date.now);
  return saveWorkers(env, stored, written);
}

/** Those that are new get its secrets, and those that could not be written; those that are left out lose them. */
export async function chooseWorkers(
  env: ResourceEnv,
  writer: SecretWriter,
  id: string,
  workers: readonly string[],
): Promise<ResourceResult> {
  const stored = await readResource(env, id);
  if (stored === undefined) return gone(id);
  const opened = await openFields(env, stored.sealed, (field) => resourcePurpose(id, field));
  if (!opened.ok) return { ok: false, at: "secret", why: opened };
  const secrets = obtainedOf(opened.values);
  const fine = stored.workers.filter(({ script, error }) => error === null && workers.includes(script));
  const due = workers.filter((script) => !fine.some((state) => state.script === script));
  const written = await writeInto(writer, due, secrets, stored.workers, Date.now);
  const left = await removeFrom(
    writer,
    stored.workers.filter(({ script }) => !workers.includes(script)),
  );
  return saveWorkers(env, stored, [...fine, ...written, ...left]);
}

/**
 * Makes new credentials where the service can, or takes those that were entered, and
 * writes them to all of its Workers. @param filled with what is stored where nothing was entered
 */
export async function rotateResource(
  env: ResourceEnv,
  writer: SecretWriter,
  integration: Resource,
  id: string,
  filled: FilledIn,
): Promise<ResourceResult> {
  const stored = await readResource(env, id);
  if (stored === undefined) return gone(id);
  const obtained = await obtain(env, integration, filled.all, Object.values(filled.secrets), true);
  if (!obtained.ok) return obtained;
  const sealed = await sealAll(env, id, { ...filled.secrets, ...asFields(obtained.secrets) });
  if (!sealed.ok) return { ok: false, at: "secret", why: sealed.why };
  const workers = stored.workers.map((state) => ({ ...state, error: UNWRITTEN }));
  const next = { ...stored, values: filled.values, sealed: sealed.fields, workers, rotatedAt: Date.now() };
  const { resources } = schema;
  const same = and(eq(resources.id, id), eq(resources.sealed, JSON.stringify(stored.sealed)));
  const saved = await database(env.DB).update(resources).set(toRow(next)).where(same);
  if (saved.meta.changes === 0)
    return problem(
      "conflict",
      "Somebody else changed it at the same time. Look at it again, and rotate once more if it is needed.",
    );
  const scripts = workers.map(({ script }) => script);
  return saveWorkers(env, next, await writeInto(writer, scripts, obtained.secrets, workers, Date.now));
}

/**
 * Takes its secrets out of its Workers, and then it is gone. Where that fails it stays,
 * with those Workers and why. @param force gone in any case: whoever asks knows that the Workers keep them
 */
export async function removeResource(
  env: ResourceEnv,
  writer: SecretWriter,
  id: string,
  force: boolean,
): Promise<ResourceResult & { removed?: boolean }> {
  const stored = await readResource(env, id);
  if (stored === undefined) return gone(id);
  const left = await removeFrom(writer, stored.workers);
  if (left.length > 0 && !force) return { ...(await saveWorkers(env, stored, left)), removed: false };
  await database(env.DB).delete(schema.resources).where(eq(schema.resources.id, id));
  return { ok: true, resource: { ...stored, workers: left }, removed: true };
}

/** Secrets that somebody entered, opened: what `fillIn` is handed as those before. */
export async function openEntered(env: KeyEnv, stored: StoredResource) {
  const opened = await openFields(env, stored.sealed, (field) => resourcePurpose(stored.id, field));
  if (!opened.ok) return opened;
  const entered = Object.entries(opened.values).filter(([field]) => nameOfObtained(field) === undefined);
  return { ok: true as const, values: Object.fromEntries(entered) };
}

/** What there is to choose from for a field. @param values as far as they were filled in */
export async function listOptions(
  env: ResourceEnv,
  integration: Resource,
  field: string,
  values: Values,
): Promise<{ ok: true; options: string[] } | { ok: false; failure: Failure }> {
  const secrets = integration.fields.flatMap(({ name, secret }) => (secret && values[name] ? [values[name]] : []));
  const all = { ...defaultsOf(integration.fields), ...values };
  return withService(
    env,
    secrets,
    async (io) => (await integration.options?.(field, all, io)) ?? { ok: true, options: [] },
  );
}

async function obtain(env: ResourceEnv, integration: Resource, values: Values, secrets: string[], rotate: boolean) {
  const obtained = await withService(env, secrets, (io) => integration.obtain(values, io, rotate));
  return obtained.ok ? obtained : { ok: false as const, at: "service" as const, failure: obtained.failure };
}

/** No integration throws for what a service does; one that does, or never ends, fails like a service that is away. */
async function withService<T extends { ok: true }>(
  env: ResourceEnv,
  secrets: readonly string[],
  work: (io: Io) => Promise<T | { ok: false; failure: Failure }>,
): Promise<T | { ok: false; failure: Failure }> {
  try {
    return await within(OBTAIN_TIMEOUT_MS, undefined, work(await createIo(env, { secrets, source: "resource" })));
  } catch (error) {
    const message = masker(secrets)(`It came to no end: ${rootMessage(error)}`);
    return { ok: false, failure: { kind: "timeout", message, status: 0 } };
  }
}

async function sealAll(env: KeyEnv, id: string, texts: Readonly<Record<string, string>>) {
  const fields: Record<string, string> = {};
  for (const [field, text] of Object.entries(texts)) {
    const sealed = await seal(env, resourcePurpose(id, field), text);
    if (!sealed.ok) return { ok: false as const, why: sealed };
    fields[field] = sealed.sealed;
  }
  return { ok: true as const, fields };
}

async function saveWorkers(env: ResourceEnv, stored: StoredResource, workers: WorkerState[]): Promise<ResourceResult> {
  const { resources } = schema;
  const set = { workers: JSON.stringify(workers) };
  await database(env.DB).update(resources).set(set).where(eq(resources.id, stored.id));
  return { ok: true, resource: { ...stored, workers } };
}

const asFields = (secrets: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(secrets).map(([name, text]) => [obtainedField(name), text]));

function obtainedOf(values: Readonly<Record<string, string>>): Record<string, string> {
  const named = Object.entries(values).flatMap(([field, text]) => {
    const name = nameOfObtained(field);
    return name === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(named);
}

const problem = (at: "conflict" | "too_many" | "not_found", message: string): ResourceFailure => ({
  ok: false,
  at,
  message,
});
const gone = (id: string) => problem("not_found", `There is no resource ${id}.`);

const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(ID_BYTES)), (byte) => byte.toString(16).padStart(2, "0")).join("");
