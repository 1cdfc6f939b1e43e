/** What kind of answer a query gives, so that Explore knows what to draw. Pure; the grammar is the server's own. */
import type { Query } from "../../../workers/query/language/ast.ts";
import { BIN_COLUMN, parseQuery } from "../../../workers/query/language/parse.ts";
import type { Shape } from "./result-series.ts";

export type QueryShape =
  | { kind: "events" }
  /** `stats` is set when the answer is figures by groups. */
  | { kind: "table"; stats: Shape | undefined }
  | { kind: "mistake"; message: string; position: number };

function statsOf(query: Query): Shape | undefined {
  const pipe = query.pipes.find((p) => p.kind === "stats");
  if (pipe === undefined) return undefined;
  const bin = pipe.by.find((k) => k.kind === "bin" && k.field.physical === "time");
  const width = bin?.kind === "bin" ? bin.width : undefined;
  return {
    groups: pipe.by.map((k) => k.name),
    aggregates: pipe.aggregates.map((a) => a.name),
    binMs: width === undefined ? undefined : width / 1000,
    binColumn: bin?.name ?? BIN_COLUMN,
  };
}

export function shapeOf(q: string, now: number): QueryShape {
  const parsed = parseQuery(q, now);
  if (!parsed.ok) return { kind: "mistake", message: parsed.problem.message, position: parsed.problem.position };
  if (parsed.query.pipes.every((p) => p.kind === "where")) return { kind: "events" };
  return { kind: "table", stats: statsOf(parsed.query) };
}
