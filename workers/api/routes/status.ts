/**
 * `GET /metrics`: Tailrace's own counters for Prometheus. Without a token totals,
 * with one of scope read per Worker and destination, whose names are the team's own.
 * `GET /api/v1/status`: the same for people, with each consumer's progress.
 */
import { version } from "../../../package.json";
import { CONTENT_TYPE, expositionOf } from "../../self/exposition.ts";
import { linesOf } from "../../self/lines.ts";
import { guard } from "../auth/guard.ts";
import type { Handler } from "../context.ts";
import type { StatusAnswer } from "../contract/integrations.ts";
import { health } from "../health.ts";
import { watch } from "../watching.ts";

export const metrics: Handler = async (c) => {
  const named = c.req.header("authorization") !== undefined;
  // A token that was sent is meant: when it is wrong, totals are not what was asked for.
  const refused = named ? await guard(c, "read") : undefined;
  if (refused !== undefined) return refused;
  const { counters, gauges } = await watch(Date.now(), c.env);
  return c.body(expositionOf(counters?.series ?? [], gauges, named), 200, { "Content-Type": CONTENT_TYPE });
};

export const status: Handler = async (c) => {
  const now = Date.now();
  const [{ status: verdict, checks }, watched] = await Promise.all([health(now, c.env), watch(now, c.env)]);
  const { consumers, counters, at } = watched;
  const answer: StatusAnswer = { status: verdict, checks, consumers, counters: linesOf(counters), version, asOf: at };
  return c.json(answer);
};
