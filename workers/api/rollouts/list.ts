/**
 * Rollouts as D1 has them: the list, and which Worker an id is of. The guard of
 * that Worker has the rest, writes its row here after each change, and is the
 * one to ask about a rollout that runs.
 */
import { and, desc, eq, isNotNull, isNull, lt, type SQL } from "drizzle-orm";
import { database, schema } from "../../db/client.ts";
import { ENDED_STATES, type Rollout, type RolloutsAnswer } from "../contract.ts";
import type { ListRequest } from "./input.ts";

const DEFAULT_ROWS = 50;
/** Rollouts that began in the same millisecond stay on one page, as far as so many. */
const MAX_TIES = 20;

export async function listRollouts(d1: D1Database, request: ListRequest): Promise<RolloutsAnswer> {
  const { limit = DEFAULT_ROWS } = request;
  const { rollouts } = schema;
  const found = await database(d1)
    .select({ startedAt: rollouts.startedAt, row: rollouts.row })
    .from(rollouts)
    .where(and(...conditionsOf(request)))
    .orderBy(desc(rollouts.startedAt), desc(rollouts.id))
    .limit(limit + MAX_TIES);
  let end = Math.min(limit, found.length);
  while (end < found.length && found[end]?.startedAt === found[end - 1]?.startedAt) end++;
  const page = found.slice(0, end);
  const answer: RolloutsAnswer = { rollouts: page.map(({ row }) => JSON.parse(row) as Rollout) };
  const next = end < found.length ? page.at(-1)?.startedAt : undefined;
  return next === undefined ? answer : { ...answer, next };
}

function conditionsOf({ script, state, before }: ListRequest): (SQL | undefined)[] {
  const { rollouts } = schema;
  return [
    script === undefined ? undefined : eq(rollouts.script, script),
    before === undefined ? undefined : lt(rollouts.startedAt, before),
    state === "running"
      ? isNull(rollouts.endedAt)
      : state === "ended"
        ? isNotNull(rollouts.endedAt)
        : state && eq(rollouts.state, state),
  ];
}

/** Undefined when D1 does not know the rollout. */
export async function scriptOf(d1: D1Database, id: string): Promise<string | undefined> {
  const { rollouts } = schema;
  const [row] = await database(d1)
    .select({ script: rollouts.script })
    .from(rollouts)
    .where(eq(rollouts.id, id))
    .limit(1);
  return row?.script;
}

/** A rollout that has just begun, so that its id leads somewhere at once. The guard's own row, should it be there, stays. */
export async function addIfMissing(d1: D1Database, rollout: Rollout): Promise<void> {
  const { id, script, state, startedAt, endedAt } = rollout;
  const isEnded = ENDED_STATES.includes(state);
  const row = { id, script, state, startedAt, endedAt: isEnded ? endedAt : null, revision: 0 };
  await database(d1)
    .insert(schema.rollouts)
    .values({ ...row, row: JSON.stringify(rollout) })
    .onConflictDoNothing();
}
