/**
 * Gradual deployments over HTTP: list, read, start, steer, and the record for the
 * incident report. The guard of the Worker (`rollouts/guard.ts`) does and knows it
 * all; here it is found, asked, and written down who told it what.
 *
 * A rollout must be taken back while D1 is away: with `?script=` no command reads a
 * row, and a row of the audit log that cannot be written fails nothing. The guard's
 * own record has every command, too.
 */
import type { GuardRpc } from "../../rollouts/contract.ts";
import { within } from "../../util/within.ts";
import { type AuditAction, audit } from "../audit.ts";
import { readKnownWorkers } from "../cloudflare/known-workers.ts";
import { type ApiContext, type Handler, principalOf } from "../context.ts";
import type { EvidenceAnswer, Rollout, RolloutCommand, StartRollout } from "../contract.ts";
import { type Failure, fail, logFailure } from "../errors.ts";
import { type Input, readJson, readParams } from "../input.ts";
import { guardFailure } from "../rollouts/failure.ts";
import { CommandBody, ListParams, OneRollout, StartBody } from "../rollouts/input.ts";
import { addIfMissing, listRollouts as list, scriptOf } from "../rollouts/list.ts";
import { evidenceMarkdown } from "../rollouts/markdown.ts";

type Verb = Parameters<GuardRpc["command"]>[1];

/** Longer than D1 ever takes when it is well. */
const D1_MS = 2_000;

export const listRollouts: Handler = async (c) => {
  const params = readParams(c, ListParams);
  return params.ok ? c.json(await list(c.env.DB, params.value)) : params.failure;
};

export const startRollout: Handler = async (c) => {
  const body = await readJson(c, StartBody);
  if (!body.ok) return body.failure;
  const request: StartRollout = body.value;
  const { id, script, force = false } = request;
  const guard = guardOf(c.env, script);
  if (id !== undefined) {
    const begun = await guard.read(id);
    if (begun !== null) return c.json(begun.rollout);
    // D1 knows a rollout by its id alone. That it may be away holds no start up: ids are UUIDs.
    const owner = await scriptOf(c.env.DB, id).catch(() => undefined);
    if (owner !== undefined && owner !== script)
      return fail("bad_request", `Rollout ${id} is one of another Worker: take a new id.`);
  }
  const started = await guard.start(request, principalOf(c).actor);
  if (!started.ok) {
    // So that who asks again after a lost answer finds what the first request began.
    const running = started.code === "rollout_running" ? await guard.current() : null;
    return guardFailure(started, running);
  }
  const rollout = started.value;
  const { steps, mode } = rollout.plan;
  const detail = {
    version: rollout.new.id,
    old: rollout.old.id,
    mode,
    percents: steps.map(({ percent }) => percent),
    force,
  };
  await Promise.all([orLog(c, addIfMissing(c.env.DB, rollout)), write(c, "rollout.start", rollout, detail)]);
  c.header("Location", `/api/v1/rollouts/${rollout.id}`);
  return c.json(rollout, 201);
};

export const preflightRollout: Handler = async (c) => {
  const body = await readJson(c, StartBody);
  if (!body.ok) return body.failure;
  const found = await guardOf(c.env, body.value.script).preflight(body.value);
  return found.ok ? c.json(found.value) : guardFailure(found);
};

export const getRollout: Handler = async (c) => {
  const found = await findToRead(c);
  if (!found.ok) return found.failure;
  const answer = await found.guard.read(found.id);
  return answer === null ? noRecord(found.id) : c.json(answer);
};

export const rolloutEvidence: Handler = async (c) => {
  const found = await findToRead(c);
  if (!found.ok) return found.failure;
  const [record, page] = await Promise.all([found.guard.evidence(found.id), found.guard.read(found.id)]);
  if (record === null) return noRecord(found.id);
  const evidence: EvidenceAnswer = { ...record, issues: page?.issues ?? [] };
  if ((c.req.header("accept") ?? "").includes("application/json")) return c.json(evidence);
  return c.body(evidenceMarkdown(evidence), 200, {
    "Content-Type": "text/markdown; charset=utf-8",
    "Content-Disposition": `inline; filename="rollout-${found.id}.md"`,
  });
};

const steer =
  (verb: Verb): Handler =>
  async (c) => {
    const found = await find(c);
    if (!found.ok) return found.failure;
    // `curl -X POST …/abort` in a hurry: nothing has to be said.
    const body = await ((await c.req.text()) === "" ? NOTHING_SAID : readJson(c, CommandBody));
    if (!body.ok) return body.failure;
    const { percent, reason = "" } = body.value;
    if (percent !== undefined && verb !== "promote")
      return fail("bad_request", "Only promote takes a percentage: leave `percent` out.");
    const result = await found.guard.command(found.id, verb, body.value, principalOf(c).actor);
    if (!result.ok) return guardFailure(result);
    const rollout = result.value;
    const detail = { version: rollout.new.id, reason, ...(percent === undefined ? {} : { percent }) };
    await write(c, `rollout.${verb}`, rollout, detail);
    return c.json(rollout);
  };
const NOTHING_SAID: Input<RolloutCommand> = { ok: true, value: {} };

export const promoteRollout = steer("promote");
export const pauseRollout = steer("pause");
export const resumeRollout = steer("resume");
export const abortRollout = steer("abort");

/** As `api/` may call it. */
const guardOf = (env: Env, script: string): GuardRpc => env.ROLLOUTS.getByName(script);

type Found = { ok: true; id: string; guard: GuardRpc } | { ok: false; failure: Failure };

/** The guard of the rollout that the path names. */
async function find(c: ApiContext): Promise<Found> {
  const params = readParams(c, OneRollout);
  if (!params.ok) return params;
  const { id, script = await scriptOf(c.env.DB, id) } = params.value;
  if (script === undefined) return { ok: false, failure: noSuchRollout(id) };
  return { ok: true, id, guard: guardOf(c.env, script) };
}

/** The same for who only reads: names that are made up must not make objects, each of which stays for ever. */
async function findToRead(c: ApiContext): Promise<Found> {
  const params = readParams(c, OneRollout);
  if (!params.ok) return params;
  const { id, script } = params.value;
  if (script !== undefined && !(await mayHaveGuard(c, id, script))) return { ok: false, failure: noSuchRollout(id) };
  return find(c);
}

/** Also when D1 cannot say: what runs can be read while it is away. */
const mayHaveGuard = (c: ApiContext, id: string, script: string): Promise<boolean> =>
  within(D1_MS, "D1", Promise.all([scriptOf(c.env.DB, id), readKnownWorkers(c.env.DB, script)])).then(
    ([owner, known]) => owner === script || known.has,
    () => true,
  );

const noSuchRollout = (id: string) => fail("not_found", `There is no rollout ${id}.`);

/** Its Worker's guard does not know it, though the list may. */
const noRecord = (id: string) =>
  fail("not_found", `There is no rollout ${id}, or its record is no longer kept: that of a Worker's last 50 is.`);

function write(c: ApiContext, action: AuditAction, rollout: Rollout, detail: Record<string, unknown>): Promise<void> {
  const { actor } = principalOf(c);
  return orLog(c, audit(c.env, { at: Date.now(), actor, action, target: `${rollout.script} ${rollout.id}`, detail }));
}

/** The guard has done it already: what D1 then says changes nothing about it. */
const orLog = (c: ApiContext, work: Promise<void>): Promise<void> =>
  work.catch((error: unknown) => logFailure(c, error));
