/** `GET /api/v1/issues/:id/stack` and `POST /api/v1/symbolicate`: a stack with the team's own source. Source is code: scope `read` only. */

import { and, eq } from "drizzle-orm";
import * as v from "valibot";
import { database, schema } from "../../db/client.ts";
import type { Handler } from "../context.ts";
import { plainText, readJson, readParams, scriptName, wholeNumber } from "../input.ts";
import { findStack, showStack } from "../issues/stack.ts";
import { IssueId } from "./issues.ts";

/** As much as an event may carry, and room for JSON's escapes. */
export const SYMBOLICATE_BODY = 256 << 10;

const Params = v.object({
  ...IssueId,
  version: v.optional(v.pipe(v.string(), v.maxLength(256))),
  invocation: v.optional(plainText(256)),
  seq: v.optional(wholeNumber(0, 1_000_000)),
});

export const issueStack: Handler = async (c) => {
  const params = readParams(c, Params);
  if (!params.ok) return params.failure;
  const { id, ...question } = params.value;
  const found = await findStack(c.env, id, question, { now: Date.now(), signal: c.req.raw.signal });
  return found.ok ? c.json(await showStack(c.env, found.stack)) : found.failure;
};

const Body = v.strictObject({
  script: scriptName,
  version: v.pipe(v.string(), v.maxLength(256)),
  stack: v.pipe(v.string(), v.maxLength(SYMBOLICATE_BODY)),
});

export const symbolicateStack: Handler = async (c) => {
  const body = await readJson(c, Body);
  if (!body.ok) return body.failure;
  const { script, version, stack } = body.value;
  const { versions } = schema;
  const [known] = await database(c.env.DB)
    .select({ id: versions.versionId, tag: versions.tag, message: versions.message })
    .from(versions)
    .where(and(eq(versions.script, script), eq(versions.versionId, version)))
    .limit(1);
  const name = known ?? { id: version, tag: "", message: "" };
  return c.json(await showStack(c.env, { script, version: name, raw: stack, type: undefined, message: undefined }));
};
