/**
 * What changes by people have in common: which issues are meant, what they were
 * before and are afterwards. Each change is one D1 batch, made by `api/` on
 * behalf of an actor; done twice it changes nothing the second time, and a flush
 * that runs beside it finds the issue either before or after it.
 */
import { type SQL, sql } from "drizzle-orm";
import type { IssueBefore, IssueState, IssuesChanged } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { issues } from "../../db/schema.ts";
import { MAX_IDS } from "./limits.ts";
import { shownState } from "./shown-state.ts";

export type ChangeResult =
  | ({ ok: true } & IssuesChanged)
  | { ok: false; reason: "invalid"; message: string }
  | { ok: false; reason: "not_found"; ids: number[] };

export type Invalid = { ok: false; reason: "invalid"; message: string };

export const invalid = (message: string): Invalid => ({ ok: false, reason: "invalid", message });

/** What is wrong with a list of ids, or the list without doubles. */
export function checkIds(ids: readonly number[]): { ok: true; ids: number[] } | Invalid {
  if (ids.length === 0) return invalid("Name at least one issue in `ids`.");
  if (ids.length > MAX_IDS) return invalid(`At most ${MAX_IDS} issues at once: send the others in a second request.`);
  if (!ids.every((id) => Number.isSafeInteger(id) && id > 0)) return invalid("`ids` are whole numbers.");
  return { ok: true, ids: [...new Set(ids)] };
}

/** Everyone of `ids` exists: a change is for all that were named, or for none. */
export function allExist(ids: readonly number[]): SQL {
  return sql`(SELECT count(*) FROM ${issues} WHERE id IN (${asList(ids)})) = ${ids.length}`;
}

export function asList(values: readonly (number | string)[]): SQL {
  return sql`SELECT value FROM json_each(${JSON.stringify(values)})`;
}

/** The issues meant by `ids`: one that was merged stands for the one it was merged into. */
export function meant(ids: readonly number[]): SQL {
  return sql`SELECT ifnull(merged_into, id) FROM ${issues} WHERE id IN (${asList(ids)})`;
}

interface StateRow {
  id: number;
  state: IssueState;
  state_at: number;
  state_by: string;
  resolved_in: string;
  ignore_until: number | null;
  ignore_count: number | null;
  ignore_rate: number | null;
  ignore_base: number;
  assignee: string;
}

/** Runs the changes between a look at what was and a look at what is. */
export async function change(
  d1: D1Database,
  ids: readonly number[],
  changes: readonly SQL[],
  now: number,
): Promise<ChangeResult> {
  const look = sql`SELECT * FROM ${issues} WHERE id IN (${meant(ids)}) ORDER BY id`;
  const rows = await runBatch<unknown[]>(d1, [
    sql`SELECT id FROM ${issues} WHERE id IN (${asList(ids)})`,
    look,
    ...changes,
    look,
  ]);
  const found = new Set((rows[0] as { id: number }[]).map((row) => row.id));
  const missing = ids.filter((id) => !found.has(id));
  if (missing.length > 0) return { ok: false, reason: "not_found", ids: missing };
  const after = rows.at(-1) as StateRow[];
  return {
    ok: true,
    issues: after.map((row) => ({
      id: row.id,
      state: shownState(row.state, row.ignore_until, now),
      assignee: row.assignee,
    })),
    before: (rows[1] as StateRow[]).map(toBefore),
  };
}

function toBefore(row: StateRow): IssueBefore {
  const { ignore_until: until, ignore_count: count, ignore_rate: rate, ignore_base: base } = row;
  return {
    id: row.id,
    state: row.state,
    stateAt: row.state_at,
    stateBy: row.state_by,
    resolvedIn: row.resolved_in,
    ignored: row.state === "ignored" ? { until, count, rate, base } : null,
    assignee: row.assignee,
  };
}
