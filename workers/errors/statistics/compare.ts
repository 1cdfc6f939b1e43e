/**
 * Which attributes an issue's invocations have more often than all others of the
 * same Worker and time. `query/attributes/` counts, `api/` shows. Pure.
 *
 * Every value of every attribute is a 2×2 table (`tests.ts`) of the invocations
 * that have the attribute: those of the issue against the rest. So an attribute
 * that only some code paths log is compared among those that log it. What is
 * shown must be more than chance after all comparisons (`false-discoveries.ts`),
 * rest on enough invocations, and be large enough to matter to somebody.
 *
 * Both groups may be samples of different fractions: odds ratios do not depend
 * on them (Cornfield, 1951: case-control studies). Weights (sampled events) make
 * shares, and the size of a group is what it is worth: Kish's effective sample
 * size (1965), the first-order correction of Rao and Scott (1984).
 */
import { qValues } from "./false-discoveries.ts";
import { effectOfShares, oddsRatio, pValue, type Table2 } from "./tests.ts";

/** Share of findings that may be chance. */
export const MAX_Q = 0.05;
/** Cohen's "small" (1988). */
export const MIN_EFFECT = 0.1;
/** Invocations of the issue with the value: fewer may be one person's reloads. */
export const MIN_WITH_VALUE = 5;
/** Of the rest with the attribute: fewer say little about what is usual. */
export const MIN_REST = 20;
/** Share of the issue's invocations that have the attribute: else it says little about the issue. */
export const MIN_COVERAGE = 0.1;
/** Values per invocation that has the attribute: above, they are ids, and that one is rare among others means nothing. */
export const MAX_DISTINCT_SHARE = 0.5;

/** Of the invocations that have either of two values, this share has both: they are one finding. */
export const MIN_ALIKE = 0.9;
/** The strongest; nobody reads on. */
const MAX_FINDINGS = 100;

/** Of some invocations. */
export interface Tally {
  n: number;
  /** Sum of their weights, and of the squares. */
  weight: number;
  squares: number;
}

export interface AttributeCounts {
  attribute: string;
  /** Those that have it. */
  issue: Tally;
  rest: Tally;
  values: readonly ValueCounts[];
  /** Values that were not kept one by one. */
  others: number;
}

export interface ValueCounts {
  value: string;
  issue: Tally;
  rest: Tally;
}

export interface Groups {
  issue: Tally;
  rest: Tally;
  /** The part of each that was looked at, 0..1: counts are scaled up by it. */
  fractions: { issue: number; rest: number };
  attributes: readonly AttributeCounts[];
}

export interface Finding {
  attribute: string;
  value: string;
  issueCount: number;
  workerCount: number;
  issueShare: number;
  workerShare: number;
  oddsRatio: number;
  interval: [number, number];
  effect: number;
  q: number;
  /** Values of other attributes that nearly the same invocations have: one finding, told once. */
  alike: { attribute: string; value: string }[];
}

export interface Comparison {
  findings: Finding[];
  comparisons: { attributes: number; values: number };
}

/** Jaccard's index of the invocations that have the values: those with both ÷ those with either. */
export type Similarity = (
  one: { attribute: string; value: string },
  other: { attribute: string; value: string },
) => number;

export function compare(groups: Groups, similarity: Similarity = () => 0): Comparison {
  const compared = groups.attributes.filter((attribute) => isComparable(attribute, groups.issue));
  const candidates = compared.flatMap((attribute) =>
    attribute.values.filter(couldStandOut).map((value) => ({ attribute, value, table: tableOf(attribute, value) })),
  );
  const values = candidates.length + compared.reduce((sum, attribute) => sum + unseenValues(attribute), 0);
  const q = qValues(
    candidates.map(({ table }) => pValue(table)),
    values,
  );
  const found = candidates.flatMap(({ attribute, value, table }, i) => {
    const finding = findingOf(groups, attribute, value, table, q[i] as number);
    return finding === undefined ? [] : [finding];
  });
  found.sort((x, y) => y.effect - x.effect || x.q - y.q);
  return { findings: toldOnce(found, similarity), comparisons: { attributes: compared.length, values } };
}

/** A version and its tag, a city and its colo: the strongest stands for all that say the same. */
function toldOnce(found: readonly Finding[], similarity: Similarity): Finding[] {
  const told: Finding[] = [];
  for (const finding of found.slice(0, MAX_FINDINGS)) {
    const same = told.find((one) => similarity(one, finding) >= MIN_ALIKE);
    if (same === undefined) told.push(finding);
    else same.alike.push({ attribute: finding.attribute, value: finding.value });
  }
  return told;
}

function isComparable({ issue, rest, values, others }: AttributeCounts, all: Tally): boolean {
  if (rest.n < MIN_REST || issue.n < Math.max(MIN_WITH_VALUE, MIN_COVERAGE * all.n)) return false;
  const distinct = values.length + others;
  return distinct > 1 && distinct <= MAX_DISTINCT_SHARE * (issue.n + rest.n);
}

/**
 * Rarer values cannot reach MIN_WITH_VALUE however they fall. That is known from
 * the margins alone, so leaving them out of the correction is fair (Tarone, 1990).
 */
const couldStandOut = ({ issue, rest }: { issue: Tally; rest: Tally }): boolean => issue.n + rest.n >= MIN_WITH_VALUE;

/** At most so many of the values that were not kept could have stood out. */
function unseenValues({ issue, rest, values, others }: AttributeCounts): number {
  const kept = values.reduce((sum, value) => sum + value.issue.n + value.rest.n, 0);
  return Math.min(others, Math.floor(Math.max(0, issue.n + rest.n - kept) / MIN_WITH_VALUE));
}

const share = (part: Tally, whole: Tally): number => (whole.weight === 0 ? 0 : part.weight / whole.weight);

/** What a weighted group is worth in plain observations. */
const effectiveSize = ({ weight, squares }: Tally): number => (squares === 0 ? 0 : (weight * weight) / squares);

function tableOf(attribute: AttributeCounts, value: ValueCounts): Table2 {
  const issue = effectiveSize(attribute.issue);
  const rest = effectiveSize(attribute.rest);
  const a = issue * share(value.issue, attribute.issue);
  const c = rest * share(value.rest, attribute.rest);
  return { a, b: Math.max(0, issue - a), c, d: Math.max(0, rest - c) };
}

function findingOf(
  { fractions }: Groups,
  attribute: AttributeCounts,
  value: ValueCounts,
  table: Table2,
  q: number,
): Finding | undefined {
  if (q > MAX_Q || value.issue.n < MIN_WITH_VALUE) return undefined;
  const issueShare = share(value.issue, attribute.issue);
  const effect = effectOfShares(issueShare, share(value.rest, attribute.rest));
  const { ratio, interval } = oddsRatio(table);
  if (effect < MIN_EFFECT || interval[0] <= 1) return undefined;
  const inAll = (part: { issue: Tally; rest: Tally }) =>
    part.issue.weight / fractions.issue + part.rest.weight / fractions.rest;
  return {
    attribute: attribute.attribute,
    value: value.value,
    issueCount: value.issue.weight / fractions.issue,
    workerCount: inAll(value),
    issueShare,
    workerShare: inAll(value) / inAll(attribute),
    oddsRatio: ratio,
    interval,
    effect,
    q,
    alike: [],
  };
}
