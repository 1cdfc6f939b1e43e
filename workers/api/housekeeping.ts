/** What nobody needs any more: the API's own rows, source maps, details of old issues. `index.ts` runs it with the daily cron. */
import { and, eq, lt, or } from "drizzle-orm";
import { database, schema } from "../db/client.ts";
import { runIssueRetention } from "../errors/issues/retention.ts";
import { sweepMaps } from "../errors/maps/sweep.ts";
import { rootMessage } from "../util/error-message.ts";
import { expiredSessions } from "./auth/sessions.ts";

const DAY_MS = 86_400_000;
/** Auditors ask about the last year. */
const AUDIT_MS = 400 * DAY_MS;
/** Refused log-ins are noise from outside: kept for as long as one looks into an attack. */
const REFUSED_MS = 30 * DAY_MS;

/** One part that fails does not keep the others from running; the first failure is thrown in the end. */
export async function runHousekeeping(env: Env, now: number): Promise<void> {
  const failures: unknown[] = [];
  for (const part of [clearOwnRows, sweepMaps, runIssueRetention]) {
    try {
      await part(env, now);
    } catch (error) {
      console.error(`housekeeping: ${rootMessage(error)}`);
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function clearOwnRows(env: Env, now: number): Promise<void> {
  const db = database(env.DB);
  const { audit, sessions } = schema;
  const refused = and(eq(audit.action, "session.refused"), lt(audit.at, now - REFUSED_MS));
  await db.batch([
    db.delete(sessions).where(expiredSessions(now)),
    db.delete(audit).where(or(lt(audit.at, now - AUDIT_MS), refused)),
  ]);
}
