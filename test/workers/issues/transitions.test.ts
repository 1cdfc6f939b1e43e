/** Resolved issues that return, ignored ones that have gone too far. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { IssueStateRequest } from "../../../workers/api/contract.ts";
import { changeState } from "../../../workers/errors/issues/change-state.ts";
import {
  activityOf,
  all,
  counts,
  type DeltaOptions,
  delta,
  everywhere,
  issuesOf,
  notificationsOf,
  occur,
  onlyIssue,
  T0,
} from "./support.ts";

const MINUTE = 60_000;
const RESOLVED_AT = T0 + 10 * MINUTE;

type Change = Omit<IssueStateRequest, "ids">;

/** An issue of version 1, changed at `RESOLVED_AT`, with what version it was known in by then. */
async function changed(script: string, change: Change, more: Partial<DeltaOptions> = {}): Promise<number> {
  await occur(script, [delta({ script, ...more })]);
  const { id } = await onlyIssue(script);
  const result = await changeState(env, { ids: [id], ...change } as IssueStateRequest, "ana", RESOLVED_AT);
  expect(result.ok).toBe(true);
  return id;
}

const later = (script: string, more: Partial<DeltaOptions>) =>
  occur(script, [delta({ script, at: RESOLVED_AT + MINUTE, versionTag: "later", ...more })]);

/** Uploaded before the version served anything, as a deployment does. */
const mapOf = (script: string, version: string) =>
  all(
    `INSERT INTO source_maps (script, version_id, file, hash, bytes, seekable_hash, seekable_bytes, sources, mappings, uploaded_at, uploaded_by)
      VALUES (?, ?, 'index.js', 'a', 1, 'b', 1, 1, 1, 0, '')`,
    script,
    version,
  );

describe("a resolved issue", () => {
  it("regresses in a version that came after the resolution, and somebody is told once", async () => {
    const script = "regress-new";
    const id = await changed(script, { state: "resolved" } as Change);
    await later(script, { versionId: "version-2", count: 500 });
    await later(script, { versionId: "version-2", count: 500 });
    expect(await onlyIssue(script)).toMatchObject({ state: "regressed", regressions: 1, resolved_in: "", count: 1001 });
    const version = { id: "version-2", tag: "later", message: "" };
    expect((await activityOf(id)).at(-1)).toEqual({ kind: "regressed", actor: "", detail: { version } });
    const told = await notificationsOf(script);
    expect(told.map((n) => [n.kind, n.occasion])).toEqual([
      ["issue.new", 0],
      ["issue.regressed", 1],
    ]);
    expect(JSON.parse(told[1]?.detail ?? "")).toMatchObject({ type: "TypeError", version });
  });

  it("is only counted while the old version drains", async () => {
    const script = "regress-draining";
    await changed(script, { state: "resolved" } as Change);
    await later(script, { count: 7 });
    expect(await onlyIssue(script)).toMatchObject({ state: "resolved", regressions: 0, count: 8 });
    expect(await notificationsOf(script)).toHaveLength(1);
  });

  it("is only counted when it is new to an old version that is still draining", async () => {
    const script = "regress-old-other";
    await occur(script, [
      delta({ script, fingerprint: `v1-${script}-other`, versionId: "version-0", at: T0 - MINUTE }),
    ]);
    await occur(script, [delta({ script })]);
    const id = (await issuesOf(script))[1]?.id ?? 0;
    await changeState(env, { ids: [id], state: "resolved" }, "ana", RESOLVED_AT);
    await later(script, { versionId: "version-0" });
    expect((await issuesOf(script))[1]).toMatchObject({ state: "resolved", count: 2 });
  });

  it("is only counted when what happened before the resolution arrives after it", async () => {
    const script = "regress-late";
    await changed(script, { state: "resolved" } as Change);
    await later(script, { versionId: "", at: RESOLVED_AT - 1 });
    expect((await onlyIssue(script)).state).toBe("resolved");
  });

  it("regresses without any version, and again after it was resolved again", async () => {
    const script = "regress-twice";
    const id = await changed(script, { state: "resolved" } as Change, { versionId: "" });
    await later(script, { versionId: "" });
    expect((await onlyIssue(script)).state).toBe("regressed");
    await changeState(env, { ids: [id], state: "resolved" }, "ana", RESOLVED_AT + 2 * MINUTE);
    await later(script, { versionId: "", at: RESOLVED_AT + 3 * MINUTE });
    expect(await onlyIssue(script)).toMatchObject({ state: "regressed", regressions: 2 });
    expect((await notificationsOf(script)).map((n) => n.occasion)).toEqual([0, 1, 2]);
  });

  it("in the next version: regresses in that one, not in the present one", async () => {
    const script = "regress-next";
    await changed(script, { state: "resolved", in: "next" } as Change);
    await later(script, {});
    expect((await onlyIssue(script)).state).toBe("resolved");
    await later(script, { versionId: "version-2" });
    expect((await onlyIssue(script)).state).toBe("regressed");
  });

  it("in a version: regresses in that one and in those after it, not in those before", async () => {
    const script = "regress-in";
    await mapOf(script, "version-3");
    const id = await changed(script, { state: "resolved", in: "version-3" } as Change);
    await later(script, { versionId: "version-2" });
    expect((await onlyIssue(script)).state).toBe("resolved");
    await later(script, { versionId: "version-3", at: RESOLVED_AT + 2 * MINUTE });
    expect((await onlyIssue(script)).state).toBe("regressed");
    await changeState(env, { ids: [id], state: "resolved", in: "version-3" }, "ana", RESOLVED_AT + 3 * MINUTE);
    await later(script, { versionId: "version-2", at: RESOLVED_AT + 4 * MINUTE });
    expect((await onlyIssue(script)).state).toBe("resolved");
    await later(script, { versionId: "version-4", at: RESOLVED_AT + 5 * MINUTE });
    expect((await onlyIssue(script)).state).toBe("regressed");
  });

  it("is resolved in a version that its Worker is known to have, and in no other", async () => {
    const script = "resolve-in-known";
    const id = await changed(script, { state: "resolved" } as Change);
    await mapOf("resolve-in-other-worker", "version-of-another");
    for (const version of ["version-of-another", "v2.0.1"]) {
      const result = await changeState(env, { ids: [id], state: "resolved", in: version }, "ana", RESOLVED_AT + 1);
      expect(result).toMatchObject({ ok: false, reason: "invalid", message: expect.stringContaining(version) });
    }
    expect(await onlyIssue(script)).toMatchObject({ resolved_in: "", state_at: RESOLVED_AT });
    await mapOf(script, "version-uploaded");
    for (const version of ["version-1", "version-uploaded", "next", ""])
      expect(
        await changeState(env, { ids: [id], state: "resolved", in: version }, "ana", RESOLVED_AT + 2),
      ).toMatchObject({
        ok: true,
      });
  });

  it("of noise regresses in silence", async () => {
    const script = "regress-noise";
    await changed(script, { state: "resolved" } as Change, { kind: "noise", noise: "network" });
    await later(script, { versionId: "version-2", kind: "noise", noise: "network" });
    expect((await onlyIssue(script)).state).toBe("regressed");
    expect(await notificationsOf(script)).toEqual([]);
  });

  it("regresses once when two shards see it at the same time", async () => {
    const script = "regress-shards";
    await changed(script, { state: "resolved" } as Change);
    const again = (shard: string) =>
      occur(script, [delta({ script, versionId: "version-2", at: RESOLVED_AT + MINUTE })], shard);
    await Promise.all([again(script), again(`${script}#1`), again(`${script}#2`)]);
    expect(await onlyIssue(script)).toMatchObject({ regressions: 1, count: 4 });
    expect(await notificationsOf(script)).toHaveLength(2);
    expect(await counts(script)).toEqual(everywhere(4));
  });
});

