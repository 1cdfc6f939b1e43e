/**
 * Edits of the query's text: what a click on a value does to the query bar.
 * Pure. The server has the grammar (docs/query-language.md); this only needs to
 * find the first pipe and to write terms that the grammar reads back.
 */

export interface SplitQuery {
  filter: string;
  /** From the first pipe on, the pipe included; empty when there is none. */
  pipes: string;
}

/** Splits at the first `|` that is outside quotes and regular expressions. */
export function splitQuery(q: string): SplitQuery {
  let quote = "";
  for (let i = 0; i < q.length; i++) {
    const c = q[i];
    if (quote !== "") {
      if (c === "\\") i++;
      else if (c === quote) quote = "";
    } else if (c === '"') quote = '"';
    else if (c === "/" && q[i - 1] === ":") quote = "/";
    else if (c === "|") return { filter: q.slice(0, i).trim(), pipes: q.slice(i).trim() };
  }
  return { filter: q.trim(), pipes: "" };
}

export function joinQuery({ filter, pipes }: SplitQuery): string {
  return pipes === "" ? filter : `${filter === "" ? "" : `${filter} `}${pipes}`;
}

const BARE_VALUE = /^[\p{L}\p{N}_][\p{L}\p{N}_.@#-]*$/u;
const BARE_FIELD = /^[\p{L}_@][\p{L}\p{N}_.-]*$/u;
const KEYWORDS = new Set(["AND", "OR", "NOT"]);

export function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

export function writeValue(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  return BARE_VALUE.test(value) && !KEYWORDS.has(value) && !value.includes("..") ? value : quote(value);
}

export function writeField(name: string): string {
  return BARE_FIELD.test(name) && !KEYWORDS.has(name) ? name : quote(name);
}

/** `field:value`; a missing value becomes "has no such field". */
export function term(field: string, value: string | number | boolean | null): string {
  return value === null || value === "" ? `-${writeField(field)}:*` : `${writeField(field)}:${writeValue(value)}`;
}

const negate = (t: string) => (t.startsWith("-") ? t.slice(1) : `-${t}`);

/** Removes a term that stands alone between blanks (not inside quotes or groups). */
function without(filter: string, t: string): string {
  const at = ` ${filter} `.indexOf(` ${t} `);
  if (at < 0) return filter;
  return `${filter.slice(0, at)} ${filter.slice(at + t.length)}`.replace(/\s+/g, " ").trim();
}

const hasTopLevelOr = (filter: string) => /(^|\s)OR(\s|$)/.test(filter.replace(/"(\\.|[^"\\])*"|\([^()]*\)/g, ""));

/** Adds a filter before the pipes; filtering the other way round takes the old term out. */
export function addFilter(q: string, field: string, value: string | number | boolean | null, exclude = false): string {
  const parts = splitQuery(q);
  const wanted = exclude ? negate(term(field, value)) : term(field, value);
  let filter = without(parts.filter, negate(wanted));
  if (` ${filter} `.includes(` ${wanted} `)) return joinQuery({ ...parts, filter });
  if (hasTopLevelOr(filter)) filter = `(${filter})`;
  return joinQuery({ ...parts, filter: filter === "" ? wanted : `${filter} ${wanted}` });
}

/** Replaces the pipes by a count per value of a field. */
export function groupBy(q: string, field: string): string {
  return joinQuery({
    filter: splitQuery(q).filter,
    pipes: `| stats count() by ${writeField(field)} | sort count desc`,
  });
}

/** The issue that a query narrows to, when it is one. */
export function issueOf(q: string): number | undefined {
  const found = [...splitQuery(q).filter.matchAll(/(?:^|[\s(])issue:"?(\d+)"?(?=$|[\s)])/g)].map((m) => Number(m[1]));
  return found.length === 1 ? found[0] : undefined;
}

/** `failed` is the language's own field for workers/event/failure.ts. */
export const FAILED_FILTER = "kind:invocation failed:true";

/** A link to Explore that keeps the time range of the page it stands on. */
export function exploreHref(q: string, range: { from: string; to: string }): string {
  const params = new URLSearchParams();
  if (q !== "") params.set("q", q);
  params.set("from", range.from);
  params.set("to", range.to);
  return `/explore?${params}`;
}
