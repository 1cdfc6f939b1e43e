/**
 * `/api/v1/resources`: credentials of services that Workers use, written into them as
 * secrets. They go in, or are made, and never come out here. `delivery/resources/`
 * does it; here it is checked, asked for, and written down.
 */
import { eq } from "drizzle-orm";
import { database, schema } from "../../db/client.ts";
import {
  chooseWorkers,
  createResource,
  listOptions,
  openEntered,
  type ResourceFailure,
  removeResource,
  rotateResource,
} from "../../delivery/resources/resources.ts";
import { listResources, readResource, rowOf, type StoredResource } from "../../delivery/resources/rows.ts";
import { integrationOf } from "../../integrations/catalog.ts";
import type { Resource } from "../../integrations/contract.ts";
import { type AuditAction, audit } from "../audit.ts";
import { type ApiContext, type Handler, principalOf } from "../context.ts";
import type { OptionsAnswer, ResourceAnswer, ResourcesAnswer } from "../contract.ts";
import { badFields, noSuchIntegration, sealFailure } from "../destinations/save.ts";
import { type Before, type Filled, fillIn } from "../destinations/values.ts";
import { type Failure, fail } from "../errors.ts";
import { readJson, readParams } from "../input.ts";
import { ChangedResourceBody, NewResourceBody, OneResource, OptionsBody, RotateBody } from "../resources/input.ts";
import { secretWriter, underRollout } from "../resources/writer.ts";

export const getResources: Handler = async (c) => {
  const stored = await listResources(c.env);
  return c.json({ resources: stored.map(show) } satisfies ResourcesAnswer);
};

export const postResource: Handler = async (c) => {
  const body = await readJson(c, NewResourceBody);
  if (!body.ok) return body.failure;
  const { integration: of, name, values, workers } = body.value;
  const integration = resourceOf(of);
  if (!integration.ok) return integration.failure;
  const taken = await nameTaken(c.env, name, null);
  if (taken !== undefined) return taken;
  const filled = fill(c, integration.value, values, undefined);
  if (!filled.ok) return filled.failure;
  const by = principalOf(c).actor;
  const writer = await secretWriter(c.env);
  const made = await createResource(c.env, writer, integration.value, { name, filled: filled.value, workers, by });
  if (!made.ok) return refusalOf(made);
  await note(c, "resource.create", made.resource);
  return c.json({ resource: show(made.resource) } satisfies ResourceAnswer, 201);
};

/** Other values are other credentials: they are obtained anew, and written to those Workers that are chosen. */
export const putResource: Handler = async (c) => {
  const found = await find(c);
  if (!found.ok) return found.failure;
  const body = await readJson(c, ChangedResourceBody);
  if (!body.ok) return body.failure;
  const { stored, integration, before } = found;
  const { id } = stored;
  const { name, values, workers } = body.value;
  const taken = await nameTaken(c.env, name, id);
  if (taken !== undefined) return taken;
  const filled = fill(c, integration, values, before);
  if (!filled.ok) return filled.failure;
  const writer = await secretWriter(c.env);
  if (isOther(before, filled.value)) {
    const running = await refuseUnderRollout(c.env, stored);
    if (running !== undefined) return running;
    const rotated = await rotateResource(c.env, writer, integration, id, filled.value);
    if (!rotated.ok) return refusalOf(rotated);
  }
  if (name !== stored.name) {
    const { resources } = schema;
    await database(c.env.DB).update(resources).set({ name }).where(eq(resources.id, id));
  }
  const changed = await chooseWorkers(c.env, writer, id, workers);
  if (!changed.ok) return refusalOf(changed);
  await note(c, "resource.update", changed.resource);
  return c.json({ resource: show(changed.resource) } satisfies ResourceAnswer);
};

export const rotateResourceRoute: Handler = async (c) => {
  const found = await find(c);
  if (!found.ok) return found.failure;
  // `curl -X POST …/rotate` says nothing more.
  const body = (await c.req.text()) === "" ? NOTHING_SAID : await readJson(c, RotateBody);
  if (!body.ok) return body.failure;
  const { stored, integration, before } = found;
  const filled = fill(c, integration, { ...stored.values, ...body.value.values }, before);
  if (!filled.ok) return filled.failure;
  const running = await refuseUnderRollout(c.env, stored);
  if (running !== undefined) return running;
  const rotated = await rotateResource(c.env, await secretWriter(c.env), integration, stored.id, filled.value);
  if (!rotated.ok) return refusalOf(rotated);
  await note(c, "resource.rotate", rotated.resource);
  return c.json({ resource: show(rotated.resource) } satisfies ResourceAnswer);
};
const NOTHING_SAID = { ok: true as const, value: { values: {} as Record<string, string> } };

/** Takes its secrets out of its Workers first; where that fails it stays, unless whoever asks says `?force=true`. */
export const deleteResource: Handler = async (c) => {
  const params = readParams(c, OneResource);
  if (!params.ok) return params.failure;
  const { id, force } = params.value;
  const stored = force === "true" ? undefined : await readResource(c.env, id);
  const running = stored === undefined ? undefined : await refuseUnderRollout(c.env, stored);
  if (running !== undefined) return running;
  const removed = await removeResource(c.env, await secretWriter(c.env), id, force === "true");
  if (!removed.ok) return refusalOf(removed);
  if (removed.removed !== true) return fail("in_use", leftIn(removed.resource));
  await note(c, "resource.remove", removed.resource);
  return c.body(null, 204);
};

