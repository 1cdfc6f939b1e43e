/** `POST /api/v1/ingest/tail`: trace items from elsewhere. `ingest/http.ts` reads and bounds the body, and answers once all is durable. */
import { type IngestResult, ingestTail } from "../../ingest/http.ts";
import type { Handler } from "../context.ts";
import { type FailureTag, fail } from "../errors.ts";

/** Exhaustive: a new problem does not compile until it is here. */
const TAGS = {
  too_large: "body_too_large",
  cut_off: "bad_request",
  bad_encoding: "bad_request",
  unsupported_encoding: "unsupported_encoding",
  overloaded: "overloaded",
} as const satisfies Record<Extract<IngestResult, { ok: false }>["problem"], FailureTag>;

export const ingest: Handler = async (c) => {
  const result = await ingestTail(c.req.raw, c.env, c.executionCtx);
  if (result.ok) return c.json(result.answer);
  // What was taken before the body turned out to be bad stays: the details say how much.
  return fail(TAGS[result.problem], result.message, { details: result.answer, retryAfterS: result.retryAfterSeconds });
};
