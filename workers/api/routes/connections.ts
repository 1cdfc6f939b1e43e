/**
 * `/api/v1/connections`: Workers of the connected account whose tails lead here.
 * Reading asks Cloudflare, which is the truth; D1 knows which entries are ours.
 */
import * as v from "valibot";
import { connectedWorkers, type Workers } from "../../cloudflare/connection.ts";
import type { WorkersClient } from "../../cloudflare/contract.ts";
import { type Changed, connectWorker, disconnectWorker } from "../connections/change.ts";
import { tomlOf } from "../connections/entries.ts";
import {
  connectionOf,
  forgetTails,
  newestEvent,
  readConnectedAt,
  readKnown,
  tailsOf,
  verifyNew,
} from "../connections/read.ts";
import { type ApiContext, type Handler, principalOf } from "../context.ts";
import type { ConnectionAnswer, ConnectionsAnswer } from "../contract.ts";
import { type Failure, fail } from "../errors.ts";
import { readParams } from "../input.ts";
import { cloudflareFailure } from "../rollouts/failure.ts";

/** As Cloudflare names Workers: what goes into a path of its API. */
const OfWorker = v.object({
  script: v.pipe(v.string(), v.regex(/^[\w-]{1,63}$/, "A Worker's name has letters, digits, - and _, 63 at most.")),
  force: v.optional(v.picklist(["true", "false"])),
});
/** A Worker that was connected by its own configuration: is there an event of this time? */
const RECENT_MS = 24 * 3_600_000;

export const listConnections: Handler = async (c) => {
  const self = c.env.TAILRACE_SCRIPT;
  const [workers, known] = await Promise.all([connectedWorkers(c.env), readKnown(c.env)]);
  const toml = tomlOf([], self);
  if (!workers.ok) {
    if (workers.why === "no_token") return fail("unavailable", workers.message);
    const connections = [...known].map(([script, of]) => connectionOf(script, [], of, self)).sort(byName);
    const account = { connected: false, accountId: null };
    return c.json({ connections, account, toml } satisfies ConnectionsAnswer);
  }
  const { client, accountId } = workers;
  const listed = await client.workers();
  if (!listed.ok) return cloudflareFailure(listed);
  const tails = await tailsOf(client, listed.value);
  const unknown = { connectedAt: undefined, lastSeen: undefined };
  const connections = [...tails].map(([script, consumers]) =>
    connectionOf(script, consumers, known.get(script) ?? unknown, self),
  );
  const account = { connected: true, accountId };
  const verified = await verifyNew(c.env, connections);
  return c.json({ connections: verified.sort(byName), account, toml } satisfies ConnectionsAnswer);
};

/** What a page, or the command, asks again and again until the first event is here. */
export const getConnection: Handler = async (c) => {
  const found = await find(c);
  if (!found.ok) return found.failure;
  const { client, script } = found;
  const [consumers, connectedAt] = await Promise.all([client.tailConsumers(script), readConnectedAt(c.env, script)]);
  if (!consumers.ok) return cloudflareFailure(consumers);
  return show(c, script, { ok: true, consumers: consumers.value, connectedAt });
};

export const putConnection: Handler = async (c) => {
  const found = await find(c);
  if (!found.ok) return found.failure;
  const { client, script } = found;
  const done = await connectWorker({ env: c.env, client, script, actor: principalOf(c).actor });
  forgetTails();
  return done.ok ? show(c, script, done) : done.failure;
};

export const deleteConnection: Handler = async (c) => {
  const found = await find(c);
  if (!found.ok) return found.failure;
  const { client, script } = found;
  const change = { env: c.env, client, script, actor: principalOf(c).actor };
  const done = await disconnectWorker(change, found.force);
  forgetTails();
  return done.ok ? show(c, script, done) : done.failure;
};

type Found = { ok: true; client: WorkersClient; script: string; force: boolean } | { ok: false; failure: Failure };

async function find(c: ApiContext): Promise<Found> {
  const params = readParams(c, OfWorker);
  if (!params.ok) return params;
  const workers = await connectedWorkers(c.env);
  if (!workers.ok) return { ok: false, failure: notThere(workers) };
  const { script, force } = params.value;
  return { ok: true, client: workers.client, script, force: force === "true" };
}

export const notThere = (workers: Exclude<Workers, { ok: true }>): Failure =>
  workers.why === "no_token"
    ? fail("unavailable", workers.message)
    : fail("not_connected", "No Cloudflare account is connected. Connect one under Settings (PUT /api/v1/cloudflare).");

async function show(c: ApiContext, script: string, { consumers, connectedAt, notice }: Extract<Changed, { ok: true }>) {
  const self = c.env.TAILRACE_SCRIPT;
  const lastSeen = await newestEvent(c.env, script, connectedAt ?? Date.now() - RECENT_MS);
  const connection = connectionOf(script, consumers, { connectedAt, lastSeen }, self);
  const toml = tomlOf(consumers, self);
  return c.json({ connection, toml, ...(notice === undefined ? {} : { notice }) } satisfies ConnectionAnswer);
}

const byName = (a: { script: string }, b: { script: string }) => (a.script < b.script ? -1 : 1);
