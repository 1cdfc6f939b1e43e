/** Before a destination is saved: does it answer, and what would its rules have sent? Nothing is stored. */
import { readDestination } from "../../delivery/destinations.ts";
import { readRules } from "../../delivery/rules/rules.ts";
import { integrationOf } from "../../integrations/catalog.ts";
import type { Handler } from "../context.ts";
import type { PreviewAnswer, TestAnswer } from "../contract.ts";
import { PreviewBody, TestBody } from "../destinations/input.ts";
import { previewRules } from "../destinations/preview.ts";
import { badFields, destinationOf, noSuchIntegration, openBefore } from "../destinations/save.ts";
import { testIntegration } from "../destinations/test.ts";
import { fail } from "../errors.ts";
import { readJson } from "../input.ts";
import { sendResult } from "../query-failure.ts";
import { beforeOf } from "./resources.ts";

/** Also of resources: a credential is tried the same way. */
export const testDestination: Handler = async (c) => {
  const body = await readJson(c, TestBody);
  if (!body.ok) return body.failure;
  const { id, integration: name, values } = body.value;
  const integration = integrationOf(name);
  if (integration === undefined) return noSuchIntegration(name);
  const before = id === undefined ? undefined : await storedOf(c.env, id, name);
  if (before !== undefined && !before.ok) return before.failure;
  return c.json((await testIntegration(c.env, integration, values, before?.value)) satisfies TestAnswer);
};

async function storedOf(env: Env, id: string, integration: string) {
  const stored = await readDestination(env, id);
  if (stored === undefined) return beforeOf(env, id, integration);
  if (stored.integration === integration) return openBefore(env, stored);
  const failure = fail("not_found", `There is no ${integration} with the id ${id}.`);
  return { ok: false as const, failure };
}

export const previewDestination: Handler = async (c) => {
  const body = await readJson(c, PreviewBody);
  if (!body.ok) return body.failure;
  const integration = destinationOf(body.value.integration);
  if (!integration.ok) return integration.failure;
  const rules = readRules(integration.value, body.value.rules);
  if (!rules.ok) return badFields(rules.problems);
  const { signal } = c.req.raw;
  return sendResult<PreviewAnswer>(c, await previewRules(c.env, integration.value, rules.rules, { signal }));
};
