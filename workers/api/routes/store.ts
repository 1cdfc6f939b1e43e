/**
 * `POST /api/v1/seal` and `POST /api/v1/maintenance`: what Ingesters and crons
 * do in their own time, now. For tests, benches, and before a look at the bucket.
 */
import { runExpiry } from "../../delivery/source/expire.ts";
import { sweepIssues } from "../../errors/issues/sweep.ts";
import { runDaily, runHourly, sealAll } from "../../store/maintenance.ts";
import { audit } from "../audit.ts";
import { type Handler, principalOf } from "../context.ts";
import type { SealAnswer } from "../contract.ts";
import { fail } from "../errors.ts";
import { runHousekeeping } from "../housekeeping.ts";

export const seal: Handler = async (c) => {
  const { sealed, failed } = await sealAll(c.env);
  const { actor } = principalOf(c);
  await audit(c.env, { at: Date.now(), actor, action: "store.seal", target: "all", detail: { sealed, failed } });
  if (failed.length > 0)
    return fail("unavailable", `${failed.length} Ingesters could not seal; nothing is lost, they try again.`, {
      details: { sealed, failed },
    });
  return c.json({ sealed } satisfies SealAnswer);
};

export const maintenance: Handler = async (c) => {
  const now = Date.now();
  // First: what it lets go of is garbage for the hourly run.
  const expiry = await runExpiry(c.env, now);
  const hourly = await runHourly(c.env, now);
  const daily = await runDaily(c.env, now);
  await Promise.all([runHousekeeping(c.env, now), sweepIssues(c.env, now)]);
  const { actor } = principalOf(c);
  const report = { expiry, hourly, daily };
  await audit(c.env, { at: now, actor, action: "store.maintenance", target: "all", detail: report });
  if (expiry.errors.length + hourly.errors.length + daily.errors.length > 0)
    return fail("unavailable", "A part of the maintenance failed; the next run tries again.", { details: report });
  return c.json(report);
};
