/**
 * A destination as its form holds it: texts, in the units that people think in
 * (percent). Read into what the API takes, or into what is wrong with which field.
 * What a value may be beyond that is the server's to say. Pure.
 */
import type {
  CatalogEntry,
  CatalogField,
  DestinationRow,
  DestinationRules,
  Feed,
  NewDestination,
  NoticeKind,
} from "../../../workers/api/contract.ts";

export interface RuleDraft {
  /** For the list to know it by while rules move. */
  key: number;
  feed: Feed | "";
  status: string;
  outcome: string;
  exception: string;
  percent: string;
}

export const BACKFILLS = ["none", "1h", "24h", "7d"] as const;
export type Backfill = (typeof BACKFILLS)[number];

export interface Draft {
  name: string;
  values: Record<string, string>;
  /** Stored secrets that are to be taken away. */
  removed: string[];
  allWorkers: boolean;
  workers: string[];
  exceptWorkers: string[];
  versions: string[];
  feeds: Feed[];
  minLevel: DestinationRules["minLevel"];
  notices: NoticeKind[];
  sampling: RuleDraft[];
  otherwise: string;
  perMinute: string;
  tags: { key: string; value: string }[];
  standby: boolean;
  failoverTo: string;
  backfill: Backfill;
}

/** Where it is: `name`, `values.<field>`, `sampling.<n>.percent` …; what to do. */
export type Problems = Record<string, string>;

const asPercent = (rate: number): string => String(Number((rate * 100).toPrecision(6)));

let keys = 0;
export function newRule(part: Partial<RuleDraft> = {}): RuleDraft {
  keys += 1;
  return { key: keys, feed: "", status: "", outcome: "", exception: "", percent: "10", ...part };
}

export const defaultValues = (fields: readonly CatalogField[]): Record<string, string> =>
  Object.fromEntries(fields.filter((f) => f.default !== undefined).map((f) => [f.name, f.default as string]));

export function draftOf(entry: CatalogEntry, name: string, row?: DestinationRow): Draft {
  const rules = row?.rules;
  return {
    name: row?.name ?? name,
    values: { ...defaultValues(entry.fields), ...row?.values },
    removed: [],
    allWorkers: (rules?.workers.length ?? 0) === 0,
    workers: rules?.workers ?? [],
    exceptWorkers: rules?.exceptWorkers ?? [],
    versions: rules?.versions ?? [],
    feeds: rules?.feeds ?? [...(entry.defaultFeeds ?? entry.takes)],
    minLevel: rules?.minLevel ?? "debug",
    notices: rules?.notices ?? [...(entry.defaultNotices ?? [])],
    sampling: (rules?.sampling ?? []).map((r) =>
      newRule({
        feed: r.feed ?? "",
        status: r.status ?? "",
        outcome: r.outcome ?? "",
        exception: r.exception ?? "",
        percent: asPercent(r.rate),
      }),
    ),
    otherwise: asPercent(rules?.otherwise ?? 1),
    perMinute: rules?.perMinute == null ? "" : String(rules.perMinute),
    tags: Object.entries(rules?.tags ?? {}).map(([key, value]) => ({ key, value })),
    standby: row?.standby ?? false,
    failoverTo: row?.failoverTo ?? "",
    backfill: "none",
  };
}

/** 0 to 1; undefined when it is no percentage. */
export function share(text: string): number | undefined {
  const trimmed = text.trim().replace(",", ".").replace(/\s*%$/, "");
  const n = Number(trimmed);
  return trimmed === "" || !Number.isFinite(n) || n < 0 || n > 100 ? undefined : n / 100;
}

const STATUS = /^([1-5]xx|[1-5]\d\d)$/;
const NOT_A_SHARE = "Write a percentage from 0 to 100.";

function readSampling(draft: Draft, problems: Problems): DestinationRules["sampling"] {
  return draft.sampling.map((r, i) => {
    const rate = share(r.percent);
    if (rate === undefined) problems[`sampling.${i}.percent`] = NOT_A_SHARE;
    const status = r.status.trim().toLowerCase();
    if (status !== "" && !STATUS.test(status))
      problems[`sampling.${i}.status`] = "Write a class like 5xx, or a code like 404.";
    const outcome = r.outcome.trim();
    const exception = r.exception.trim();
    return {
      ...(r.feed === "" ? {} : { feed: r.feed }),
      ...(status === "" ? {} : { status }),
      ...(outcome === "" ? {} : { outcome }),
      ...(exception === "" ? {} : { exception }),
      rate: rate ?? 0,
    };
  });
}

