/** Ask: what the rest of the platform may use of the query engine. */

export { readRange } from "./attributes/ranges.ts";
export { readAttributeGroups } from "./attributes/read.ts";
export type { QueryError } from "./errors.ts";
export { fieldValues, listFields } from "./fields.ts";
export { readInvocation } from "./invocation.ts";
export { attributeField } from "./language/ast.ts";
export { checkFilter, countMatches, type Matches } from "./matches.ts";
export type { QueryParams } from "./params.ts";
export { type QueryOptions, type QueryResult, runQuery } from "./run.ts";
export { visitEvents } from "./visit.ts";
