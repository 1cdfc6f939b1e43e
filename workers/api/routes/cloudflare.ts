/**
 * `/api/v1/cloudflare`: the account that rollouts act on. The token goes in and
 * never comes out: not in an answer, an error, a log or the audit. Connecting asks
 * Cloudflare first, so what is stored has worked once.
 */
import * as v from "valibot";
import {
  type ConnectFailure,
  connect,
  disconnect,
  NOT_CONNECTED,
  readConnection,
  rolloutsUnderWay,
} from "../../cloudflare/connection.ts";
import { database } from "../../db/client.ts";
import { auditRow } from "../audit.ts";
import { type ApiContext, type Handler, principalOf } from "../context.ts";
import type { CloudflareAnswer } from "../contract.ts";
import { type Failure, fail } from "../errors.ts";
import { readParams } from "../input.ts";
import { cloudflareFailure } from "../rollouts/failure.ts";

/** Each says what is wrong in words of its own: valibot's would repeat what it was given. */
const Connection = v.strictObject(
  {
    accountId: v.pipe(
      v.string("accountId must be a text."),
      v.regex(/^[0-9a-f]{32}$/, "accountId is 32 hexadecimal digits; npx wrangler whoami prints it."),
    ),
    token: v.pipe(
      v.string("token must be a text."),
      v.regex(/^[\x21-\x7e]{20,512}$/, "token is an API token of Cloudflare, 20 to 512 characters without spaces."),
    ),
  },
  'The body is {"accountId", "token"} and nothing else.',
);
const Forced = v.object({ force: v.optional(v.picklist(["true", "false"])) });

export const getCloudflare: Handler = async (c) => c.json(await readConnection(c.env));

export const putCloudflare: Handler = async (c) => {
  const force = readParams(c, Forced);
  if (!force.ok) return force.failure;
  const body = v.safeParse(Connection, await c.req.json().catch(() => undefined), { abortEarly: true });
  if (!body.success) return fail("bad_request", body.issues[0].message);
  const request = body.output;
  const now = await readConnection(c.env);
  // The same names in another account are other Workers.
  if (now.connected && now.accountId !== request.accountId) {
    const refused = await refuseUnderWay(c, force.value.force, "Another account cannot take its place");
    if (refused !== undefined) return refused;
  }
  const { actor } = principalOf(c);
  const connected = await connect(c.env, request, actor, [audited(c, "cloudflare.connect", request.accountId)]);
  return connected.ok ? c.json(connected.answer) : refusalOf(connected);
};

export const deleteCloudflare: Handler = async (c) => {
  const force = readParams(c, Forced);
  if (!force.ok) return force.failure;
  const { accountId } = await readConnection(c.env);
  if (accountId === null) return c.json(NOT_CONNECTED satisfies CloudflareAnswer);
  const refused = await refuseUnderWay(c, force.value.force, "The account stays connected");
  if (refused !== undefined) return refused;
  await disconnect(c.env, [audited(c, "cloudflare.disconnect", accountId)]);
  return c.json(NOT_CONNECTED satisfies CloudflareAnswer);
};

async function refuseUnderWay(c: ApiContext, force: string | undefined, what: string): Promise<Failure | undefined> {
  if (force === "true") return undefined;
  const scripts = await rolloutsUnderWay(c.env);
  if (scripts.length === 0) return undefined;
  return fail(
    "rollout_running",
    `${what} while a rollout runs (${scripts.join(", ")}): nobody could take it back. End it first, or send ?force=true: it then holds where it is, and only you can change the deployment.`,
    { details: { scripts } },
  );
}

function audited(c: ApiContext, action: "cloudflare.connect" | "cloudflare.disconnect", accountId: string) {
  return auditRow(database(c.env.DB), { at: Date.now(), actor: principalOf(c).actor, action, target: accountId });
}

/** Cloudflare's no to this token is the caller's to put right; its silence is not. */
function refusalOf(refused: ConnectFailure): Failure {
  if (refused.at === "secret") return fail("unavailable", refused.why.message);
  const { kind, message } = refused.why;
  if (kind === "rate_limited" || kind === "unavailable" || kind === "timeout") return cloudflareFailure(refused.why);
  return fail("token_refused", `${message} Nothing was stored.`);
}
