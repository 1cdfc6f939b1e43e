/**
 * What people do with issues: state, assignee, comments, merge and unmerge, and
 * undoing it. `errors/issues/` does it; here it is checked, and written down who
 * did it. The audit row comes after the change: a change that is repeated because
 * the row could not be written changes nothing the second time.
 */
import * as v from "valibot";
import { assign } from "../../errors/issues/assign.ts";
import type { ChangeResult } from "../../errors/issues/change.ts";
import { changeState } from "../../errors/issues/change-state.ts";
import { addComment, deleteComment } from "../../errors/issues/comment.ts";
import { MAX_COMMENT_CHARS, MAX_FINGERPRINTS, MAX_IDS } from "../../errors/issues/limits.ts";
import { mergeIssues, unmerge } from "../../errors/issues/merge.ts";
import { publishSoon } from "../../errors/issues/notify.ts";
import { restore } from "../../errors/issues/restore.ts";
import { type AuditAction, audit } from "../audit.ts";
import { type ApiContext, type Handler, principalOf } from "../context.ts";
import { ISSUE_STATES, type IssueActivity, type IssueStateRequest, type IssuesChanged } from "../contract.ts";
import { type Failure, fail } from "../errors.ts";
import { plainText, readJson, readParams, wholeNumber } from "../input.ts";
import { IssueId, noSuchIssue } from "./issues.ts";

/** `restore` carries what hundreds of issues were; a comment may have code in it. */
export const ISSUE_BODY = 256 << 10;

const id = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER));
const ids = v.pipe(v.array(id), v.minLength(1), v.maxLength(MAX_IDS));
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));
/** Version ids and names of people: what may stand in a header or a page. */
const label = v.union([v.literal(""), plainText(256)]);

const StateBody = v.variant("state", [
  v.strictObject({ ids, state: v.literal("resolved"), in: v.optional(label) }),
  v.strictObject({ ids, state: v.literal("unresolved") }),
  v.strictObject({
    ids,
    state: v.literal("ignored"),
    until: v.optional(amount),
    count: v.optional(amount),
    rate: v.optional(amount),
  }),
]);

export const setIssueState: Handler = async (c) => {
  const body = await readJson(c, StateBody);
  if (!body.ok) return body.failure;
  const { ids: _, ...detail } = body.value;
  // The schema's optional fields may be there and undefined; the contract's may not.
  const request = JSON.parse(JSON.stringify(body.value)) as IssueStateRequest;
  const answer = await changed(c, "issue.state", detail, (actor, now) => changeState(c.env, request, actor, now));
  if (request.state === "resolved") c.executionCtx.waitUntil(publishSoon(c.env));
  return answer;
};

export const assignIssues: Handler = async (c) => {
  const body = await readJson(c, v.strictObject({ ids, assignee: label }));
  if (!body.ok) return body.failure;
  const { assignee } = body.value;
  return changed(c, "issue.assign", { assignee }, (actor, now) => assign(c.env, body.value, actor, now));
};

const ignored = v.strictObject({
  until: v.nullable(amount),
  count: v.nullable(amount),
  rate: v.nullable(amount),
  base: amount,
});
const before = v.strictObject({
  id,
  state: v.picklist(ISSUE_STATES),
  stateAt: amount,
  stateBy: label,
  resolvedIn: label,
  ignored: v.nullable(ignored),
  assignee: label,
});
const RestoreBody = v.strictObject({ issues: v.pipe(v.array(before), v.minLength(1), v.maxLength(MAX_IDS)) });

export const restoreIssues: Handler = async (c) => {
  const body = await readJson(c, RestoreBody);
  if (!body.ok) return body.failure;
  return changed(c, "issue.restore", {}, (actor, now) => restore(c.env, body.value, actor, now));
};

