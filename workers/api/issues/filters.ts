/** What a list of issues may be asked for → conditions in SQL. `list.ts` puts them together. */
import { type SQL, sql } from "drizzle-orm";
import * as v from "valibot";
import { fingerprints, fingerprintVersions } from "../../db/schema.ts";
import { ISSUE_KINDS, ISSUE_STATES, type IssueKind, type IssueState } from "../contract.ts";
import { plainText, scriptName } from "../input.ts";

/** Words of a search: each is looked for in three texts of every issue that is left. */
const MAX_WORDS = 8;
const MAX_SEARCH_CHARS = 200;
/** D1 refuses longer patterns. */
const MAX_LIKE_BYTES = 50;

export const SORTS = ["last_seen", "first_seen", "count", "users"] as const;
export type IssueSort = (typeof SORTS)[number];

/** An empty parameter is none. */
const given = <T>(schema: v.GenericSchema<unknown, T>) =>
  v.optional(
    v.union([
      v.pipe(
        v.literal(""),
        v.transform((): undefined => undefined),
      ),
      schema,
    ]),
  );

export const FilterParams = {
  state: given(v.picklist([...ISSUE_STATES, "open", "all"])),
  kind: given(v.picklist([...ISSUE_KINDS, "errors", "all"])),
  script: given(scriptName),
  version: given(plainText(256)),
  new_in: given(plainText(256)),
  /** Empty: nobody has it. */
  assignee: v.optional(v.union([v.literal(""), plainText(256)])),
  q: v.optional(v.pipe(v.string(), v.maxLength(MAX_SEARCH_CHARS))),
};
const schema = v.object(FilterParams);
export type IssueFilters = v.InferOutput<typeof schema>;

export interface Conditions {
  /** Every filter but those of state and kind. */
  common: SQL;
  kind: SQL;
}

/** Of issues `i` that were seen between the times (ms). */
export function conditionsOf(filters: IssueFilters, from: number, to: number): Conditions {
  const common = [sql`i.last_seen >= ${from} AND i.first_seen < ${to} AND i.merged_into IS NULL`];
  if (filters.script !== undefined) common.push(sql`i.script = ${filters.script}`);
  if (filters.assignee !== undefined) common.push(sql`i.assignee = ${filters.assignee}`);
  if (filters.new_in !== undefined) common.push(sql`i.first_version = ${filters.new_in}`);
  if (filters.version !== undefined)
    common.push(sql`i.id IN (SELECT f.issue_id FROM ${fingerprintVersions} AS fv
      JOIN ${fingerprints} AS f ON f.fingerprint = fv.fingerprint WHERE fv.version_id = ${filters.version})`);
  common.push(...wordsOf(filters.q ?? "").map(matching));
  return { common: sql.join(common, sql` AND `), kind: kindIs(filters.kind) };
}

/** The states that a filter lets through; the first ones of the list are those that somebody should look at. */
export function statesOf(state: IssueFilters["state"]): readonly IssueState[] {
  if (state === "all") return ISSUE_STATES;
  return state === undefined || state === "open" ? ["unresolved", "regressed"] : [state];
}

function kindIs(kind: IssueFilters["kind"]): SQL {
  if (kind === "all") return sql`TRUE`;
  return kind === undefined || kind === "errors" ? sql`i.kind <> 'noise'` : sql`i.kind = ${kind}`;
}

/** The same of a kind at hand. */
export function isOfKind(kind: IssueKind, asked: IssueFilters["kind"]): boolean {
  if (asked === "all") return true;
  return asked === undefined || asked === "errors" ? kind !== "noise" : kind === asked;
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter(Boolean).slice(0, MAX_WORDS);
}

/** What is searched: words hold no line breaks. One text, so that a word is one parameter: D1 takes 100, and there is a branch per state. */
const SEARCHED = sql.raw("(i.title || char(10) || i.culprit || char(10) || i.type)");

/** In type, title or culprit, in upper or lower case; a number may be that of the issue. */
function matching(word: string): SQL {
  const pattern = `%${word.replace(/[\\%_]/g, "\\$&")}%`;
  const isShort = new TextEncoder().encode(pattern).length <= MAX_LIKE_BYTES;
  // Both take A for a, and nothing else for anything else.
  const holds = isShort
    ? sql`${SEARCHED} LIKE ${pattern} ESCAPE '\\'`
    : sql`instr(lower(${SEARCHED}), lower(${word})) > 0`;
  const number = /^#?(\d{1,15})$/.exec(word)?.[1];
  return number === undefined ? holds : sql`(${holds} OR i.id = ${sql.raw(String(Number(number)))})`;
}
