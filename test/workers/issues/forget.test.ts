/** What D1 forgets of issues: those that nobody has seen for long, and fingerprints beyond what a Worker may have. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { addComment } from "../../../workers/errors/issues/comment.ts";
import { boundFingerprints } from "../../../workers/errors/issues/fingerprint-cap.ts";
import { ISSUE_KEPT_MS } from "../../../workers/errors/issues/limits.ts";
import { mergeIssues } from "../../../workers/errors/issues/merge.ts";
import { runIssueRetention } from "../../../workers/errors/issues/retention.ts";
import {
  activityOf,
  all,
  counts,
  delta,
  everywhere,
  issuesOf,
  notificationsOf,
  occur,
  onlyIssue,
  T0,
} from "./support.ts";

const MINUTE = 60_000;
const namesOf = async (script: string) =>
  (await all<{ fingerprint: string }>("SELECT fingerprint FROM fingerprints WHERE script = ? ORDER BY 1", script)).map(
    (row) => row.fingerprint,
  );
/** Rows of any table that belong to nothing any more. */
const orphans = async () => [
  ...(await all(
    "SELECT fingerprint FROM fingerprint_versions WHERE fingerprint NOT IN (SELECT fingerprint FROM fingerprints)",
  )),
  ...(await all(
    "SELECT fingerprint FROM fingerprint_minutes WHERE fingerprint NOT IN (SELECT fingerprint FROM fingerprints)",
  )),
  ...(await all(
    "SELECT fingerprint FROM fingerprint_sketches WHERE fingerprint NOT IN (SELECT fingerprint FROM fingerprints)",
  )),
  ...(await all("SELECT fingerprint FROM incidents WHERE fingerprint NOT IN (SELECT fingerprint FROM fingerprints)")),
  ...(await all("SELECT fingerprint FROM fingerprints WHERE issue_id NOT IN (SELECT id FROM issues)")),
  ...(await all("SELECT id FROM issue_activity WHERE issue_id NOT IN (SELECT id FROM issues)")),
  ...(await all("SELECT id FROM notifications WHERE issue_id NOT IN (SELECT id FROM issues)")),
  ...(await all("SELECT id FROM issues WHERE merged_into NOT IN (SELECT id FROM issues)")),
];

it("an issue that was not seen for long goes with all that hangs on it; one that a person looked after since stays", async () => {
  const at = T0 - ISSUE_KEPT_MS - MINUTE;
  const full = { at, victims: ["LHR", at], distinct: { users: [1], routes: [], colos: [], countries: [] } };
  for (const script of ["forget-old", "forget-said", "forget-new"]) {
    await occur(script, [
      delta({ script, ...full, ...(script === "forget-new" ? { at: T0 - ISSUE_KEPT_MS + MINUTE } : {}) }),
      delta({ script, ...full, fingerprint: `v1-${script}-other` }),
    ]);
  }
  const [one, other] = (await issuesOf("forget-old")).map((issue) => issue.id) as [number, number];
  await mergeIssues(env, { ids: [other], into: one }, "ada", at);
  const said = (await issuesOf("forget-said"))[0]?.id ?? 0;
  await addComment(env, said, { text: "Still waiting for the vendor." }, "ada", T0 - MINUTE);

  expect(await runIssueRetention(env, T0)).toMatchObject({ more: false });

  expect(await issuesOf("forget-old")).toEqual([]);
  expect(await notificationsOf("forget-old")).toEqual([]);
  expect(await counts("forget-old")).toEqual(everywhere(0));
  expect((await issuesOf("forget-said")).map((issue) => issue.id)).toEqual([said]);
  expect((await activityOf(said)).map((row) => row.kind)).toEqual(["first_seen", "commented"]);
  expect(await namesOf("forget-new")).toEqual(["v1-forget-new"]);
  expect(await orphans()).toEqual([]);
  expect(await runIssueRetention(env, T0)).toEqual({ rows: 0, more: false });
});

it("beyond the bound the longest unseen go, and the issue's total, versions and days stay what they were", async () => {
  const script = "forget-stacks";
  const stack = (n: number) =>
    delta({
      script,
      fingerprint: `u1-${script}-${n}`,
      group: `v1-${script}`,
      awaitsMap: "version-1",
      versionId: n % 2 === 0 ? "a" : "b",
      at: T0 + n * MINUTE,
      count: n + 1,
    });
  await occur(script, [0, 1, 2, 3, 4, 5].map(stack));
  const before = await onlyIssue(script);
  const seen = () =>
    all(
      `SELECT version_id, min(first_seen) AS first, max(last_seen) AS last, total(count) AS n FROM fingerprint_versions
        WHERE fingerprint IN (SELECT fingerprint FROM fingerprints WHERE script = ?) GROUP BY 1 ORDER BY 1`,
      script,
    );
  const versions = await seen();

  expect(await boundFingerprints(env, 4)).toEqual({ rows: 3, more: false });

  expect(await namesOf(script)).toEqual([`u1-${script}-3`, `u1-${script}-4`, `u1-${script}-5`, `v1-${script}`]);
  expect(await counts(script)).toEqual(everywhere(21));
  expect(await onlyIssue(script)).toEqual(before);
  expect(await seen()).toEqual(versions);
  expect(await orphans()).toEqual([]);
  // What was forgotten and comes again finds its issue.
  await occur(script, [stack(0)]);
  expect(await onlyIssue(script)).toMatchObject({ id: before.id, count: 22 });
  expect(await counts(script)).toEqual(everywhere(22));
});

it("an issue that all of is gone goes, before one that people touched, which keeps its newest fingerprint", async () => {
  const script = "forget-touched";
  const error = (name: string, n: number, group = `v1-${script}-${name}`) =>
    delta({ script, fingerprint: n === 0 ? group : `u1-${script}-${name}-${n}`, group, at: T0 + n * MINUTE });
  await occur(script, [error("said", 1), error("said", 2)]);
  const said = (await onlyIssue(script)).id;
  await addComment(env, said, { text: "Known." }, "ada", T0);
  for (let n = 3; n < 9; n++) await occur(script, [error(`once-${n}`, n)]);

  await boundFingerprints(env, 5);

  const left = await issuesOf(script);
  expect(left.map((issue) => [issue.birth, issue.count])).toEqual([
    [`v1-${script}-said`, 2],
    [`v1-${script}-once-7`, 1],
    [`v1-${script}-once-8`, 1],
  ]);
  expect(await namesOf(script)).toHaveLength(5);
  expect(await namesOf(script)).toContain(`u1-${script}-said-2`);
  expect(await orphans()).toEqual([]);
});
