/**
 * Connects a Worker, or takes that back: its tail consumers are read, our entry is
 * put in or taken out, the list is written and read again. Cloudflare's API has no
 * way to write a list only if nobody changed it since: what lies between the read
 * and the write is some ten milliseconds, and the second read tells what came of it.
 *
 * D1 says that the entry is ours before it is written, so that one that was written
 * is always known as ours, and can be taken back.
 */
import { eq } from "drizzle-orm";
import type { ApiFailure, TailConsumer, WorkersClient } from "../../cloudflare/contract.ts";
import { database, schema } from "../../db/client.ts";
import { auditRow } from "../audit.ts";
import { type Failure, fail } from "../errors.ts";
import { cloudflareFailure } from "../rollouts/failure.ts";
import { hasOurs, othersOf, sameOthers, withOurs, withoutOurs } from "./entries.ts";
import { readConnectedAt } from "./read.ts";

export interface Change {
  env: Env;
  client: WorkersClient;
  script: string;
  actor: string;
}
/** `notice`: done, and there is something to know. */
export type Changed =
  | { ok: true; consumers: TailConsumer[]; connectedAt: number | undefined; notice?: string }
  | { ok: false; failure: Failure };

export async function connectWorker(change: Change): Promise<Changed> {
  const { env, client, script, actor } = change;
  const self = env.TAILRACE_SCRIPT;
  if (script === self)
    return refused("bad_request", "Tailrace does not observe itself: every event would cause the next one.");
  const before = await client.tailConsumers(script);
  if (!before.ok) return { ok: false, failure: cloudflareFailure(before) };
  const known = await readConnectedAt(env, script);
  if (hasOurs(before.value, self)) return { ok: true, consumers: before.value, connectedAt: known };
  const at = Date.now();
  const row = { script, connectedAt: at, connectedBy: actor };
  const { workerConnections: table } = schema;
  const db = database(env.DB);
  await db.insert(table).values(row).onConflictDoUpdate({ target: table.script, set: row });
  const written = await write(change, before.value, withOurs(before.value, self));
  if (!written.ok) {
    // Not there: what D1 said beforehand is taken back. Unknown: it stays, and the page shows what Cloudflare has.
    if (written.isSure && known === undefined) await db.delete(table).where(eq(table.script, script));
    return written;
  }
  await auditRow(db, {
    at,
    actor,
    action: "worker.connect",
    target: script,
    detail: { others: othersOf(before.value, self) },
  });
  return { ...written, connectedAt: at };
}

/** @param force also an entry that Tailrace did not write */
export async function disconnectWorker(change: Change, force: boolean): Promise<Changed> {
  const { env, client, script, actor } = change;
  const self = env.TAILRACE_SCRIPT;
  const known = await readConnectedAt(env, script);
  const before = await client.tailConsumers(script);
  // A Worker that is gone has no tail either.
  if (!before.ok && !(before.kind === "not_found" && known !== undefined))
    return { ok: false, failure: cloudflareFailure(before) };
  const consumers = before.ok ? before.value : [];
  const isThere = hasOurs(consumers, self);
  if (isThere && known === undefined && !force) return refused("not_ours", ownConfiguration(script, self));
  const written: Written = isThere
    ? await write(change, consumers, withoutOurs(consumers, self))
    : { ok: true, consumers };
  if (!written.ok) return written;
  if (isThere || known !== undefined) {
    const { workerConnections: table } = schema;
    const db = database(env.DB);
    const detail = { others: othersOf(consumers, self), byTailrace: known !== undefined };
    await db.batch([
      db.delete(table).where(eq(table.script, script)),
      auditRow(db, { at: Date.now(), actor, action: "worker.disconnect", target: script, detail }),
    ]);
  }
  const forced = isThere && known === undefined ? { notice: comesBack(script) } : {};
  return { ...written, connectedAt: undefined, ...forced };
}

const ownConfiguration = (script: string, self: string) =>
  `Tailrace did not connect ${script}: its own configuration did. Take { service = ${JSON.stringify(self)} } out of tail_consumers in its wrangler.toml and deploy it; otherwise the next deploy brings the entry back. To take it out until then: ?force=true (tailrace disconnect --force).`;
const comesBack = (script: string) =>
  `Its own configuration has the entry: the next deploy of ${script} brings it back unless the line goes from its wrangler.toml.`;

type Written =
  | { ok: true; consumers: TailConsumer[]; notice?: string }
  /** isSure: nothing was changed. */
  | { ok: false; failure: Failure; isSure: boolean };

async function write(
  { env, client, script }: Change,
  before: TailConsumer[],
  wanted: TailConsumer[],
): Promise<Written> {
  const self = env.TAILRACE_SCRIPT;
  const written = await client.setTailConsumers(script, wanted);
  if (!written.ok && !isUnknown(written)) return { ok: false, failure: cloudflareFailure(written), isSure: true };
  const after = await client.tailConsumers(script);
  if (!after.ok) return { ok: false, failure: cloudflareFailure(written.ok ? after : written), isSure: false };
  if (hasOurs(after.value, self) !== hasOurs(wanted, self)) {
    if (!written.ok) return { ok: false, failure: cloudflareFailure(written), isSure: true };
    const message = `Somebody else changed the tail consumers of ${script} at the same moment, and theirs is what stands: ${listOf(after.value)}. Try again.`;
    return { ok: false, failure: fail("changed_meanwhile", message), isSure: true };
  }
  if (sameOthers(before, after.value, self)) return { ok: true, consumers: after.value };
  const notice = `Somebody else changed the tail consumers of ${script} at the same moment. They are now: ${listOf(after.value)}.`;
  return { ok: true, consumers: after.value, notice };
}

/** Nobody knows whether it was done. */
const isUnknown = ({ kind }: ApiFailure) => kind === "timeout" || kind === "unavailable";

const listOf = (consumers: readonly TailConsumer[]) => consumers.map(({ service }) => service).join(", ") || "none";

const refused = (tag: "bad_request" | "not_ours", message: string): Changed => ({
  ok: false,
  failure: fail(tag, message),
});