export const mergeIntoIssue: Handler = async (c) => {
  const body = await readJson(c, v.strictObject({ ids, into: id }));
  if (!body.ok) return body.failure;
  const { ids: from, into } = body.value;
  return changed(c, "issue.merge", { from, into }, (actor, now) => mergeIssues(c.env, body.value, actor, now));
};

const UnmergeBody = v.strictObject({
  fingerprints: v.optional(v.pipe(v.array(plainText(128)), v.minLength(1), v.maxLength(MAX_FINGERPRINTS))),
  homes: v.optional(ids),
});

export const unmergeIssue: Handler = async (c) => {
  const params = readParams(c, v.object(IssueId));
  if (!params.ok) return params.failure;
  const body = await readJson(c, UnmergeBody);
  if (!body.ok) return body.failure;
  const { fingerprints, homes } = body.value;
  const request = {
    ...(fingerprints === undefined ? {} : { fingerprints }),
    ...(homes === undefined ? {} : { homes }),
  };
  const detail = { from: params.value.id, ...request };
  return changed(c, "issue.unmerge", detail, (actor, now) => unmerge(c.env, params.value.id, request, actor, now));
};

export const commentIssue: Handler = async (c) => {
  const params = readParams(c, v.object(IssueId));
  if (!params.ok) return params.failure;
  const body = await readJson(c, v.strictObject({ text: v.pipe(v.string(), v.maxLength(MAX_COMMENT_CHARS)) }));
  if (!body.ok) return body.failure;
  const { actor } = principalOf(c);
  const now = Date.now();
  const result = await addComment(c.env, params.value.id, body.value, actor, now);
  if (!result.ok)
    return result.reason === "invalid" ? fail("bad_request", result.message) : noSuchIssue(params.value.id);
  // The words are in the issue's history already.
  await write(c, "issue.comment", [params.value.id], { comment: result.comment.id }, now);
  return c.json(result.comment satisfies IssueActivity, 201);
};

const CommentParams = v.object({ ...IssueId, comment: wholeNumber(1, Number.MAX_SAFE_INTEGER) });

export const deleteIssueComment: Handler = async (c) => {
  const params = readParams(c, CommentParams);
  if (!params.ok) return params.failure;
  const { id: issue, comment } = params.value;
  const result = await deleteComment(c.env, issue, comment, principalOf(c).actor);
  if (!result.ok)
    return result.reason === "not_yours"
      ? fail("forbidden", "Only the one who wrote a comment may take it back.")
      : fail("not_found", `Issue ${issue} has no comment ${comment}.`);
  await write(c, "issue.comment.delete", [issue], { comment }, Date.now());
  return c.body(null, 204);
};

/** The change, what it answers, and its row in the audit log. */
async function changed(
  c: ApiContext,
  action: AuditAction,
  detail: Record<string, unknown>,
  work: (actor: string, now: number) => Promise<ChangeResult>,
): Promise<Response | Failure> {
  const now = Date.now();
  const result = await work(principalOf(c).actor, now);
  if (!result.ok) return refused(result);
  const { ok: _, ...answer } = result;
  const issues = result.issues.map((issue) => issue.id);
  await write(c, action, issues, detail, now);
  return c.json(answer satisfies IssuesChanged);
}

function refused(result: Extract<ChangeResult, { ok: false }>): Failure {
  if (result.reason === "invalid") return fail("bad_request", result.message);
  const { ids: missing } = result;
  return fail("not_found", `There is no issue ${missing.slice(0, 5).join(", ")}: nothing was changed.`, {
    details: { ids: missing },
  });
}

function write(
  c: ApiContext,
  action: AuditAction,
  issues: readonly number[],
  detail: Record<string, unknown>,
  at: number,
): Promise<void> {
  const target = issues.length === 1 ? `issue ${issues[0]}` : `${issues.length} issues`;
  const { actor } = principalOf(c);
  return audit(c.env, { at, actor, action, target, detail: issues.length === 1 ? detail : { ...detail, issues } });
}
