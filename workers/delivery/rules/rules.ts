/**
 * Rules as they come from a form or a client → checked, complete rules, or what is
 * wrong with which field. `api/` asks before anything is stored or previewed; what
 * is stored went through here. Pure.
 */
import {
  type CatalogEntry,
  type DestinationRules,
  FEEDS,
  type Feed,
  type NoticeKind,
  type SampleRule,
} from "../../api/contract/integrations.ts";
import {
  MAX_OUTCOME_CHARS,
  MAX_PATTERN_CHARS,
  MAX_PATTERNS,
  MAX_PER_MINUTE,
  MAX_SAMPLE_RULES,
  MAX_TAG_NAME_CHARS,
  MAX_TAG_VALUE_CHARS,
  MAX_TAGS,
} from "./limits.ts";

export { itemsOf, noticeItems, takesEvents, wantsWorker } from "./items.ts";

/** Field → what to do. */
export type RuleProblems = Partial<Record<keyof DestinationRules | "rules", string>>;
export type ReadRules = { ok: true; rules: DestinationRules } | { ok: false; problems: RuleProblems };

const LEVELS = ["debug", "info", "warn", "error"] as const;
export const NOTICES: Readonly<Record<NoticeKind, true>> = {
  "issue.new": true,
  "issue.regressed": true,
  "issue.escalated": true,
  "issue.resolved": true,
  "rollout.started": true,
  "rollout.held": true,
  "rollout.promoted": true,
  "rollout.rolled_back": true,
  "rollout.stopped": true,
};

/** @param given of anybody: absent fields have their default */
export function readRules(
  integration: Pick<CatalogEntry, "takes" | "defaultFeeds" | "defaultNotices">,
  given: unknown,
): ReadRules {
  if (given !== undefined && !isObject(given))
    return { ok: false, problems: { rules: "The rules must be an object." } };
  const fields: Partial<Record<keyof DestinationRules, unknown>> = given ?? {};
  const problems: RuleProblems = {};
  const unknown = Object.keys(fields).find((name) => !Object.hasOwn(READERS, name));
  if (unknown !== undefined) problems.rules = `There is no rule of the name ${JSON.stringify(unknown.slice(0, 40))}.`;
  const read = <K extends keyof DestinationRules>(name: K, fallback: DestinationRules[K]): DestinationRules[K] => {
    const value = fields[name];
    if (value === undefined) return fallback;
    const checked = READERS[name](value, integration.takes);
    if (checked.ok) return checked.value;
    problems[name] = checked.problem;
    return fallback;
  };
  const rules: DestinationRules = {
    workers: read("workers", []),
    exceptWorkers: read("exceptWorkers", []),
    versions: read("versions", []),
    feeds: read("feeds", [...(integration.defaultFeeds ?? integration.takes)]),
    minLevel: read("minLevel", "debug"),
    notices: read("notices", [...(integration.defaultNotices ?? [])]),
    sampling: read("sampling", []),
    otherwise: read("otherwise", 1),
    perMinute: read("perMinute", null),
    tags: read("tags", {}),
  };
  return Object.keys(problems).length === 0 ? { ok: true, rules } : { ok: false, problems };
}

type Checked<T> = { ok: true; value: T } | { ok: false; problem: string };
const right = <T>(value: T): Checked<T> => ({ ok: true, value });
const wrong = (problem: string): { ok: false; problem: string } => ({ ok: false, problem });

type Readers = {
  [K in keyof DestinationRules]: (value: unknown, takes: readonly Feed[]) => Checked<DestinationRules[K]>;
};

const READERS: Readers = {
  workers: (value) => readPatterns(value, "names of Workers"),
  exceptWorkers: (value) => readPatterns(value, "names of Workers"),
  versions: (value) => readPatterns(value, "ids or tags of versions"),
  feeds: readFeeds,
  minLevel(value) {
    const level = LEVELS.find((one) => one === value);
    return level === undefined ? wrong(`Choose one of ${LEVELS.join(", ")}.`) : right(level);
  },
  notices(value) {
    if (!isListOf(value, (kind): kind is NoticeKind => typeof kind === "string" && Object.hasOwn(NOTICES, kind)))
      return wrong(`A list of kinds: ${Object.keys(NOTICES).join(", ")}.`);
    return right([...new Set(value)]);
  },
  sampling: readSampling,
  otherwise: (value) => (isRate(value) ? right(value) : wrong("A rate from 0 (nothing) to 1 (everything).")),
  perMinute(value) {
    if (value === null) return right(null);
    const isFine = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_PER_MINUTE;
    return isFine ? right(value as number) : wrong("A whole number of items, at least 1; null for no ceiling.");
  },
  tags: readTags,
};

