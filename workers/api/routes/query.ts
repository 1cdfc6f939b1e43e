/**
 * `GET|POST /api/v1/query`: asks, and answers as JSON; or, for who accepts
 * `application/x-ndjson`, as lines: progress while it reads, then the answer.
 * A client that goes away stops the reading.
 */
import * as v from "valibot";
import { type QueryParams, runQuery } from "../../query/index.ts";
import type { ApiContext, Handler } from "../context.ts";
import type { QueryLine } from "../contract.ts";
import { errorBody, fail, logFailure } from "../errors.ts";
import { type Input, readJson, readParams } from "../input.ts";
import { streamLines } from "../lines.ts";
import { queryFailure, sendResult } from "../query-failure.ts";

/** Bounds what is parsed at all; the query language has limits of its own. */
const MAX_TEXT_CHARS = 16_384;

const text = v.pipe(v.string(), v.maxLength(MAX_TEXT_CHARS));
const scalar = v.union([text, v.number()]);
const Question = v.object({
  q: v.optional(text, ""),
  from: v.optional(scalar),
  to: v.optional(scalar),
  limit: v.optional(scalar),
  before: v.optional(text),
  script: v.optional(text),
});

export const queryByUrl: Handler = (c) => answer(c, readParams(c, Question));
export const queryByBody: Handler = async (c) => answer(c, await readJson(c, Question));

async function answer(c: ApiContext, question: Input<QueryParams>): ReturnType<Handler> {
  if (!question.ok) return question.failure;
  if ((c.req.header("accept") ?? "").includes("application/x-ndjson")) return stream(c, question.value);
  return sendResult(c, await runQuery(c.env, question.value, { now: Date.now(), signal: c.req.raw.signal }));
}

/** The status is sent before the first line: what goes wrong afterwards is a line too. */
function stream(c: ApiContext, question: QueryParams): Response {
  const { body, done } = streamLines<QueryLine>(c.req.raw.signal, async (send, signal) => {
    const onProgress = (progress: { done: number; total: number; events: number }) => void send({ progress });
    try {
      const result = await runQuery(c.env, question, { now: Date.now(), signal, onProgress });
      await send(result.ok ? { answer: result.answer } : errorBody(queryFailure(result.error)));
    } catch (error) {
      logFailure(c, error);
      const details = { requestId: c.get("requestId") };
      await send(errorBody(fail("internal", "Something broke on our side.", { details })));
    }
  });
  c.executionCtx.waitUntil(done);
  return new Response(body, { headers: { "Content-Type": "application/x-ndjson; charset=utf-8" } });
}
