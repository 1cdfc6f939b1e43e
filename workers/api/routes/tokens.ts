/** `/api/v1/tokens`: make, list and revoke API tokens. The token itself is in one answer and nowhere else. */
import { and, desc, eq, isNull } from "drizzle-orm";
import * as v from "valibot";
import { database, schema } from "../../db/client.ts";
import { auditRow } from "../audit.ts";
import { dismissToken } from "../auth/listeners.ts";
import { hashOf, newToken, newTokenId } from "../auth/secrets.ts";
import { forgetSessions } from "../auth/sessions.ts";
import { asScope, forgetTokens, type TokenRow } from "../auth/tokens.ts";
import { type Handler, principalOf } from "../context.ts";
import { SCOPES, type TokenCreated, type TokenInfo, type TokensAnswer } from "../contract.ts";
import { fail } from "../errors.ts";
import { plainText, readJson, readParams } from "../input.ts";

/** Enough for every team; a list needs no pages. */
const MAX_LISTED = 1_000;
const DAY_MS = 86_400_000;
const MAX_DAYS = 3_650;

const NewToken = v.strictObject({
  name: plainText(100),
  scope: v.picklist(SCOPES),
  /** Days until it expires; without it, it does not. */
  expiresInDays: v.optional(v.pipe(v.number(), v.minValue(1 / 24 / 60), v.maxValue(MAX_DAYS))),
});

export const createToken: Handler = async (c) => {
  const body = await readJson(c, NewToken);
  if (!body.ok) return body.failure;
  const { name, scope, expiresInDays } = body.value;
  const now = Date.now();
  const actor = principalOf(c).actor;
  const token = newToken();
  const info: TokenInfo = {
    id: newTokenId(),
    name,
    scope,
    createdAt: now,
    createdBy: actor,
    lastUsedAt: null,
    expiresAt: expiresInDays === undefined ? null : Math.round(now + expiresInDays * DAY_MS),
    revokedAt: null,
  };
  const db = database(c.env.DB);
  await db.batch([
    db.insert(schema.tokens).values({ ...info, hash: hashOf(token) }),
    auditRow(db, {
      at: now,
      actor,
      action: "token.create",
      target: info.id,
      detail: { name, scope, expiresAt: info.expiresAt },
    }),
  ]);
  return c.json({ ...info, token } satisfies TokenCreated, 201);
};

export const listTokens: Handler = async (c) => {
  const rows = await database(c.env.DB)
    .select()
    .from(schema.tokens)
    .orderBy(desc(schema.tokens.createdAt))
    .limit(MAX_LISTED);
  return c.json({ tokens: rows.map(infoOf) } satisfies TokensAnswer);
};

export const revokeToken: Handler = async (c) => {
  const params = readParams(c, v.object({ id: plainText(64) }));
  if (!params.ok) return params.failure;
  const { id } = params.value;
  const { tokens, sessions } = schema;
  const db = database(c.env.DB);
  const row = (await db.select().from(tokens).where(eq(tokens.id, id)).limit(1))[0];
  if (row === undefined) return fail("not_found", `There is no token ${id}. GET /api/v1/tokens lists them.`);
  if (row.revokedAt !== null) return c.json(infoOf(row));

  const now = Date.now();
  const actor = principalOf(c).actor;
  await db.batch([
    db
      .update(tokens)
      .set({ revokedAt: now })
      .where(and(eq(tokens.id, id), isNull(tokens.revokedAt))),
    db.delete(sessions).where(eq(sessions.tokenId, id)),
    auditRow(db, { at: now, actor, action: "token.revoke", target: id, detail: { name: row.name, scope: row.scope } }),
  ]);
  forgetTokens();
  forgetSessions();
  await dismissToken(c.env, id);
  return c.json(infoOf({ ...row, revokedAt: now }));
};

/** Everything but the hash. */
function infoOf({ hash: _, ...row }: TokenRow): TokenInfo {
  return { ...row, scope: asScope(row.scope) };
}
