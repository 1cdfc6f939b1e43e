/**
 * Completion: which fields there are, and which values a field has. Fields come
 * from the catalog and the live batches; values from a bounded look at the most
 * recent events. `api/` calls both.
 */
import type { FieldInfo, FieldsAnswer, FieldValuesAnswer } from "../api/contract.ts";
import {
  ATTRIBUTE_ALIASES,
  CORE_BY_PHYSICAL,
  CORE_COLUMNS,
  type ColumnType,
  ISSUE,
  ISSUE_COLUMN,
  OVERFLOW_COLUMN,
} from "../event/columns.ts";
import { findSegments, listShards, readAttributes } from "../store/catalog.ts";
import { overflowAttributes } from "../store/overflow.ts";
import { tooMuch } from "./errors.ts";
import { compileFilter } from "./filter/compile.ts";
import { issueTitles } from "./issues.ts";
import { attributeField, type Filter, fieldOf } from "./language/ast.ts";
import { FIELD_SEGMENTS, MAX_FIELDS, MAX_VALUES, VALUE_EVENTS } from "./limits.ts";
import { readLive } from "./live.ts";
import { checkLimit, checkRange, type RangeParams } from "./params.ts";
import type { Plan } from "./plan.ts";
import { asResult, execute, type QueryEnv, type QueryOptions, type QueryResult, unwrap } from "./run.ts";
import { StatsSink } from "./stats.ts";

const DAY_MS = 86_400_000;
const DEFAULT_VALUES = 20;

export interface FieldParams extends RangeParams {
  prefix?: string | undefined;
}
export interface ValueParams extends FieldParams {
  limit?: string | number | undefined;
}

export async function listFields(
  env: QueryEnv,
  params: FieldParams,
  { now }: QueryOptions,
): Promise<QueryResult<FieldsAnswer>> {
  return asResult(async () => {
    const range = unwrap(checkRange(params, now, DAY_MS));
    const scripts = params.script ? [params.script] : undefined;
    const types = new Map<string, ColumnType>();
    const add = (name: string, type: ColumnType) => {
      if (!CORE_BY_PHYSICAL.has(name)) types.set(name, types.has(name) && types.get(name) !== type ? "string" : type);
    };
    const live = await readLive(env.INGESTER, await listShards(env.DB, { open: true, scripts }), range);
    for (const { batch } of live.batches) {
      for (const [name, column] of batch.columns) {
        if (name !== OVERFLOW_COLUMN) add(name, column.type);
        else if (column.type === "string") for (const rare of overflowAttributes(column)) add(rare.name, rare.type);
      }
    }
    const catalog = await findSegments(env.DB, { ...range, scripts });
    if (!catalog.ok) throw tooMuch(`spans more than ${catalog.limit} segments`);
    const newest = catalog.segments.slice(-FIELD_SEGMENTS).map((s) => s.key);
    for (const { name, type } of await readAttributes(env.DB, newest, MAX_FIELDS)) add(name, type);
    const found = [...coreFields(), ISSUE_FIELD, ...attributeFields(types)].filter((f) =>
      matches(f, params.prefix ?? ""),
    );
    return { fields: found.slice(0, MAX_FIELDS) };
  });
}

function coreFields(): FieldInfo[] {
  return CORE_COLUMNS.map(({ name, physical, aliases, type, unit, doc }) => ({
    name,
    physical,
    aliases: [...aliases],
    type,
    ...(unit === undefined ? {} : { unit }),
    doc,
    core: true,
  }));
}

const ISSUE_FIELD: FieldInfo = {
  name: ISSUE,
  physical: ISSUE_COLUMN,
  aliases: [],
  type: "number",
  doc: "The issue that an error belongs to.",
  core: true,
};

function attributeFields(types: ReadonlyMap<string, ColumnType>): FieldInfo[] {
  const alias = new Map([...ATTRIBUTE_ALIASES].map(([short, name]) => [name, short]));
  return [...types]
    .sort((a, b) => (a[0] < b[0] ? -1 : 1))
    .map(([physical, type]) => {
      const short = alias.get(physical);
      return {
        name: attributeField(physical),
        physical,
        aliases: short === undefined ? [] : [short],
        type,
        core: false,
      };
    });
}

function matches(field: FieldInfo, prefix: string): boolean {
  const wanted = prefix.toLowerCase();
  return [field.name, field.physical, ...field.aliases].some((n) => n.toLowerCase().startsWith(wanted));
}

/** The most frequent values of a field among recent events; counts are weighted. */
export async function fieldValues(
  env: QueryEnv,
  name: string,
  params: ValueParams,
  options: QueryOptions,
): Promise<QueryResult<FieldValuesAnswer>> {
  return asResult(async () => {
    const range = unwrap(checkRange(params, options.now));
    const limit = Math.min(unwrap(checkLimit(params.limit)) ?? DEFAULT_VALUES, MAX_VALUES);
    const field = fieldOf(name, 0);
    const ofIssues = field.physical === ISSUE_COLUMN;
    // Numbers of issues are in no segment: which of them begin so is seen afterwards.
    const prefix = params.prefix?.replace(ofIssues ? /^#/ : /^$/, "") ?? "";
    const asked = ofIssues ? fieldOf("fingerprint", 0) : field;
    const filter: Filter =
      ofIssues || prefix === "" ? { kind: "exists", field: asked } : { kind: "prefix", field, text: prefix };
    const plan: Plan = { filter: compileFilter(filter), range, after: [] };
    if (params.script) plan.scripts = [params.script];
    const sink = new StatsSink([{ fn: "count", name: "count" }], [{ kind: "field", field, name }]);
    await execute(env, plan, sink, { ...options, maxEvents: VALUE_EVENTS });
    const values = sink
      .table()
      .rows.filter(([value]) => !ofIssues || (value !== null && String(value).startsWith(prefix)))
      .slice(0, limit)
      .map(([value, count]) => ({ value: String(value), count: Number(count) }));
    if (!ofIssues) return { values };
    const titles = await issueTitles(
      env.DB,
      values.map((v) => v.value),
    );
    return { values: values.map((v) => ({ ...v, label: titles.get(v.value) ?? "" })) };
  });
}
