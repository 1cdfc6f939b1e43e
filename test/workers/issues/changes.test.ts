/** What people do to issues. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { assign } from "../../../workers/errors/issues/assign.ts";
import { changeState } from "../../../workers/errors/issues/change-state.ts";
import { addComment, deleteComment } from "../../../workers/errors/issues/comment.ts";
import { mergeIssues, unmerge } from "../../../workers/errors/issues/merge.ts";
import { restore } from "../../../workers/errors/issues/restore.ts";
import {
  activityOf,
  all,
  counts,
  delta,
  everywhere,
  issuesOf,
  occur,
  onlyIssue,
  resolutionsOf,
  T0,
} from "./support.ts";

const NOW = T0 + 3_600_000;
const ANA = "ana@example.com";
const BEN = "ben@example.com";

async function issueOf(script: string): Promise<number> {
  await occur(script, [delta({ script })]);
  return (await onlyIssue(script)).id;
}

/** Three issues of a Worker: 1, 10 and 100 occurrences. */
async function threeOf(script: string): Promise<[number, number, number]> {
  const names = ["a", "b", "c"];
  await occur(
    script,
    names.map((name, n) => delta({ script, fingerprint: `v1-${script}-${name}`, count: 10 ** n, at: T0 + n })),
  );
  const ids = (await issuesOf(script)).map((issue) => issue.id);
  return ids as [number, number, number];
}

describe("state", () => {
  it("resolved is told once each time, and not of noise", async () => {
    const script = "change-told";
    const id = await issueOf(script);
    const set = (change: Parameters<typeof changeState>[1], at: number) => changeState(env, change, ANA, at);
    await set({ ids: [id], state: "resolved", in: "next" }, NOW);
    await set({ ids: [id], state: "resolved", in: "next" }, NOW + 1);
    // In which version is another change, and no other resolution.
    await set({ ids: [id], state: "resolved" }, NOW + 2);
    expect(await resolutionsOf(script)).toMatchObject([{ issue_id: id, at: NOW, published_at: null }]);
    await set({ ids: [id], state: "unresolved" }, NOW + 3);
    await set({ ids: [id], state: "ignored", count: 5 }, NOW + 4);
    await set({ ids: [id, id], state: "resolved" }, NOW + 5);
    const told = await resolutionsOf(script);
    expect(told.map(({ at }) => at)).toEqual([NOW, NOW + 5]);
    expect(JSON.parse(told[1]?.detail ?? "")).toMatchObject({ title: expect.any(String), version: { id: "" } });

    await occur("change-noise", [delta({ script: "change-noise", kind: "noise", noise: "network" })]);
    const noise = await onlyIssue("change-noise");
    await set({ ids: [noise.id], state: "resolved" }, NOW);
    expect(await resolutionsOf("change-noise")).toEqual([]);
  });

  it("is changed with who did it, once, and can be undone", async () => {
    const script = "change-state";
    const id = await issueOf(script);
    const first = await changeState(env, { ids: [id], state: "resolved", in: "next" }, ANA, NOW);
    expect(first).toMatchObject({
      ok: true,
      issues: [{ id, state: "resolved" }],
      before: [{ id, state: "unresolved" }],
    });
    const again = await changeState(env, { ids: [id, id], state: "resolved", in: "next" }, BEN, NOW + 5);
    expect(again).toMatchObject({ ok: true });
    expect(await onlyIssue(script)).toMatchObject({
      state: "resolved",
      state_at: NOW,
      state_by: ANA,
      resolved_in: "next",
    });
    expect(await activityOf(id)).toMatchObject([
      { kind: "first_seen" },
      { kind: "resolved", actor: ANA, detail: { in: "next" } },
    ]);
    if (!first.ok) throw new Error("not resolved");
    expect(await restore(env, { issues: first.before ?? [] }, BEN, NOW + 9)).toMatchObject({
      ok: true,
      issues: [{ state: "unresolved" }],
    });
    expect((await activityOf(id)).at(-1)).toMatchObject({ kind: "reopened", actor: BEN, detail: { undo: true } });
  });

  it("ignored until something, with what there was as base; undoing brings all of it back", async () => {
    const script = "change-ignore";
    const id = await issueOf(script);
    await changeState(env, { ids: [id], state: "ignored", until: NOW + 1, count: 5, rate: 2 }, ANA, NOW);
    const ignored = { state: "ignored", ignore_until: NOW + 1, ignore_count: 5, ignore_rate: 2, ignore_base: 1 };
    expect(await onlyIssue(script)).toMatchObject(ignored);
    const reopened = await changeState(env, { ids: [id], state: "unresolved" }, ANA, NOW);
    expect(await onlyIssue(script)).toMatchObject({ state: "unresolved", ignore_until: null, ignore_count: null });
    if (!reopened.ok) throw new Error("not reopened");
    await restore(env, { issues: reopened.before ?? [] }, ANA, NOW);
    await restore(env, { issues: reopened.before ?? [] }, ANA, NOW);
    expect(await onlyIssue(script)).toMatchObject(ignored);
    expect((await activityOf(id)).map((a) => a.kind)).toEqual(["first_seen", "ignored", "reopened", "ignored"]);
  });

  it("is changed for all that are named or for none", async () => {
    const script = "change-all";
    const id = await issueOf(script);
    const result = await changeState(env, { ids: [id, 999_999], state: "resolved" }, ANA, NOW);
    expect(result).toEqual({ ok: false, reason: "not_found", ids: [999_999] });
    expect((await onlyIssue(script)).state).toBe("unresolved");
  });

  it.each([
    [{ ids: [], state: "resolved" }],
    [{ ids: [1.5], state: "resolved" }],
    [{ ids: Array.from({ length: 501 }, (_, n) => n + 1), state: "resolved" }],
    [{ ids: [1], state: "ignored", until: NOW - 1 }],
    [{ ids: [1], state: "ignored", count: 0 }],
    [{ ids: [1], state: "ignored", rate: Number.NaN }],
    [{ ids: [1], state: "resolved", in: "x".repeat(300) }],
  ] as const)("refuses %j with a sentence", async (request) => {
    const result = await changeState(env, request as unknown as Parameters<typeof changeState>[1], ANA, NOW);
    expect(result).toMatchObject({ ok: false, reason: "invalid", message: expect.stringMatching(/\w+ \w+/) });
  });
});