describe("an ignored issue", () => {
  const ignored = (script: string, how: { until?: number; count?: number; rate?: number }) =>
    changed(script, { state: "ignored", ...how } as Change);

  it("stays so for ever when nothing was said", async () => {
    const script = "ignore-ever";
    await ignored(script, {});
    await later(script, { versionId: "version-2", count: 10_000 });
    expect((await onlyIssue(script)).state).toBe("ignored");
    expect(await notificationsOf(script)).toHaveLength(1);
  });

  it("comes back with the first occurrence after its time", async () => {
    const script = "ignore-until";
    const id = await ignored(script, { until: RESOLVED_AT + 5 * MINUTE });
    await later(script, { at: RESOLVED_AT + 4 * MINUTE });
    expect((await onlyIssue(script)).state).toBe("ignored");
    await later(script, { at: RESOLVED_AT + 5 * MINUTE });
    expect((await onlyIssue(script)).state).toBe("unresolved");
    const detail = { until: RESOLVED_AT + 5 * MINUTE, count: null, rate: null };
    expect((await activityOf(id)).at(-1)).toMatchObject({ kind: "escalated", actor: "", detail });
    expect((await notificationsOf(script)).map((n) => n.kind)).toEqual(["issue.new", "issue.escalated"]);
  });

  it("comes back when so many more have come", async () => {
    const script = "ignore-count";
    await ignored(script, { count: 10 });
    await later(script, { count: 9 });
    expect((await onlyIssue(script)).state).toBe("ignored");
    await later(script, { count: 1 });
    expect((await onlyIssue(script)).state).toBe("unresolved");
  });

  it("comes back when so many came in less than a minute since it was ignored", async () => {
    const script = "ignore-rate-at-once";
    await occur(script, [delta({ script, count: 50 })]);
    const { id } = await onlyIssue(script);
    const now = Date.now();
    await changeState(env, { ids: [id], state: "ignored", rate: 10 }, "ana", now);
    await occur(script, [delta({ script, at: now, count: 9 })]);
    expect((await onlyIssue(script)).state).toBe("ignored");
    await occur(script, [delta({ script, at: now, count: 1 })]);
    expect((await onlyIssue(script)).state).toBe("unresolved");
  });

  it("comes back when a minute that began afterwards has so many, and can be ignored and come back again", async () => {
    const script = "ignore-rate";
    const id = await ignored(script, { rate: 10 });
    for (const minute of [1, 2, 3]) await later(script, { at: RESOLVED_AT + minute * MINUTE, count: 9 });
    expect((await onlyIssue(script)).state).toBe("ignored");
    await later(script, { at: RESOLVED_AT + 3 * MINUTE, count: 1 });
    expect((await onlyIssue(script)).state).toBe("unresolved");
    await changeState(env, { ids: [id], state: "ignored", rate: 10 }, "ana", RESOLVED_AT + 3 * MINUTE + 1);
    await later(script, { at: RESOLVED_AT + 3 * MINUTE, count: 100 });
    expect((await onlyIssue(script)).state).toBe("ignored");
    await later(script, { at: RESOLVED_AT + 4 * MINUTE, count: 100 });
    expect((await onlyIssue(script)).state).toBe("unresolved");
    expect((await notificationsOf(script)).filter((n) => n.kind === "issue.escalated")).toHaveLength(2);
  });
});
