/** `GET /api/v1/issues`, `/api/v1/issues/:id`, `/api/v1/fingerprints/:fingerprint`: what there is. Changes: `issue-changes.ts`. */
import { eq } from "drizzle-orm";
import * as v from "valibot";
import { database, schema } from "../../db/client.ts";
import type { Handler } from "../context.ts";
import type { FingerprintAnswer } from "../contract.ts";
import { fail } from "../errors.ts";
import { plainText, readParams, wholeNumber } from "../input.ts";
import { readAttributes } from "../issues/attributes.ts";
import { FilterParams, SORTS } from "../issues/filters.ts";
import { decodeCursor, readIssueList } from "../issues/list.ts";
import { readOccurrences } from "../issues/occurrences.ts";
import { readIssuePage } from "../issues/page.ts";
import { cutRange } from "../measures/buckets.ts";
import { queryFailure, sendResult } from "../query-failure.ts";
import { readRange } from "../range.ts";

/** People look at a day's errors. */
const DEFAULT_FROM = "-24h";
const DEFAULT_ROWS = 50;
const MAX_ROWS = 100;

const ListParams = v.object({
  ...FilterParams,
  sort: v.optional(v.picklist(SORTS), "last_seen"),
  limit: v.optional(wholeNumber(1, MAX_ROWS)),
  cursor: v.optional(v.pipe(v.string(), v.maxLength(64))),
});

export const IssueId = { id: wholeNumber(1, Number.MAX_SAFE_INTEGER) };

export const listIssues: Handler = async (c) => {
  const now = Date.now();
  const range = readRange(c, now, DEFAULT_FROM);
  if (!range.ok) return range.failure;
  const params = readParams(c, ListParams);
  if (!params.ok) return params.failure;
  const { sort, limit = DEFAULT_ROWS, cursor, ...filters } = params.value;
  const after = cursor === undefined || cursor === "" ? undefined : decodeCursor(cursor);
  if (after === undefined && cursor !== undefined && cursor !== "")
    return fail("bad_request", "`cursor` must be the `next` of an earlier answer.");
  const { from, to } = range.value;
  return c.json(await readIssueList(c.env.DB, { filters, sort, from, to, now, limit, after }));
};

export const getIssue: Handler = async (c) => {
  const now = Date.now();
  const range = readRange(c, now, DEFAULT_FROM);
  if (!range.ok) return range.failure;
  const params = readParams(c, v.object(IssueId));
  if (!params.ok) return params.failure;
  const { id } = params.value;
  const page = await readIssuePage(c.env.DB, id, cutRange(range.value.from, range.value.to), now);
  return page === undefined ? noSuchIssue(id) : c.json(page);
};

const short = v.optional(v.pipe(v.string(), v.maxLength(256)));
const OccurrenceParams = v.object({
  ...IssueId,
  from: short,
  to: short,
  version: v.optional(plainText(256)),
  limit: v.optional(wholeNumber(1, MAX_ROWS)),
  before: short,
});

export const listOccurrences: Handler = async (c) => {
  const params = readParams(c, OccurrenceParams);
  if (!params.ok) return params.failure;
  const { id, from = DEFAULT_FROM, limit = DEFAULT_ROWS, ...rest } = params.value;
  const options = { now: Date.now(), signal: c.req.raw.signal };
  return sendResult(c, await readOccurrences(c.env, id, { from, limit, ...rest }, options));
};

const AttributeParams = v.object({ ...IssueId, from: short, to: short });

export const issueAttributes: Handler = async (c) => {
  const params = readParams(c, AttributeParams);
  if (!params.ok) return params.failure;
  const { id, from = DEFAULT_FROM, to } = params.value;
  const result = await readAttributes(c.env, id, { from, to }, { now: Date.now(), signal: c.req.raw.signal });
  if (!result.ok) return queryFailure(result.error);
  return result.answer === undefined ? noSuchIssue(id) : c.json(result.answer);
};

export const noSuchIssue = (id: number) => fail("not_found", `There is no issue ${id}.`);

export const issueOfFingerprint: Handler = async (c) => {
  const params = readParams(c, v.object({ fingerprint: plainText(128) }));
  if (!params.ok) return params.failure;
  const { fingerprint } = params.value;
  const { fingerprints } = schema;
  const [row] = await database(c.env.DB)
    .select({ issueId: fingerprints.issueId })
    .from(fingerprints)
    .where(eq(fingerprints.fingerprint, fingerprint))
    .limit(1);
  if (row === undefined)
    return fail("not_found", "This fingerprint leads to no issue. A new one does some seconds after its first error.");
  return c.json({ fingerprint, issueId: row.issueId } satisfies FingerprintAnswer);
};
