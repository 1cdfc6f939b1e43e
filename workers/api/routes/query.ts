/**
 * `GET|POST /api/v1/query`: asks, and answers as JSON; or, for who accepts
 * `application/x-ndjson`, as lines: progress while it reads, then the answer.
 * A client that goes away stops the reading.
 */
import * as v from "valibot";
import { type QueryOptions, type QueryParams, runQuery } from "../../query/index.ts";
import { countInRequest } from "../../self/count.ts";
import type { ApiContext, Handler } from "../context.ts";
import type { QueryLine } from "../contract.ts";
import { errorBody, type Failure, fail, logFailure } from "../errors.ts";
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

type Progress = Extract<QueryLine, { progress: unknown }>["progress"];

export const queryByUrl: Handler = (c) => answer(c, readParams(c, Question));
export const queryByBody: Handler = async (c) => answer(c, await readJson(c, Question));

async function answer(c: ApiContext, question: Input<QueryParams>): ReturnType<Handler> {
  if (!question.ok) return question.failure;
  if ((c.req.header("accept") ?? "").includes("application/x-ndjson")) return stream(c, question.value);
  return sendResult(c, await ask(c.env, question.value, { signal: c.req.raw.signal }));
}

/** Counts what queries cost. */
async function ask(env: Env, question: QueryParams, options: Omit<QueryOptions, "now">) {
  const now = Date.now();
  const result = await runQuery(env, question, { now, ...options });
  countInRequest(env, "tailrace_query_requests_total", { outcome: result.ok ? "ok" : "refused" });
  countInRequest(env, "tailrace_query_seconds_total", {}, (Date.now() - now) / 1000);
  if (result.ok) {
    countInRequest(env, "tailrace_query_events_total", {}, result.answer.stats.events);
    countInRequest(env, "tailrace_query_bytes_total", {}, result.answer.stats.bytes);
  }
  return result;
}

/** What is refused before the first line is answered with its status; what goes wrong later is a line too. */
async function stream(c: ApiContext, question: QueryParams): Promise<Response | Failure> {
  const { promise: opening, resolve: open } = Promise.withResolvers<Failure | undefined>();
  const { body, done } = streamLines<QueryLine>(c.req.raw.signal, async (send, signal) => {
    let begun = false;
    const onProgress = (progress: Progress) => {
      begun = true;
      open(undefined);
      void send({ progress });
    };
    const refuse = async (failure: Failure) => {
      open(failure);
      await send(errorBody(failure));
    };
    try {
      const result = await ask(c.env, question, { signal, onProgress });
      if (!result.ok) return await refuse(queryFailure(result.error));
      const { segments, events } = result.answer.stats;
      if (!begun) onProgress({ done: segments, total: segments, events });
      await send({ answer: result.answer });
    } catch (error) {
      logFailure(c, error);
      const details = { requestId: c.get("requestId") };
      await refuse(fail("internal", "Something broke on our side.", { details }));
    }
  });
  c.executionCtx.waitUntil(done);
  const refused = await opening;
  if (refused === undefined)
    return new Response(body, { headers: { "Content-Type": "application/x-ndjson; charset=utf-8" } });
  await body.cancel();
  return refused;
}