/** New credentials may end the old ones, so they go to all of its Workers or are not made. */
async function refuseUnderRollout(env: Env, { name, workers }: StoredResource): Promise<Failure | undefined> {
  const scripts = await underRollout(
    env,
    workers.map(({ script }) => script),
  );
  if (scripts.length === 0) return undefined;
  const message = `${name} stays as it is while a rollout runs (${scripts.join(", ")}): changing a secret makes a new version that everybody gets. Try again when it has ended.`;
  return fail("rollout_running", message, { details: { scripts } });
}

function leftIn({ name, workers }: StoredResource): string {
  const where = workers.map(({ script, error }) => `${script} (${error ?? "unknown"})`).join("; ");
  return `${name} stays, for its secrets could not be taken out of ${where}. Try again; or send ?force=true: it goes, and those secrets stay in these Workers.`;
}

export const resourceOptions: Handler = async (c) => {
  const body = await readJson(c, OptionsBody);
  if (!body.ok) return body.failure;
  const { id, integration: of, field, values } = body.value;
  const integration = resourceOf(of);
  if (!integration.ok) return integration.failure;
  const before = id === undefined ? undefined : await beforeOf(c.env, id, of);
  if (before !== undefined && !before.ok) return before.failure;
  // Fields that are still empty are no problem yet.
  const { all } = fillIn(integration.value, values, { before: before?.value, allowLoopback: mayLoop(c) });
  const listed = await listOptions(c.env, integration.value, field, all);
  if (!listed.ok) return refusalOf({ ok: false, at: "service", failure: listed.failure });
  return c.json({ options: listed.options } satisfies OptionsAnswer);
};

type Found =
  | { ok: true; stored: StoredResource; integration: Resource; before: Before }
  | { ok: false; failure: Failure };

async function find(c: ApiContext): Promise<Found> {
  const params = readParams(c, OneResource);
  if (!params.ok) return params;
  const stored = await readResource(c.env, params.value.id);
  if (stored === undefined) return { ok: false, failure: noSuchResource(params.value.id) };
  const integration = resourceOf(stored.integration);
  if (!integration.ok) return integration;
  const opened = await openEntered(c.env, stored);
  if (!opened.ok) return { ok: false, failure: sealFailure(opened) };
  const before = { values: stored.values, secrets: opened.values };
  return { ok: true, stored, integration: integration.value, before };
}

/** For who tries values out before they are saved: also `destination-tests.ts`. */
export async function beforeOf(
  env: Env,
  id: string,
  integration: string,
): Promise<{ ok: true; value: Before } | { ok: false; failure: Failure }> {
  const stored = await readResource(env, id);
  if (stored === undefined || stored.integration !== integration) return { ok: false, failure: noSuchResource(id) };
  const opened = await openEntered(env, stored);
  if (!opened.ok) return { ok: false, failure: sealFailure(opened) };
  return { ok: true, value: { values: stored.values, secrets: opened.values } };
}

function resourceOf(id: string): { ok: true; value: Resource } | { ok: false; failure: Failure } {
  const integration = integrationOf(id);
  if (integration === undefined) return { ok: false, failure: noSuchIntegration(id) };
  if (integration.role === "resource") return { ok: true, value: integration };
  const message = `${integration.name} is a destination: POST /api/v1/destinations.`;
  return { ok: false, failure: fail("bad_request", message) };
}

const mayLoop = (c: ApiContext) => c.env.TAILRACE_ALLOW_LOOPBACK === "true";

function fill(
  c: ApiContext,
  integration: Resource,
  values: Readonly<Record<string, string>>,
  before: Before | undefined,
) {
  const filled = fillIn(integration, values, { before, allowLoopback: mayLoop(c) });
  if (Object.keys(filled.problems).length > 0) return { ok: false as const, failure: badFields(filled.problems) };
  return { ok: true as const, value: filled };
}

const isOther = (before: Before, { values, secrets }: Filled) =>
  !sameTexts(before.values, values) || !sameTexts(before.secrets, secrets);

function sameTexts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}

async function nameTaken(env: Env, name: string, id: string | null): Promise<Failure | undefined> {
  const same = (one: string) => one.toLowerCase() === name.toLowerCase();
  const others = (await listResources(env)).filter((one) => one.id !== id);
  if (!others.some((one) => same(one.name))) return undefined;
  return badFields({ name: `There is a resource named ${name} already.` });
}

function refusalOf(refused: ResourceFailure): Failure {
  switch (refused.at) {
    case "service":
      return fail("service", refused.failure.message);
    case "secret":
      return sealFailure(refused.why);
    case "conflict":
      return fail("changed_meanwhile", refused.message);
    case "too_many":
      return fail("limit_reached", refused.message);
    case "not_found":
      return fail("not_found", refused.message);
  }
}

const noSuchResource = (id: string): Failure =>
  fail("not_found", `There is no resource ${id}. GET /api/v1/resources lists them.`);

function show(stored: StoredResource) {
  const integration = integrationOf(stored.integration);
  return rowOf(stored, integration?.role === "resource" ? integration : undefined);
}

/** Names of secrets and Workers, no values. */
function note(c: ApiContext, action: AuditAction, { id, integration, name, workers }: StoredResource): Promise<void> {
  const detail = { integration, name, workers: workers.map(({ script }) => script) };
  return audit(c.env, { at: Date.now(), actor: principalOf(c).actor, action, target: id, detail });
}
