/** The Worker. Wiring only: each handler hands over to the stage that owns the work. */
import { app } from "./api/app.ts";
import { runHousekeeping } from "./api/housekeeping.ts";
import { handleNudges } from "./delivery/nudges.ts";
import { runExpiry } from "./delivery/source/expire.ts";
import { sweepIssues } from "./errors/issues/sweep.ts";
import { handleTail, type TailProps } from "./ingest/tail.ts";
import { runDaily, runHourly } from "./store/maintenance.ts";

export { Ingester } from "./buffer/ingester.ts";
export { Courier } from "./delivery/courier.ts";
export { LiveHub } from "./live/hub.ts";
export { RolloutGuard } from "./rollouts/guard.ts";
export { Counters } from "./self/counters.ts";

/** As in wrangler.toml; every other cron, also one fired by hand without a name, does the hourly work. */
const DAILY = "17 3 * * *";

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),

  tail: (items, env, ctx) => handleTail(items, env, ctx, ctx.props as TailProps | undefined),

  queue: (batch, env) => handleNudges(batch, env),

  async scheduled({ cron }, env) {
    const now = Date.now();
    if (cron === DAILY) await Promise.all([runDaily(env, now), runHousekeeping(env, now)]);
    else await Promise.all([runHourly(env, now), sweepIssues(env, now), runExpiry(env, now)]);
  },
} satisfies ExportedHandler<Env>;
