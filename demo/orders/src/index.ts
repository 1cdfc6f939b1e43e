/** The consumer of the order queue and the nightly report. */
import type { OrderMessage } from "../../shared/contracts.ts";
import type { Env } from "./env.ts";
import { fulfil } from "./fulfil.ts";
import { nightlyReport } from "./report.ts";

export default {
  queue: (batch, env) => fulfil(batch, env),
  scheduled: (event, env) => nightlyReport(event, env),
} satisfies ExportedHandler<Env, OrderMessage>;
