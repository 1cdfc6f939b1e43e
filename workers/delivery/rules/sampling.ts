/**
 * Which part of the items is sent: the first rule that matches has the rate, and a
 * hash of invocation and destination decides. So every try decides alike, all items
 * of an invocation under one rule go or stay together, and another destination
 * keeps other invocations. Pure.
 */
import type { DestinationRules, Feed, SampleRule } from "../../api/contract/integrations.ts";
import { statusClass } from "../../event/failure.ts";
import { hash32 } from "../../util/hash.ts";
import { type Matcher, matcherOf } from "./pattern.ts";

/** What of an item rules look at. `exception`: its type, of an item that tells an error. */
export interface Sampled {
  feed: Feed;
  status: number | undefined;
  outcome: string | undefined;
  exception: string | undefined;
}

export type RateOf = (item: Sampled) => number;

/** Null when everything is sent: then there is nothing to ask. */
export function compileRates(rules: Pick<DestinationRules, "sampling" | "otherwise">): RateOf | null {
  if (rules.otherwise >= 1 && rules.sampling.every(({ rate }) => rate >= 1)) return null;
  const tests = rules.sampling.map(compileTest);
  return (item) => {
    for (let i = 0; i < tests.length; i++) if ((tests[i] as Test)(item)) return (rules.sampling[i] as SampleRule).rate;
    return rules.otherwise;
  };
}

/** 0 to 2³²: below `rate` × 2³² it is sent. */
export const sampleHash = (invocationId: string, seed: number): number => hash32(invocationId, seed);
export const seedOf = (destinationId: string): number => hash32(destinationId);
export const isSent = (hash: number, rate: number): boolean => rate >= 1 || hash < rate * 2 ** 32;

type Test = (item: Sampled) => boolean;

function compileTest({ feed, status, outcome, exception }: SampleRule): Test {
  const matches: Matcher | undefined = exception === undefined ? undefined : matcherOf([exception]);
  const code = status === undefined || status.endsWith("xx") ? undefined : Number(status);
  return (item) =>
    (feed === undefined || feed === item.feed) &&
    (outcome === undefined || outcome === item.outcome) &&
    (status === undefined || (code === undefined ? statusClass(item.status) === status : item.status === code)) &&
    (matches === undefined || (item.exception !== undefined && matches(item.exception)));
}