describe("assignee and comments", () => {
  it("an issue has one who looks after it, or nobody", async () => {
    const script = "change-assign";
    const id = await issueOf(script);
    for (let n = 0; n < 2; n++) await assign(env, { ids: [id], assignee: ` ${BEN} ` }, ANA, NOW);
    expect((await onlyIssue(script)).assignee).toBe(BEN);
    await assign(env, { ids: [id], assignee: "" }, ANA, NOW);
    expect((await activityOf(id)).slice(1)).toEqual([
      { kind: "assigned", actor: ANA, detail: { to: BEN } },
      { kind: "assigned", actor: ANA, detail: { to: "" } },
    ]);
    expect(await assign(env, { ids: [id], assignee: "x".repeat(300) }, ANA, NOW)).toMatchObject({ reason: "invalid" });
  });

  it("a comment is there once, and goes only by the hand that wrote it", async () => {
    const script = "change-comment";
    const id = await issueOf(script);
    const first = await addComment(env, id, { text: " Rolled back. " }, ANA, NOW);
    const again = await addComment(env, id, { text: "Rolled back." }, ANA, NOW + 10);
    expect(first).toMatchObject({
      ok: true,
      comment: { actor: ANA, kind: "commented", detail: { text: "Rolled back." } },
    });
    expect(again).toEqual(first);
    if (!first.ok) throw new Error("no comment");
    expect(await deleteComment(env, id, first.comment.id, BEN)).toEqual({ ok: false, reason: "not_yours" });
    expect(await deleteComment(env, id + 1, first.comment.id, ANA)).toEqual({ ok: false, reason: "not_found" });
    expect(await deleteComment(env, id, first.comment.id, ANA)).toEqual({ ok: true });
    expect(await deleteComment(env, id, first.comment.id, ANA)).toEqual({ ok: false, reason: "not_found" });
    expect(await addComment(env, 999_999, { text: "x" }, ANA, NOW)).toEqual({ ok: false, reason: "not_found" });
    expect(await addComment(env, id, { text: " " }, ANA, NOW)).toMatchObject({ reason: "invalid" });
    const seen = (await activityOf(id))[0];
    expect(seen?.kind).toBe("first_seen");
  });
});

