/** `/api/v1/audit`: what was changed by whom, newest first. `before` is the id of the last row of the page before. */
import { desc, lt } from "drizzle-orm";
import * as v from "valibot";
import { database, schema } from "../../db/client.ts";
import type { Handler } from "../context.ts";
import type { AuditAnswer } from "../contract.ts";
import { readParams, wholeNumber } from "../input.ts";

const DEFAULT_ROWS = 100;
const MAX_ROWS = 1_000;

const Params = v.object({
  before: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  limit: v.optional(wholeNumber(1, MAX_ROWS)),
});

export const listAudit: Handler = async (c) => {
  const params = readParams(c, Params);
  if (!params.ok) return params.failure;
  const { before, limit = DEFAULT_ROWS } = params.value;
  const { audit } = schema;
  const found = await database(c.env.DB)
    .select()
    .from(audit)
    .where(before === undefined ? undefined : lt(audit.id, before))
    .orderBy(desc(audit.id))
    .limit(limit);
  const rows = found.map((row) => ({ ...row, detail: JSON.parse(row.detail) as unknown }));
  const next = found.length === limit ? found.at(-1)?.id : undefined;
  return c.json({ rows, ...(next === undefined ? {} : { next }) } satisfies AuditAnswer);
};