function readPatterns(value: unknown, what: string): Checked<string[]> {
  if (!isListOf(value, (one): one is string => typeof one === "string"))
    return wrong(`A list of ${what}; * stands for any characters.`);
  const patterns = [...new Set(value.map((one) => one.trim()).filter((one) => one !== ""))];
  if (patterns.length > MAX_PATTERNS) return wrong(`At most ${MAX_PATTERNS}; a * may stand for many.`);
  const long = patterns.find((one) => one.length > MAX_PATTERN_CHARS);
  return long === undefined
    ? right(patterns)
    : wrong(`"${long.slice(0, 40)}…" is longer than ${MAX_PATTERN_CHARS} characters.`);
}

function readFeeds(value: unknown, takes: readonly Feed[]): Checked<Feed[]> {
  const isTaken = (feed: unknown): feed is Feed => takes.includes(feed as Feed);
  if (!isListOf(value, isTaken)) return wrong(`A list of what it takes: ${takes.join(", ")}.`);
  if (value.length === 0) return wrong("Choose at least one, or pause the destination.");
  return right(FEEDS.filter((feed) => value.includes(feed)));
}

function readSampling(value: unknown, takes: readonly Feed[]): Checked<SampleRule[]> {
  if (!isListOf(value, isObject)) return wrong("A list of rules, each with a rate.");
  if (value.length > MAX_SAMPLE_RULES) return wrong(`At most ${MAX_SAMPLE_RULES} rules.`);
  const rules: SampleRule[] = [];
  for (const [i, one] of value.entries()) {
    const read = readSampleRule(one, takes);
    if (!read.ok) return wrong(`Rule ${i + 1}: ${read.problem}`);
    rules.push(read.value);
  }
  return right(rules);
}

const SAMPLE_FIELDS = ["feed", "status", "outcome", "exception", "rate"];

function readSampleRule(one: Record<string, unknown>, takes: readonly Feed[]): Checked<SampleRule> {
  const given = Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined && value !== ""));
  const unknown = Object.keys(given).find((name) => !SAMPLE_FIELDS.includes(name));
  if (unknown !== undefined) return wrong(`there is no condition ${JSON.stringify(unknown.slice(0, 40))}.`);
  const { feed, status, outcome, exception, rate } = given;
  if (!isRate(rate)) return wrong("it needs a rate from 0 (nothing) to 1 (everything).");
  if (feed !== undefined && !takes.includes(feed as Feed)) return wrong(`its feed is none of ${takes.join(", ")}.`);
  if (status !== undefined && !(typeof status === "string" && /^[1-5](xx|\d\d)$/.test(status)))
    return wrong("its status is a class or a code: 5xx, 404.");
  if (outcome !== undefined && !isText(outcome, MAX_OUTCOME_CHARS))
    return wrong("its outcome is one word: exception, exceededCpu, ok.");
  if (exception !== undefined && !isText(exception, MAX_PATTERN_CHARS))
    return wrong("its exception is the name of a type: TypeError, Http*.");
  return right({ ...given, rate } as SampleRule);
}

function readTags(value: unknown): Checked<Record<string, string>> {
  if (!isObject(value)) return wrong("Names and values.");
  const tags = Object.entries(value).filter(([name]) => name.trim() !== "");
  if (tags.length > MAX_TAGS) return wrong(`At most ${MAX_TAGS} tags.`);
  for (const [name, text] of tags) {
    const shown = JSON.stringify(name.slice(0, 40));
    if (!/^[a-z][\w.:-]*$/i.test(name) || name.length > MAX_TAG_NAME_CHARS)
      return wrong(
        `${shown} cannot be a tag's name: up to ${MAX_TAG_NAME_CHARS} letters, digits and . _ : -, a letter first.`,
      );
    if (!isText(text, MAX_TAG_VALUE_CHARS) || /[\r\n]/.test(text))
      return wrong(`The value of ${shown} must be one line of 1 to ${MAX_TAG_VALUE_CHARS} characters.`);
  }
  return right(Object.fromEntries(tags) as Record<string, string>);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isListOf = <T>(value: unknown, isOne: (one: unknown) => one is T): value is T[] =>
  Array.isArray(value) && value.every(isOne);
const isRate = (value: unknown): value is number => typeof value === "number" && value >= 0 && value <= 1;
const isText = (value: unknown, maxChars: number): value is string =>
  typeof value === "string" && value !== "" && value.length <= maxChars && value.isWellFormed();
