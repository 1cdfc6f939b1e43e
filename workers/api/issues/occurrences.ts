/**
 * `GET /api/v1/issues/:id/occurrences`: the latest events of an issue. They are
 * not copied: they are the events that carry its fingerprints, read by the query
 * engine, so the list is as long as the retention of events. A batch that was sent
 * again is stored again: of an occurrence that is there twice a page shows one.
 */
import { type QueryResult, runQuery } from "../../query/index.ts";
import type { IssueOccurrence, OccurrencesAnswer, QueryAnswer } from "../contract.ts";

const FIELDS = [
  ["time", "invocationId", "seq", "versionId", "versionTag", "versionMessage"],
  ["message", "method", "route", "status", "outcome", "entrypoint", "colo", "country", "weight"],
].flat();
/** What each is called in the query language, in the order of FIELDS. */
const COLUMNS =
  "time, invocation_id, seq, version_id, version_tag, version_message, message, method, route, status, outcome, entrypoint, colo, country, sample_weight";

export interface OccurrencesQuestion {
  from?: string | undefined;
  to?: string | undefined;
  version?: string | undefined;
  limit: number;
  before?: string | undefined;
}

export async function readOccurrences(
  env: Env,
  id: number,
  { version, ...question }: OccurrencesQuestion,
  options: { now: number; signal: AbortSignal },
): Promise<QueryResult<OccurrencesAnswer>> {
  const ofVersion = version === undefined ? "" : ` version:=${quoted(version)}`;
  const result = await runQuery(env, { ...question, q: `issue:${id}${ofVersion} | fields ${COLUMNS}` }, options);
  if (!result.ok) return result;
  const { rows, next, stats } = result.answer;
  const occurrences = once(rows.map(occurrenceOf));
  return { ok: true, answer: { occurrences, ...(next ? { next } : {}), completeness: stats.completeness } };
}

function once(occurrences: IssueOccurrence[]): IssueOccurrence[] {
  const seen = new Map(occurrences.map((one) => [`${one.invocationId}/${one.seq}`, one]));
  return [...seen.values()];
}

/** Text for the query language: quotes and backslashes are escaped, nothing else means anything inside quotes. */
export const quoted = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&")}"`;

function occurrenceOf(row: QueryAnswer["rows"][number]): IssueOccurrence {
  const cell = new Map(FIELDS.map((name, at) => [name, row[at] ?? null]));
  const text = (name: string) => (cell.get(name) as string | null) ?? null;
  const number = (name: string) => (cell.get(name) as number | null) ?? null;
  return {
    time: Date.parse(text("time") ?? ""),
    invocationId: text("invocationId") ?? "",
    seq: number("seq") ?? 0,
    version: { id: text("versionId") ?? "", tag: text("versionTag") ?? "", message: text("versionMessage") ?? "" },
    message: text("message") ?? "",
    method: text("method"),
    route: text("route"),
    status: number("status"),
    outcome: text("outcome"),
    entrypoint: text("entrypoint"),
    colo: text("colo"),
    country: text("country"),
    weight: number("weight") ?? 1,
  };
}
