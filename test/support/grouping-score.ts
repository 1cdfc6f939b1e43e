/**
 * How well grouping does on the labelled cases of test/fixtures/errors: of all
 * pairs of cases, which are together that should be, and which are not. The unit
 * test holds the floors, the bench reports the figures:
 *
 *     import { scoreGrouping } from "../test/support/grouping-score.ts"
 *     scoreGrouping().all   // { cases, groups, precision, recall, mistakes }
 */
import { readFileSync } from "node:fs";
import type { ErrorKind } from "../../workers/errors/delta.ts";
import { type Candidate, classify } from "../../workers/errors/grouping/classify.ts";
import type { ErrorFacts, Grouping } from "../../workers/errors/grouping/facts.ts";
import { fingerprintOf } from "../../workers/errors/grouping/fingerprint.ts";
import { type CompiledRules, NO_RULES } from "../../workers/errors/grouping/rules.ts";
import { parseStack } from "../../workers/errors/stack/parse.ts";
import {
  type Place,
  type PlaceMap,
  type PlaceMaps,
  symbolicateCached,
} from "../../workers/errors/symbolicate/symbolicate.ts";

/** One occurrence, as the Collector would see it, and the fault that it is of. */
export interface LabelledCase extends Candidate {
  group: string;
  kind: ErrorKind;
  /** Which build of the application, or which runtime. */
  build: string;
  /** Not to be looked at while the rules are changed. */
  heldOut: boolean;
  stack?: string;
  method?: string;
  route?: string;
  /** Where the source map leads: `line:column` of the bundle. */
  places?: Record<string, Place>;
}

export interface Score {
  cases: number;
  groups: number;
  /** Of the pairs that were put together, those that belong together. */
  precision: number;
  /** Of the pairs that belong together, those that were put together. */
  recall: number;
  mistakes: Mistake[];
}

/** Cases of one label under several keys, or of several labels under one. */
export type Mistake = { split: string; into: string[][] } | { mixed: string[]; by: string };

const FILES = ["workerd.json", "node.json", "documented.json", "later.json"];

export function readCases(): LabelledCase[] {
  return FILES.flatMap((file) => {
    const text = readFileSync(new URL(`../fixtures/errors/${file}`, import.meta.url), "utf8");
    return JSON.parse(text) as LabelledCase[];
  });
}

export function scoreGrouping(cases = readCases()): { all: Score; tuned: Score; heldOut: Score } {
  const keyed = cases.map((one) => ({ one, key: keyOf(one) }));
  return {
    all: score(keyed),
    tuned: score(keyed.filter(({ one }) => !one.heldOut)),
    heldOut: score(keyed.filter(({ one }) => one.heldOut)),
  };
}

/** The issue that a case would join. What is no occurrence joins none. */
export function keyOf(one: LabelledCase): string {
  return groupingOf(one)?.group ?? "none";
}

export function groupingOf(one: LabelledCase, rules: CompiledRules = NO_RULES): Grouping | null {
  const found = classify(one);
  return found === null ? null : fingerprintOf(factsOf(one, found), rules);
}

/** What `ingest/` hands in. */
function factsOf(one: LabelledCase, { kind, noise, type }: NonNullable<ReturnType<typeof classify>>): ErrorFacts {
  const { message = "", stack, places, method, route, status, outcome, level } = one;
  const where = { script: "shop", version: one.build };
  const trace = stack ? symbolicateCached(parseStack(stack, one), where, mapsOf(places)) : undefined;
  return {
    script: "shop",
    kind,
    noise,
    type,
    message,
    trace: trace?.trace ?? null,
    versionId: one.build,
    waitsForMap: trace?.state === "missing" || trace?.state === "failed",
    method,
    route,
    status,
    outcome,
    level,
  };
}

function mapsOf(places: Record<string, Place> | undefined): PlaceMaps {
  const map: PlaceMap = {
    locateCached: (line, column) => places?.[`${line}:${column}`],
    locateAll: async (positions) => positions.map(({ line, column }) => places?.[`${line}:${column}`]),
    context: async () => undefined,
  };
  const found = places === undefined ? "none" : map;
  return { find: async () => found, findCached: () => found, hasAny: () => places !== undefined };
}

function score(keyed: readonly { one: LabelledCase; key: string }[]): Score {
  const byKey = Map.groupBy(keyed, ({ key }) => key);
  const byGroup = Map.groupBy(keyed, ({ one }) => one.group);
  const together = pairs(byKey);
  const belong = pairs(byGroup);
  const right = pairs(Map.groupBy(keyed, ({ one, key }) => `${key} ${one.group}`));
  return {
    cases: keyed.length,
    groups: byGroup.size,
    precision: together === 0 ? 1 : right / together,
    recall: belong === 0 ? 1 : right / belong,
    mistakes: mistakesOf(byKey, byGroup),
  };
}

function pairs(groups: Map<string, unknown[]>): number {
  let sum = 0;
  for (const { length } of groups.values()) sum += (length * (length - 1)) / 2;
  return sum;
}

type Groups = Map<string, { one: LabelledCase; key: string }[]>;

function mistakesOf(byKey: Groups, byGroup: Groups): Mistake[] {
  const mistakes: Mistake[] = [];
  for (const [split, members] of byGroup) {
    const into = Map.groupBy(members, ({ key }) => key);
    const shown = [...into.values()].map((list) => list.map(({ one }) => `${one.build}: ${one.type}: ${one.message}`));
    if (into.size > 1) mistakes.push({ split, into: shown });
  }
  for (const members of byKey.values()) {
    const mixed = [...new Set(members.map(({ one }) => one.group))];
    const { type, message } = members[0]?.one ?? {};
    if (mixed.length > 1) mistakes.push({ mixed, by: `${type}: ${message}` });
  }
  return mistakes;
}
