/**
 * What can go wrong with a query, as values. Inside the engine they travel as
 * one exception class; `run.ts` turns it back into a value, and `api/` the
 * value into HTTP.
 */
import type { SyntaxProblem } from "./language/ast.ts";

export type QueryError =
  | { code: "bad_query"; message: string; details: { position: number; found: string; expected: string } }
  /** `from`, `to`, `limit` or `before` cannot be read. */
  | { code: "bad_request"; message: string }
  /** A limit of `limits.ts`. The message says what to do. */
  | { code: "too_much"; message: string }
  | { code: "cancelled"; message: string }
  /** D1 or R2 did not answer, or a segment cannot be read. */
  | { code: "unavailable"; message: string };

export class QueryFailure extends Error {
  readonly error: QueryError;

  constructor(error: QueryError) {
    super(error.message);
    this.error = error;
  }
}

export function badQuery({ message, ...details }: SyntaxProblem): QueryError {
  return { code: "bad_query", message, details };
}

export function tooMuch(what: string, advice = "narrow the time range or add a filter"): QueryFailure {
  return new QueryFailure({ code: "too_much", message: `This query ${what}: ${advice}.` });
}

/** A question to D1: what it says when it fails becomes a value. */
export async function asking<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new QueryFailure({ code: "unavailable", message: `The catalog did not answer (${reason}). Try again.` });
  }
}
