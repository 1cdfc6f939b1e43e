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
  const gone = new AbortController();
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  // A write that fails means that the reader has gone.
  const write = (line: QueryLine) =>
    writer.write(encoder.encode(`${JSON.stringify(line)}\n`)).catch((reason: unknown) => gone.abort(reason));

  const run = async () => {
    const signal = AbortSignal.any([c.req.raw.signal, gone.signal]);
    const onProgress = (progress: { done: number; total: number; events: number }) => void write({ progress });
    try {
      const result = await runQuery(c.env, question, { now: Date.now(), signal, onProgress });
      await write(result.ok ? { answer: result.answer } : errorBody(queryFailure(result.error)));
    } catch (error) {
      const details = { requestId: c.get("requestId") };
      logFailure(c, error);
      await write(errorBody(fail("internal", "Something broke on our side.", { details })));
    }
    await writer.close().catch(() => undefined);
  };
  c.executionCtx.waitUntil(run());
  return new Response(readable, { headers: { "Content-Type": "application/x-ndjson; charset=utf-8" } });
}