function readTags(draft: Draft, problems: Problems): Record<string, string> {
  const tags: Record<string, string> = {};
  draft.tags.forEach(({ key, value }, i) => {
    const name = key.trim();
    if (name === "" && value.trim() === "") return;
    if (name === "") problems[`tags.${i}`] = "Give the tag a name.";
    else if (name in tags) problems[`tags.${i}`] = `There is a tag ${name} already.`;
    else tags[name] = value.trim();
  });
  return tags;
}

export interface Read<T> {
  value: T;
  problems: Problems;
}

export function readRules(draft: Draft): Read<DestinationRules> {
  const problems: Problems = {};
  if (draft.feeds.length === 0) problems.feeds = "Choose at least one kind.";
  if (!draft.allWorkers && draft.workers.length === 0) problems.workers = "Choose at least one Worker, or all.";
  const otherwise = share(draft.otherwise);
  if (otherwise === undefined) problems.otherwise = NOT_A_SHARE;
  const ceiling = draft.perMinute.trim().replaceAll(/[\s,_]/g, "");
  const perMinute = ceiling === "" ? null : Number(ceiling);
  if (perMinute !== null && !(Number.isInteger(perMinute) && perMinute > 0))
    problems.perMinute = "Write a whole number above 0, or leave it empty.";
  const value: DestinationRules = {
    workers: draft.allWorkers ? [] : draft.workers,
    exceptWorkers: draft.exceptWorkers,
    versions: draft.versions,
    feeds: draft.feeds,
    minLevel: draft.minLevel,
    notices: draft.notices,
    sampling: readSampling(draft, problems),
    otherwise: otherwise ?? 1,
    perMinute,
    tags: readTags(draft, problems),
  };
  return { value, problems };
}

/** What is filled in; a secret that is left out stays as it is stored, an empty one is taken away. */
export function readValues(
  fields: readonly CatalogField[],
  values: Record<string, string>,
  secretsSet: readonly string[],
  removed: readonly string[] = [],
): Read<Record<string, string>> {
  const problems: Problems = {};
  const value: Record<string, string> = {};
  for (const field of fields) {
    const text = field.secret ? (values[field.name] ?? "").trim() : (values[field.name] ?? "");
    if (text.trim() !== "") value[field.name] = text;
    else if (removed.includes(field.name)) value[field.name] = "";
    else if (field.required && !(field.secret && secretsSet.includes(field.name)))
      problems[`values.${field.name}`] = `${field.label} is needed.`;
    if (field.type === "number" && text.trim() !== "" && !Number.isFinite(Number(text)))
      problems[`values.${field.name}`] = "Write a number.";
    if (field.type === "url" && text.trim() !== "" && !URL.canParse(text.trim()))
      problems[`values.${field.name}`] = "Write a whole address, with https:// in front.";
  }
  return { value, problems };
}

const HOUR_MS = 3_600_000;
const BACKFILL_MS: Record<Backfill, number> = { none: 0, "1h": HOUR_MS, "24h": 24 * HOUR_MS, "7d": 168 * HOUR_MS };

export const backfillFrom = (choice: Backfill, now: number): number | null =>
  choice === "none" ? null : now - BACKFILL_MS[choice];

export function readDraft(
  entry: CatalogEntry,
  draft: Draft,
  secretsSet: readonly string[],
  now: number,
): Read<NewDestination> {
  const rules = readRules(draft);
  const values = readValues(entry.fields, draft.values, secretsSet, draft.removed);
  const problems = { ...values.problems, ...rules.problems };
  if (draft.name.trim() === "") problems.name = "Give it a name.";
  return {
    problems,
    value: {
      integration: entry.id,
      name: draft.name.trim(),
      values: values.value,
      rules: rules.value,
      standby: draft.standby,
      failoverTo: draft.failoverTo === "" ? null : draft.failoverTo,
      backfillFrom: draft.standby ? null : backfillFrom(draft.backfill, now),
    },
  };
}

/** Whether something would be lost by leaving: what the form holds now against what it began with. */
export const isChanged = (before: Draft, now: Draft): boolean => {
  const bare = (d: Draft) => JSON.stringify({ ...d, sampling: d.sampling.map((r) => ({ ...r, key: 0 })) });
  return bare(before) !== bare(now);
};
