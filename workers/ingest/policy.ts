/**
 * Settings, compiled: everything that `intake.ts` asks per item is a function
 * or a number here, worked out once per change of the settings.
 */
import type { GroupingSettings } from "../api/contract.ts";
import { type CompiledRules, compileRules, NO_RULES } from "../errors/grouping/rules.ts";
import { compileUserAttributes, type UserAttributes } from "./grouping/users.ts";
import { compileNormalizer, type Normalizer } from "./normalize/normalize.ts";
import { compileRedactor } from "./redact/redact.ts";
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
  normalizer: Normalizer;
  grouping: GroupingPolicy;
  worker(script: string): WorkerPolicy;
}

/** Workers remembered with their compiled rules. */
const MAX_WORKERS = 2_000;

export function compilePolicy(settings: Settings): Policy {
  const workers = new Map<string, WorkerPolicy>();
  return {
    normalizer: compileNormalizer(compileRedactor(settings.platform.redaction)),
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

/** Rules were checked when they were set; those of a future version that mean nothing here are left out as a whole. */
function compileGrouping({ fingerprintRules, userAttributes }: GroupingSettings = DEFAULT_GROUPING): GroupingPolicy {
  const compiled = compileRules(fingerprintRules);
  return { rules: compiled.ok ? compiled.rules : NO_RULES, users: compileUserAttributes(userAttributes) };
}
