/**
 * The limits of the language: the parser and the evaluator recurse, and a query
 * comes from anyone with a token. What bounds the work is in `../limits.ts`.
 */

/** Characters of query text: a URL carries it. */
export const MAX_QUERY_LENGTH = 4_096;
/** Parentheses and NOTs inside each other: the parser and the evaluator recurse. */
export const MAX_DEPTH = 32;
/** Filters in one query: each is a pass over a column. */
export const MAX_CLAUSES = 100;
/** Pipes in one query. */
export const MAX_PIPES = 16;
/** Aggregates in one `stats`, and fields in one `by`, `sort` or `fields`. */
export const MAX_LIST = 32;
/** Characters of one regular expression: compiled states grow with it. */
export const MAX_REGEX_LENGTH = 500;
/** Regular expressions in one query. */
export const MAX_REGEXES = 10;

/** Rows of one answer: 10,000 events are some MB of JSON. */
export const MAX_ROWS = 10_000;
/** Buckets that `bin()` aims for at most. */
export const AUTO_BUCKETS = 120;
