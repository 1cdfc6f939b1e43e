/** `POST /api/v1/ingest/tail`: trace items from elsewhere. `ingest/http.ts` reads and bounds the body, and answers once all is durable. */
import { ingestTail } from "../../ingest/http.ts";
import type { Handler } from "../context.ts";
import { fail } from "../errors.ts";

const TAGS = { 400: "bad_request", 413: "body_too_large", 415: "unsupported_encoding", 429: "overloaded" } as const;

export const ingest: Handler = async (c) => {
  const result = await ingestTail(c.req.raw, c.env, c.executionCtx);
  if (result.ok) return c.json(result.answer);
  // What was taken before the body turned out to be bad stays: the details say how much.
  return fail(TAGS[result.status], result.message, { details: result.answer, retryAfterS: result.retryAfterSeconds });
};
