/** What can go wrong with a query → what the API answers. Exhaustive: a new code does not compile until it is here. */
import type { QueryError, QueryResult } from "../query/index.ts";
import type { ApiContext } from "./context.ts";
import { type Failure, type FailureTag, fail, withoutSecrets } from "./errors.ts";

const TAGS = {
  bad_query: "bad_query",
  bad_request: "bad_request",
  too_much: "query_too_large",
  cancelled: "cancelled",
  unavailable: "unavailable",
} as const satisfies Record<QueryError["code"], FailureTag>;

export function queryFailure(error: QueryError): Failure {
  // What a store said when it failed is part of the message.
  return fail(TAGS[error.code], withoutSecrets(error.message), {
    ...(error.code === "bad_query" ? { details: error.details } : {}),
    ...(error.code === "unavailable" ? { retryAfterS: 2 } : {}),
  });
}

export const sendResult = <T extends object>(c: ApiContext, result: QueryResult<T>): Response | Failure =>
  result.ok ? c.json(result.answer) : queryFailure(result.error);