describe("merge and unmerge", () => {
  it("keep every count, lead new occurrences to where people put them, and bring them home", async () => {
    const script = "change-merge";
    const [a, b, c] = await threeOf(script);
    expect(await mergeIssues(env, { ids: [a, b], into: c }, ANA, NOW)).toMatchObject({ ok: true, issues: [{ id: c }] });
    await mergeIssues(env, { ids: [a, b], into: c }, ANA, NOW);
    const merged = await issuesOf(script);
    expect(merged.map((i) => i.merged_into)).toEqual([c, c, null]);
    expect(merged[2]).toMatchObject({ count: 111, first_seen: T0 });
    expect(await counts(script)).toEqual(everywhere(111));

    await occur(script, [delta({ script, fingerprint: `v1-${script}-a`, count: 1000, at: T0 + 50 })]);
    expect((await issuesOf(script))[2]).toMatchObject({ count: 1111, last_seen: T0 + 50 });
    // A stack that joins the group of a merged issue comes along, and goes home with it.
    const guest = delta({ script, fingerprint: `u1-${script}-a`, group: `v1-${script}-a`, awaitsMap: "version-1" });
    await occur(script, [guest]);
    expect((await issuesOf(script))[2]).toMatchObject({ count: 1112 });

    expect(await unmerge(env, c, { fingerprints: [`v1-${script}-b`] }, BEN, NOW)).toMatchObject({ ok: true });
    expect((await issuesOf(script)).map((i) => [i.merged_into, i.count])).toEqual([
      [c, 1],
      [null, 10],
      [null, 1102],
    ]);
    await unmerge(env, c, {}, BEN, NOW);
    await unmerge(env, c, {}, BEN, NOW);
    expect((await issuesOf(script)).map((i) => [i.merged_into, i.count])).toEqual([
      [null, 1002],
      [null, 10],
      [null, 100],
    ]);
    expect(await counts(script)).toEqual(everywhere(1112));
    expect((await activityOf(c)).slice(1)).toEqual([
      { kind: "merged", actor: ANA, detail: { from: a } },
      { kind: "merged", actor: ANA, detail: { from: b } },
      { kind: "unmerged", actor: BEN, detail: { to: b } },
      { kind: "unmerged", actor: BEN, detail: { to: a } },
    ]);
  });

  it("lead what is to come as well: keys that count nothing yet go home with the last that does", async () => {
    const script = "change-merge-keys";
    const [a, b] = await threeOf(script);
    // A stack that waits for its map has an issue of its own, which the key of its raw frames leads to.
    const waiting = (name: string, count: number) =>
      delta({ script, fingerprint: `u1-${script}-${name}`, group: `v1-${script}-raw`, awaitsMap: "version-1", count });
    await occur(script, [waiting("x", 1), waiting("y", 1)]);
    const raw = (await issuesOf(script))[3]?.id as number;
    const countsOf = async () => (await issuesOf(script)).map((issue) => issue.count);
    await mergeIssues(env, { ids: [raw, a], into: b }, ANA, NOW);

    await unmerge(env, b, { fingerprints: [`u1-${script}-x`] }, ANA, NOW);
    await occur(script, [waiting("z", 1000)]);
    expect(await countsOf(), "one of its stacks is still merged").toEqual([1, 1012, 100, 1]);
    await unmerge(env, b, { fingerprints: [`u1-${script}-y`, `u1-${script}-z`] }, ANA, NOW);
    await occur(script, [waiting("w", 5000)]);
    expect(await countsOf()).toEqual([1, 11, 100, 6002]);

    await mergeIssues(env, { ids: [raw], into: b }, ANA, NOW);
    await unmerge(env, b, { homes: [raw] }, ANA, NOW);
    await occur(script, [waiting("v", 20_000)]);
    expect(await countsOf(), "whatever came from there, and nothing else").toEqual([1, 11, 100, 26_002]);
    expect((await issuesOf(script)).map((issue) => issue.merged_into)).toEqual([b, null, null, null]);
  });

  it("of merged issues say where everything is in the end", async () => {
    const script = "change-chain";
    const [a, b, c] = await threeOf(script);
    await mergeIssues(env, { ids: [a], into: b }, ANA, NOW);
    await mergeIssues(env, { ids: [b], into: c }, ANA, NOW);
    expect((await issuesOf(script)).map((i) => i.merged_into)).toEqual([c, c, null]);
    // Naming one that was merged means the one that it is in.
    expect(await changeState(env, { ids: [a], state: "resolved" }, ANA, NOW)).toMatchObject({ issues: [{ id: c }] });
    expect(await unmerge(env, a, {}, ANA, NOW)).toMatchObject({ ok: false, reason: "invalid" });
    await unmerge(env, c, {}, ANA, NOW);
    expect((await issuesOf(script)).map((i) => [i.merged_into, i.count])).toEqual([
      [null, 1],
      [null, 10],
      [null, 100],
    ]);
  });

  it("are no new occurrences: an ignored issue waits for as many more as before", async () => {
    const script = "change-merge-ignored";
    const [a, b, c] = await threeOf(script);
    await changeState(env, { ids: [a], state: "ignored", count: 5 }, ANA, NOW);
    await mergeIssues(env, { ids: [b, c], into: a }, ANA, NOW);
    const again = (count: number) =>
      occur(script, [delta({ script, fingerprint: `v1-${script}-b`, count, at: NOW + 1 })]);
    await again(4);
    expect((await issuesOf(script))[0]).toMatchObject({ state: "ignored", count: 115 });
    await unmerge(env, a, { fingerprints: [`v1-${script}-c`] }, ANA, NOW);
    await again(1);
    expect((await issuesOf(script))[0]).toMatchObject({ state: "unresolved", count: 16 });
  });

  it("refuse what cannot be", async () => {
    const a = await issueOf("change-refuse-a");
    const b = await issueOf("change-refuse-b");
    expect(await mergeIssues(env, { ids: [a], into: b }, ANA, NOW)).toMatchObject({ reason: "invalid" });
    expect(await mergeIssues(env, { ids: [a], into: 999_999 }, ANA, NOW)).toMatchObject({ reason: "not_found" });
    expect(await unmerge(env, 999_999, {}, ANA, NOW)).toMatchObject({ reason: "not_found" });
    expect(await all("SELECT 1 FROM issue_activity WHERE kind = 'merged' AND issue_id IN (?, ?)", a, b)).toEqual([]);
  });
});
