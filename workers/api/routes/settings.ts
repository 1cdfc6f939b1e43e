/**
 * `/api/v1/settings` and `/api/v1/workers/:script/settings`: what ingest, the
 * store and the cron go by. The schemas are ingest's; a change reaches every
 * isolate within seconds (`ingest/settings-cache.ts`). PUT replaces the whole.
 */
import * as v from "valibot";
import { database, schema } from "../../db/client.ts";
import { PLATFORM_SETTINGS_KEY } from "../../db/schema.ts";
import { compileRules } from "../../errors/grouping/rules.ts";
import { platformSettingsSchema, workerSettingsSchema } from "../../ingest/settings.ts";
import { forgetSettings, readSettings } from "../../ingest/settings-cache.ts";
import { auditRow } from "../audit.ts";
import { type Handler, principalOf } from "../context.ts";
import type { PlatformSettings, RuleProblem, WorkerSettings } from "../contract.ts";
import { type Failure, fail } from "../errors.ts";
import { readJson, readParams, scriptName } from "../input.ts";

const OfWorker = v.object({ script: scriptName });

export const getSettings: Handler = async (c) => {
  const { platform } = await readSettings(c.env.DB);
  return c.json(platform satisfies PlatformSettings);
};

export const putSettings: Handler = async (c) => {
  const body = await readJson(c, platformSettingsSchema);
  if (!body.ok) return body.failure;
  const problems = problemsOf(body.value);
  if (problems.length > 0) return badRules(problems);
  const { settings } = schema;
  const { actor } = principalOf(c);
  const now = Date.now();
  const changed = { value: JSON.stringify(body.value), updatedAt: now };
  const db = database(c.env.DB);
  await db.batch([
    db
      .insert(settings)
      .values({ key: PLATFORM_SETTINGS_KEY, ...changed })
      .onConflictDoUpdate({ target: settings.key, set: changed }),
    auditRow(db, { at: now, actor, action: "settings.update", target: PLATFORM_SETTINGS_KEY, detail: body.value }),
  ]);
  forgetSettings();
  return c.json(body.value satisfies PlatformSettings);
};

/** Rules that cannot be read are refused here, and only here: stored ones must never cost the other settings. */
function problemsOf({ grouping }: PlatformSettings): RuleProblem[] {
  const compiled = compileRules(grouping?.fingerprintRules ?? []);
  return compiled.ok ? [] : compiled.problems;
}

function badRules(problems: RuleProblem[]): Failure {
  const [{ line, message }] = problems as [RuleProblem];
  return fail("bad_rules", `Fingerprint rules, line ${line}: ${message}`, { details: { problems } });
}

/** The Worker's own; what it leaves out is the platform's. */
export const getWorkerSettings: Handler = async (c) => {
  const params = readParams(c, OfWorker);
  if (!params.ok) return params.failure;
  const all = await readSettings(c.env.DB);
  return c.json((all.workers.get(params.value.script) ?? {}) satisfies WorkerSettings);
};

export const putWorkerSettings: Handler = async (c) => {
  const params = readParams(c, OfWorker);
  if (!params.ok) return params.failure;
  const body = await readJson(c, workerSettingsSchema);
  if (!body.ok) return body.failure;
  const { workers } = schema;
  const { script } = params.value;
  const { actor } = principalOf(c);
  const now = Date.now();
  const text = JSON.stringify(body.value);
  const db = database(c.env.DB);
  await db.batch([
    // A Worker may have settings before its first event is sealed: `lastSeen` 0 says that it was not seen yet.
    db
      .insert(workers)
      .values({ script, firstSeen: now, lastSeen: 0, settings: text })
      .onConflictDoUpdate({ target: workers.script, set: { settings: text } }),
    auditRow(db, { at: now, actor, action: "worker.settings.update", target: script, detail: body.value }),
  ]);
  forgetSettings();
  return c.json(body.value satisfies WorkerSettings);
};
