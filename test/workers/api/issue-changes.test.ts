/** Triage over HTTP: who may, what is answered, and what is written down. What a change means is tested in test/workers/issues. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { AuditAnswer, IssueActivity, IssueAnswer, IssuesChanged } from "../../../workers/api/contract.ts";
import { ADMIN, call, errorCode, logIn, makeToken, ORIGIN } from "./client.ts";
import { addIssue } from "./issues-support.ts";

let deploy = "";
let id = 0;
let other = 0;
beforeAll(async () => {
  deploy = (await makeToken("deploy")).token;
  id = await addIssue({ title: "one" });
  other = await addIssue({ title: "other" });
});

const post = (path: string, body: unknown, token = deploy) => call(path, { method: "POST", token, body });
async function change(path: string, body: unknown): Promise<IssuesChanged> {
  const response = await post(path, body);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as IssuesChanged;
}
const issue = async (of = id) => (await (await call(`/api/v1/issues/${of}`, { token: ADMIN })).json()) as IssueAnswer;
const audited = async () =>
  ((await (await call("/api/v1/audit?limit=5", { token: ADMIN })).json()) as AuditAnswer).rows;

describe("a change", () => {
  it("of state is answered with what is and what was, and undone by it", async () => {
    const resolved = await change("/api/v1/issues/state", { ids: [id], state: "resolved", in: "next" });
    expect(resolved.issues).toEqual([{ id, state: "resolved", assignee: "" }]);
    expect(resolved.before).toMatchObject([{ id, state: "unresolved" }]);
    expect(await issue()).toMatchObject({ issue: { state: "resolved" }, resolvedIn: "next" });
    expect((await audited())[0]).toMatchObject({
      action: "issue.state",
      target: `issue ${id}`,
      detail: { state: "resolved", in: "next" },
    });
    // Who is told is told now, not by the next flush.
    const told =
      "SELECT 1 FROM notifications WHERE kind = 'issue.resolved' AND issue_id = ? AND published_at IS NOT NULL";
    await vi.waitFor(async () => expect(await env.DB.prepare(told).bind(id).first()).not.toBeNull(), 10_000);
    await change("/api/v1/issues/restore", { issues: resolved.before });
    expect((await issue()).issue.state).toBe("unresolved");
    expect((await audited())[0]?.action).toBe("issue.restore");
  });

  it("of many is written down as one, with their numbers", async () => {
    await change("/api/v1/issues/state", { ids: [id, other], state: "ignored", count: 100 });
    expect(await issue(other)).toMatchObject({
      issue: { state: "ignored" },
      ignored: { count: 100, until: null, rate: null },
    });
    expect((await audited())[0]).toMatchObject({ target: "2 issues", detail: { issues: [id, other], count: 100 } });
    await change("/api/v1/issues/state", { ids: [id, other], state: "unresolved" });
  });

  it("of the assignee", async () => {
    expect((await change("/api/v1/issues/assignee", { ids: [id], assignee: "oncall" })).issues[0]?.assignee).toBe(
      "oncall",
    );
    expect((await change("/api/v1/issues/assignee", { ids: [id], assignee: "" })).issues[0]?.assignee).toBe("");
  });

  it("by merging is followed and taken back", async () => {
    await change("/api/v1/issues/merge", { ids: [other], into: id });
    expect((await issue(other)).mergedInto).toBe(id);
    expect((await issue()).fingerprints).toHaveLength(2);
    await change(`/api/v1/issues/${id}/unmerge`, {});
    expect((await issue(other)).mergedInto).toBeNull();
    expect((await audited()).slice(0, 2).map((row) => row.action)).toEqual(["issue.unmerge", "issue.merge"]);
  });

  it("by a comment, which only its author takes back", async () => {
    const response = await post(`/api/v1/issues/${id}/comments`, {
      text: "seen since the deploy\n```js\n<b>x</b>\n```",
    });
    expect(response.status).toBe(201);
    const comment = (await response.json()) as IssueActivity;
    expect((await issue()).activity.at(-1)).toEqual(comment);
    const path = `/api/v1/issues/${id}/comments/${comment.id}`;
    expect((await call(path, { method: "DELETE", token: ADMIN })).status).toBe(403);
    expect((await call(path, { method: "DELETE", token: deploy })).status).toBe(204);
    expect((await call(path, { method: "DELETE", token: deploy })).status).toBe(404);
    expect(JSON.stringify(await audited())).not.toContain("seen since");
  });

  it("comes from the dashboard itself if it rides on a cookie", async () => {
    const cookie = await logIn(ADMIN);
    const body = { ids: [id], state: "unresolved" };
    const send = (headers: Record<string, string>) =>
      call("/api/v1/issues/state", { method: "POST", cookie, body, headers });
    expect((await send({ origin: "https://evil.example" })).status).toBe(403);
    expect((await send({ origin: ORIGIN })).status).toBe(200);
  });
});

describe("what cannot be done", () => {
  it.each([
    ["state", {}],
    ["state", { ids: [], state: "resolved" }],
    ["state", { ids: [1], state: "regressed" }],
    ["state", { ids: [1.5], state: "resolved" }],
    ["state", { ids: ["1"], state: "resolved" }],
    ["state", { ids: [1], state: "resolved", until: 5 }],
    ["state", { ids: [1], state: "ignored", rate: -1 }],
    ["state", { ids: Array.from({ length: 501 }, (_, i) => i + 1), state: "resolved" }],
    ["assignee", { ids: [1], assignee: "a\u0000b" }],
    ["merge", { ids: [1] }],
    ["restore", { issues: [{ id: 1, state: "odd" }] }],
  ])("%s %j is told so", async (path, body) => {
    const response = await post(`/api/v1/issues/${path}`, body);
    expect([response.status, await errorCode(response)]).toEqual([400, "bad_request"]);
  });

  it("names issues that are not there, and changes none", async () => {
    const response = await post("/api/v1/issues/state", { ids: [id, 999_999], state: "resolved" });
    expect([response.status, await response.json()]).toMatchObject([404, { error: { details: { ids: [999_999] } } }]);
    expect((await issue()).issue.state).toBe("unresolved");
    expect((await post("/api/v1/issues/999999/comments", { text: "x" })).status).toBe(404);
  });

  it("is bounded in bytes", async () => {
    const response = await post(`/api/v1/issues/${id}/comments`, { text: "x".repeat(300_000) });
    expect([response.status, await errorCode(response)]).toEqual([413, "body_too_large"]);
    expect((await post(`/api/v1/issues/${id}/comments`, { text: "x".repeat(20_000) })).status).toBe(400);
  });
});
