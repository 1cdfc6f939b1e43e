/**
 * `/api/v1/destinations`: where events and notices are sent. Secrets go in and never
 * come out. A change is in D1 first; then its Courier (`delivery/`) is told.
 */
import { eq } from "drizzle-orm";
import { database, schema } from "../../db/client.ts";
import { listDestinations, readDestination, type StoredDestination } from "../../delivery/destinations.ts";
import type { AuditAction } from "../audit.ts";
import { audit, auditRow } from "../audit.ts";
import { type ApiContext, type Handler, principalOf } from "../context.ts";
import type { DestinationAnswer, DestinationState, DestinationsAnswer } from "../contract.ts";
import { ask, tell } from "../destinations/courier.ts";
import { BackfillBody, ChangedDestinationBody, NewDestinationBody, OneDestination } from "../destinations/input.ts";
import { showDestination } from "../destinations/rows.ts";
import { badFields, changeDestination, createDestination, noSuchDestination, write } from "../destinations/save.ts";
import { type Failure, fail } from "../errors.ts";
import { readJson, readParams } from "../input.ts";

export const getDestinations: Handler = async (c) => {
  const stored = await listDestinations(c.env);
  const destinations = await Promise.all(stored.map((one) => showDestination(c.env, one)));
  return c.json({ destinations } satisfies DestinationsAnswer);
};

export const getDestination: Handler = async (c) => {
  const found = await find(c);
  return found.ok ? show(c, found.stored) : found.failure;
};

export const postDestination: Handler = async (c) => {
  const body = await readJson(c, NewDestinationBody);
  if (!body.ok) return body.failure;
  const saved = await createDestination(c.env, body.value, principalOf(c).actor);
  if (!saved.ok) return saved.failure;
  const { id } = saved.destination;
  await tell(c, id);
  c.header("Location", `/api/v1/destinations/${id}`);
  return show(c, saved.destination, 201);
};

export const putDestination: Handler = async (c) => {
  const found = await find(c);
  if (!found.ok) return found.failure;
  const body = await readJson(c, ChangedDestinationBody);
  if (!body.ok) return body.failure;
  const saved = await changeDestination(c.env, found.stored, body.value, principalOf(c).actor);
  if (!saved.ok) return saved.failure;
  await tell(c, found.stored.id);
  return show(c, saved.destination);
};

/** Its cursors and dead letters go with it; what it was to be sent stays stored as events. */
export const deleteDestination: Handler = async (c) => {
  const found = await find(c);
  if (!found.ok) return found.failure;
  const { id, name, integration } = found.stored;
  const users = (await listDestinations(c.env)).filter((one) => one.failoverTo === id);
  if (users.length > 0) {
    const names = users.map((one) => one.name).join(", ");
    return fail("in_use", `${name} takes over for ${names}: choose another failover there first.`);
  }
  const { destinations } = schema;
  const db = database(c.env.DB);
  const entry = { at: Date.now(), actor: principalOf(c).actor, target: id, detail: { name, integration } };
  await db.batch([
    db.delete(destinations).where(eq(destinations.id, id)),
    auditRow(db, { ...entry, action: "destination.remove" }),
  ]);
  // Without its row it lets go of what is kept for it by itself; now, if it hears us.
  await ask(c, id, (courier) => courier.remove());
  return c.body(null, 204);
};

const turn =
  (state: DestinationState, action: AuditAction): Handler =>
  async (c) => {
    const found = await find(c);
    if (!found.ok) return found.failure;
    const { stored } = found;
    if (stored.state === state) return show(c, stored);
    const { actor } = principalOf(c);
    const saved = await write(c.env, stored, { ...stored, state }, { action, actor, detail: { name: stored.name } });
    if (!saved.ok) return saved.failure;
    await tell(c, stored.id);
    return show(c, saved.destination);
  };

export const pauseDestination = turn("paused", "destination.pause");
export const resumeDestination = turn("enabled", "destination.resume");

/** Tries now, whatever it waits for. */
export const retryDestination: Handler = async (c) => {
  const found = await find(c);
  if (!found.ok) return found.failure;
  const { id, name, state } = found.stored;
  if (state === "paused") return fail("bad_request", `${name} is paused. Resume it, and it is tried at once.`);
  const asked = await ask(c, id, (courier) => courier.retryNow());
  if (!asked.ok) return asked.failure;
  await note(c, "destination.retry", id, { name });
  return show(c, found.stored);
};

export const backfillDestination: Handler = async (c) => {
  const found = await find(c);
  if (!found.ok) return found.failure;
  const body = await readJson(c, BackfillBody);
  if (!body.ok) return body.failure;
  const now = Date.now();
  const { from, to = now } = body.value;
  if (from >= Math.min(to, now)) return badFields({ from: "A back-fill begins in the past, before it ends." });
  const { id, name } = found.stored;
  const asked = await ask(c, id, (courier) => courier.backfill({ from, to: Math.min(to, now) }));
  if (!asked.ok) return asked.failure;
  await note(c, "destination.backfill", id, { name, from, to });
  return show(c, found.stored);
};

type Found = { ok: true; stored: StoredDestination } | { ok: false; failure: Failure };

/** The destination that the path names. Without a row no Courier is asked: made-up names must not make objects. */
export async function find(c: ApiContext): Promise<Found> {
  const params = readParams(c, OneDestination);
  if (!params.ok) return params;
  const stored = await readDestination(c.env, params.value.id);
  return stored === undefined ? { ok: false, failure: noSuchDestination(params.value.id) } : { ok: true, stored };
}

const show = async (c: ApiContext, stored: StoredDestination, status: 200 | 201 = 200) =>
  c.json({ destination: await showDestination(c.env, stored) } satisfies DestinationAnswer, status);

/** For what a Courier has done already: a change outside D1. */
export const note = (c: ApiContext, action: AuditAction, target: string, detail: unknown) =>
  audit(c.env, { at: Date.now(), actor: principalOf(c).actor, action, target, detail });
