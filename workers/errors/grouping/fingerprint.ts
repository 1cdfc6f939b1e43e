/** Where an occurrence belongs. */
import type { ErrorFacts, Grouping } from "./facts.ts";
import type { CompiledRules } from "./rules.ts";

export function fingerprintOf(facts: ErrorFacts, _rules: CompiledRules): Grouping {
  return { fingerprint: "", group: "", aliases: [], algorithm: 1, title: facts.message, culprit: "", awaitsMap: "" };
}
