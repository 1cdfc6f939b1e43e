/** `/api/v1/secrets`: under which key credentials of others are sealed, and sealing them again under the first. No secret comes out. */
import { reseal, secretsState } from "../../secrets/rotate.ts";
import { audit } from "../audit.ts";
import { type Handler, principalOf } from "../context.ts";
import type { SecretsAnswer } from "../contract.ts";
import { fail } from "../errors.ts";

export const getSecrets: Handler = async (c) => c.json((await secretsState(c.env)) satisfies SecretsAnswer);

export const rotateSecrets: Handler = async (c) => {
  const done = await reseal(c.env);
  if (done.key === null) return fail("unavailable", NO_KEY);
  const { key, resealed, unreadable } = done;
  const detail = { key, resealed, unreadable: unreadable.length };
  await audit(c.env, { at: Date.now(), actor: principalOf(c).actor, action: "secrets.rotate", target: key, detail });
  return c.json(done satisfies SecretsAnswer);
};

const NO_KEY =
  "The Worker has no TAILRACE_SECRET_KEY that could be used. Make one: openssl rand -base64 32 | npx wrangler secret put TAILRACE_SECRET_KEY";
