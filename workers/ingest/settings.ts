/**
 * The settings: their schemas (shapes in `api/contract.ts`), their defaults, and
 * how a Worker's own settings go over the platform's. `api/` checks what people
 * send with these; `settings-cache.ts` reads what D1 holds.
 */
import * as v from "valibot";
import {
  DEFAULT_RETENTION_DAYS,
  type GroupingSettings,
  type PlatformSettings,
  type WorkerSettings,
} from "../api/contract.ts";
import { isPattern, MAX_PATTERN_CHARS, MAX_PATTERNS } from "./redact/keys.ts";

const MAX_RETENTION_DAYS = 3_650;
const MAX_RULES = 50;
const MAX_CANARIES = 50;
/** Lines, comments included. Each rule is tried on every new error, until one matches. */
const MAX_FINGERPRINT_RULES = 500;
const MAX_FINGERPRINT_RULE_CHARS = 1_000;
const MAX_USER_ATTRIBUTES = 20;
/** Beyond it a limit limits nothing. */
const MAX_RATE_PER_MINUTE = 1_000_000_000;

const name = v.pipe(v.string(), v.nonEmpty(), v.maxLength(256));

const samplingRuleSchema = v.strictObject({
  outcome: v.optional(name),
  statusClass: v.optional(v.pipe(v.string(), v.regex(/^(?:[1-5]xx|none)$/, "statusClass is 1xx … 5xx, or none"))),
  route: v.optional(name),
  version: v.optional(name),
  eventType: v.optional(name),
  rate: v.pipe(v.number(), v.gtValue(0, "rate is above 0"), v.maxValue(1, "rate is at most 1")),
});

export const workerSettingsSchema = v.strictObject({
  retentionDays: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_RETENTION_DAYS))),
  ratePerMinute: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_RATE_PER_MINUTE))),
  sampling: v.optional(v.pipe(v.array(samplingRuleSchema), v.maxLength(MAX_RULES))),
  slowMs: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
  canaryVersions: v.optional(v.pipe(v.array(name), v.maxLength(MAX_CANARIES))),
});

const pattern = v.pipe(
  v.string(),
  v.maxLength(MAX_PATTERN_CHARS),
  v.check(isPattern, "a pattern is a name with * for anything, not * alone"),
);
const patterns = v.pipe(v.array(pattern), v.maxLength(MAX_PATTERNS));

/** One rule a line; whether they mean anything is told by the route that takes them (`api/routes/settings.ts`). */
const fingerprintRules = v.pipe(
  v.array(v.pipe(v.string(), v.maxLength(MAX_FINGERPRINT_RULE_CHARS))),
  v.maxLength(MAX_FINGERPRINT_RULES),
);

const groupingSchema = v.strictObject({
  fingerprintRules,
  userAttributes: v.pipe(v.array(name), v.maxLength(MAX_USER_ATTRIBUTES)),
});

export const platformSettingsSchema = v.strictObject({
  redaction: v.strictObject({ keys: patterns, except: patterns, cardNumbers: v.boolean(), emails: v.boolean() }),
  worker: workerSettingsSchema,
  grouping: v.optional(groupingSchema),
});

export const DEFAULT_GROUPING: GroupingSettings = { fingerprintRules: [], userAttributes: [] };

export const DEFAULT_PLATFORM_SETTINGS: PlatformSettings = {
  redaction: { keys: [], except: [], cardNumbers: true, emails: false },
  worker: { retentionDays: DEFAULT_RETENTION_DAYS },
};

/** All settings there are, as stored. */
export interface Settings {
  platform: PlatformSettings;
  /** Workers with settings of their own. */
  workers: ReadonlyMap<string, WorkerSettings>;
}

export const DEFAULT_SETTINGS: Settings = { platform: DEFAULT_PLATFORM_SETTINGS, workers: new Map() };

/** What applies to a Worker: each of its own settings replaces the platform's. */
export function settingsOf(settings: Settings, script: string): WorkerSettings {
  const own = settings.workers.get(script);
  return own === undefined ? settings.platform.worker : { ...settings.platform.worker, ...own };
}

/** Stored JSON → settings; undefined for anything else, so that one bad row harms nobody but itself. */
export function parseWorkerSettings(json: string): WorkerSettings | undefined {
  return parsed(workerSettingsSchema, json);
}

/** How errors are grouped must never cost the other settings, redaction above all: where it cannot be read it is left out. */
export function parsePlatformSettings(json: string): PlatformSettings | undefined {
  return parsed(platformSettingsSchema, json) ?? parsed(withoutGrouping, json);
}

const withoutGrouping = v.pipe(
  v.looseObject({}),
  v.transform(({ grouping: _, ...rest }) => rest),
  platformSettingsSchema,
);

function parsed<T>(schema: v.GenericSchema<unknown, T>, json: string): T | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(json));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
