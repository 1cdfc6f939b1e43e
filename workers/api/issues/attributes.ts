/**
 * `GET /api/v1/issues/:id/attributes`: what its invocations have more often than
 * all of the same Worker and time. `query/attributes/` counts, `errors/statistics/`
 * compares; here findings get names and filters that people can use.
 */

import { compare, type Finding } from "../../errors/statistics/compare.ts";
import { readUserAgent, USER_AGENT, userAgentFilter } from "../../errors/statistics/user-agent.ts";
import { CORE_BY_PHYSICAL } from "../../event/columns.ts";
import { attributeField, type QueryResult, readAttributeGroups, readRange } from "../../query/index.ts";
import type { AttributeFinding, AttributesAnswer } from "../contract.ts";
import { quoted } from "./occurrences.ts";

/** As people call it, where the record has a longer name. */
const SHORT_NAMES: Record<string, string> = { version_id: "version" };

/** Undefined: there is no such issue. */
export async function readAttributes(
  env: Env,
  id: number,
  range: { from: string | undefined; to: string | undefined },
  options: { now: number; signal: AbortSignal },
): Promise<QueryResult<AttributesAnswer | undefined>> {
  const derive = (column: string, value: string) => (column === USER_AGENT ? readUserAgent(value) : []);
  const result = await readAttributeGroups(env, id, { ...range, derive }, options);
  if (!result.ok) return result;
  if (result.answer === undefined) return { ok: true, answer: undefined };
  const { completeness, similarity, ...groups } = result.answer;
  const { findings, comparisons } = compare(groups, similarity);
  const inIssue = scaled(groups.issue.weight, groups.fractions.issue);
  const answer: AttributesAnswer = {
    inIssue,
    inWorker: inIssue + scaled(groups.rest.weight, groups.fractions.rest),
    looked: { issue: groups.issue.n, rest: groups.rest.n, fractions: groups.fractions },
    findings: findings.map(shown),
    comparisons,
    completeness,
  };
  return { ok: true, answer };
}

/** Of a sample, to all. */
const scaled = (weight: number, fraction: number): number => (weight === 0 ? 0 : weight / fraction);

function shown({ alike, ...finding }: Finding): AttributeFinding {
  const { attribute, value } = finding;
  return {
    ...finding,
    attribute: nameOf(attribute),
    filter: filterOf(attribute, value),
    alike: alike.map((same) => ({ attribute: nameOf(same.attribute), value: same.value })),
  };
}

function nameOf(attribute: string): string {
  const column = readRange(attribute, "1..2")?.column ?? attribute;
  const name = CORE_BY_PHYSICAL.get(column)?.name;
  return name === undefined ? attributeField(column) : (SHORT_NAMES[name] ?? name);
}

/** A value that says nothing to the parser stands as it is. */
const PLAIN_VALUE = /^[\w][\w:.-]*$/;
const PLAIN_NAME = /^(?!(?:AND|OR|NOT)$)[\w@][\w.@/$-]*$/;

export function filterOf(column: string, value: string): string {
  const derived = userAgentFilter(column, value);
  if (derived !== undefined) return derived;
  const bare = nameOf(column);
  const name = PLAIN_NAME.test(bare) ? bare : quoted(bare);
  const range = readRange(column, value);
  // The bound nearer to 0 belongs to a range.
  if (range !== undefined && range.high <= 0) return `${name}:>${range.low} ${name}:<=${range.high}`;
  if (range !== undefined) return `${name}:>=${range.low} ${name}:<${range.high}`;
  const isPlain = PLAIN_VALUE.test(value) && !value.includes("..");
  return `${name}:${isPlain ? value : quoted(value)}`;
}
