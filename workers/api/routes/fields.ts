/** `/api/v1/fields` and `/api/v1/fields/:name/values`: what the query bar completes. */
import * as v from "valibot";
import { fieldValues, listFields } from "../../query/index.ts";
import type { Handler } from "../context.ts";
import { plainText, readParams, scriptName } from "../input.ts";
import { sendResult } from "../query-failure.ts";

const short = v.pipe(v.string(), v.maxLength(256));
const range = {
  from: v.optional(short),
  to: v.optional(short),
  script: v.optional(scriptName),
  prefix: v.optional(short),
};
const Fields = v.object(range);
const Values = v.object({ ...range, name: plainText(1_024), limit: v.optional(short) });

export const fields: Handler = async (c) => {
  const params = readParams(c, Fields);
  if (!params.ok) return params.failure;
  return sendResult(c, await listFields(c.env, params.value, { now: Date.now() }));
};

export const values: Handler = async (c) => {
  const params = readParams(c, Values);
  if (!params.ok) return params.failure;
  const { name, ...rest } = params.value;
  return sendResult(c, await fieldValues(c.env, name, rest, { now: Date.now(), signal: c.req.raw.signal }));
};
