/**
 * Sampling: which invocations are kept, and how many each then stands for.
 * Failures, slow invocations and canary versions are kept before any rule is
 * asked; then the first rule that matches decides. The choice depends on the
 * invocation id alone, so a whole invocation is kept or dropped, and everybody
 * who decides comes to the same answer. Pure.
 */
import type { SamplingRule, WorkerSettings } from "../api/contract.ts";
import { statusClass } from "../event/failure.ts";
import { type Invocation, reportsError } from "./normalize/normalize.ts";

/** Share of such invocations that is kept, 0 < rate ≤ 1. Those that a `Keeper` keeps are not asked about. */
export type Sampler = (invocation: Invocation) => number;

/** Without a setting of its own: a request that takes a second is one that somebody will ask about. */
export const DEFAULT_SLOW_MS = 1_000;

/** Must this invocation be kept, whatever the rules and however many there are? */
export type Keeper = (invocation: Invocation) => boolean;

/** Failures, slow invocations, canary versions, and whatever reports an error. */
export function compileKeeper(settings: WorkerSettings): Keeper {
  const canaries = new Set(settings.canaryVersions);
  const slowMs = settings.slowMs ?? DEFAULT_SLOW_MS;
  return (invocation) =>
    invocation.failed ||
    (invocation.duration ?? 0) > slowMs ||
    (canaries.size > 0 && isVersion(invocation, canaries)) ||
    reportsError(invocation);
}

export function compileSampler(settings: WorkerSettings): Sampler | null {
  const rules = (settings.sampling ?? []).filter((rule) => rule.rate > 0 && rule.rate <= 1);
  if (rules.every((rule) => rule.rate === 1)) return null;
  const tests = rules.map(compileRule);
  return (invocation) => {
    for (let i = 0; i < rules.length; i++) {
      if ((tests[i] as RuleTest)(invocation)) return (rules[i] as SamplingRule).rate;
    }
    return 1;
  };
}

/** True for `rate` of all ids: their last 32 bits are random. */
export function isKept(invocationId: string, rate: number): boolean {
  return rate >= 1 || Number.parseInt(invocationId.slice(-8), 16) < rate * 2 ** 32;
}

type RuleTest = (invocation: Invocation) => boolean;

function compileRule(rule: SamplingRule): RuleTest {
  const route = rule.route === undefined ? undefined : compileRoute(rule.route);
  return ({ fields }) =>
    (rule.outcome === undefined || rule.outcome === fields.outcome) &&
    (rule.statusClass === undefined || rule.statusClass === statusClass(fields.status)) &&
    (rule.eventType === undefined || rule.eventType === fields.event_type) &&
    (rule.version === undefined || rule.version === fields.version_id || rule.version === fields.version_tag) &&
    (route?.(fields.route) ?? true);
}

function compileRoute(pattern: string): (route: string | undefined) => boolean {
  if (!pattern.endsWith("*")) return (route) => route === pattern;
  const prefix = pattern.slice(0, -1);
  return (route) => route?.startsWith(prefix) ?? false;
}

function isVersion({ fields }: Invocation, versions: ReadonlySet<string>): boolean {
  return versions.has(fields.version_id ?? "") || versions.has(fields.version_tag ?? "");
}
