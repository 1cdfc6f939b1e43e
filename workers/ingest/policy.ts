/**
 * Settings, compiled: everything that `intake.ts` asks per item is a function
 * or a number here, worked out once per change of the settings.
 */
import type { GroupingSettings } from "../api/contract.ts";
import { type CompiledRules, compileRules, NO_RULES } from "../errors/grouping/rules.ts";
import { compileUserAttributes, type UserAttributes } from "./grouping/users.ts";
import { compileNormalizer, type Normalizer } from "./normalize/normalize.ts";
import { compileRedactor, type Redactor } from "./redact/redact.ts";
import { compileKeeper, compileSampler, type Keeper, type Sampler } from "./sampling.ts";
import { DEFAULT_GROUPING, type Settings, settingsOf } from "./settings.ts";

export interface WorkerPolicy {
  /** Asked where it matters only: it may have to look into the logs. */
  mustKeep: Keeper;
  /** Null when nothing is sampled. */
  sampler: Sampler | null;
  /** Undefined: only the platform's limit applies. */
  ratePerMinute: number | undefined;
}

/** How errors become issues. */
export interface GroupingPolicy {
  rules: CompiledRules;
  users: UserAttributes;
}

export interface Policy {
  redactor: Redactor;
  normalizer: Normalizer;
  grouping: GroupingPolicy;
  worker(script: string): WorkerPolicy;
}

/** Workers remembered with their compiled rules. */
const MAX_WORKERS = 2_000;

export function compilePolicy(settings: Settings): Policy {
  const workers = new Map<string, WorkerPolicy>();
  const redactor = compileRedactor(settings.platform.redaction);
  return {
    redactor,
    normalizer: compileNormalizer(redactor),
    grouping: compileGrouping(settings.platform.grouping),
    worker(script) {
      let policy = workers.get(script);
      if (policy === undefined) {
        if (workers.size >= MAX_WORKERS) workers.clear();
        const own = settingsOf(settings, script);
        policy = { mustKeep: compileKeeper(own), sampler: compileSampler(own), ratePerMinute: own.ratePerMinute };
        workers.set(script, policy);
      }
      return policy;
    },
  };
}

/** A stored rule that this release cannot read drops out, and is said once per change of the settings. */
function compileGrouping({ fingerprintRules, userAttributes }: GroupingSettings = DEFAULT_GROUPING): GroupingPolicy {
  return { rules: compileReadable(fingerprintRules), users: compileUserAttributes(userAttributes) };
}

function compileReadable(lines: readonly string[]): CompiledRules {
  const compiled = compileRules(lines);
  if (compiled.ok) return compiled.rules;
  const bad = new Set(compiled.problems.map(({ line }) => line - 1));
  for (const { line, message } of compiled.problems) {
    console.warn(`fingerprint rule in line ${line} is left out: ${message}`);
  }
  const rest = lines.filter((_, i) => !bad.has(i));
  // Problems are told a few at a time.
  return bad.size > 0 && rest.length < lines.length ? compileReadable(rest) : NO_RULES;
}
