/** `GET /api/v1/invocations/:id`: all events of one invocation, in order. */
import * as v from "valibot";
import { readInvocation } from "../../query/index.ts";
import type { Handler } from "../context.ts";
import { fail } from "../errors.ts";
import { plainText, readParams, wholeNumber } from "../input.ts";
import { queryFailure } from "../query-failure.ts";

/** Year 9999. */
const MAX_TIME_MS = 253_402_300_799_999;
const Params = v.object({ id: plainText(256), around: v.optional(wholeNumber(0, MAX_TIME_MS)) });

export const invocation: Handler = async (c) => {
  const params = readParams(c, Params);
  if (!params.ok) return params.failure;
  const { id, around } = params.value;
  const result = await readInvocation(c.env, id, { around }, { now: Date.now(), signal: c.req.raw.signal });
  if (!result.ok) return queryFailure(result.error);
  const { events, completeness } = result.answer;
  // With a part of the data out of reach, nobody can say that it is not there.
  if (events.length === 0 && completeness.missing === undefined)
    return fail("not_found", "There is no such invocation. It may be older than the retention, or sampled out.");
  return c.json(result.answer);
};
