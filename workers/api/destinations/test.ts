/**
 * One real round trip with values that may not be stored yet, for the set-up flow.
 * With the id of what is stored, secrets that were left out are those stored, unless
 * they would go to another place now (`values.ts`).
 */
import { masker } from "../../delivery/egress/mask.ts";
import { createIo } from "../../delivery/io/io.ts";
import type { Integration, TestResult, Values } from "../../integrations/contract.ts";
import { withAdvice } from "../../integrations/sending/advice.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import type { TestAnswer } from "../contract.ts";
import { withoutSecrets } from "../errors.ts";
import { type Before, fillIn } from "./values.ts";

/** Some protocols ask twice (a token, then the thing itself), each bounded to 10 s. */
const TIMEOUT_MS = 25_000;

export async function testIntegration(
  env: Env,
  integration: Integration,
  values: Readonly<Record<string, string>>,
  before: Before | undefined,
): Promise<TestAnswer> {
  const allowLoopback = env.TAILRACE_ALLOW_LOOPBACK === "true";
  const filled = fillIn(integration, values, { before, allowLoopback });
  const { problems } = filled;
  const wrong = Object.values(problems)[0];
  if (wrong !== undefined) return { ok: false, message: `Nothing was sent: ${wrong}`, ms: 0, problems };
  const secrets = Object.values(filled.secrets);
  const started = Date.now();
  const result = await roundTrip(env, integration, filled.all, secrets);
  const said = result.ok ? result.message : withAdvice(result.failure).message;
  // Time moves on with I/O, of which there was some.
  return { ok: result.ok, message: masker(secrets)(said), ms: Date.now() - started };
}

async function roundTrip(env: Env, integration: Integration, values: Values, secrets: string[]): Promise<TestResult> {
  try {
    const io = await createIo(env, { secrets, source: "test" });
    return await within(TIMEOUT_MS, undefined, integration.test(values, io));
  } catch (error) {
    // No integration throws for what a receiver does: this one is broken, or never ends.
    const message = `The test came to no end: ${withoutSecrets(rootMessage(error))}`;
    return { ok: false, failure: { kind: "timeout", message, status: 0 } };
  }
}
