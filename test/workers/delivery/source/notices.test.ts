/** Notices for destinations come from the rows that issues and rollouts wrote, in their order. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { noticesThrough, readNotices } from "../../../../workers/delivery/source/notices.ts";

it("reads on after the last one, page by page, with what is known of the issue", async () => {
  const start = await noticesThrough(env, Date.now());
  const detail = {
    type: "TypeError",
    title: "x is not a function",
    culprit: "",
    version: { id: "v1", tag: "", message: "" },
  };
  const insert = env.DB.prepare(
    "INSERT INTO notifications (at, kind, issue_id, occasion, script, detail) VALUES (?, 'issue.new', ?, 0, 'notices', ?)",
  );
  const ids = [1, 2, 3].map((n) => 9_000_000 + n);
  await env.DB.batch(ids.map((id, n) => insert.bind(n, id, JSON.stringify(detail))));

  const first = await readNotices(env, start, 2);
  expect(first.more).toBe(true);
  const second = await readNotices(env, first.through, 2);
  expect(second.more).toBe(false);
  expect([...first.notices, ...second.notices].map((n) => n.issueId)).toEqual(ids);
  // Of an issue that is forgotten by now only what was written then is told.
  expect(first.notices[0]).toMatchObject({ kind: "issue.new", script: "notices", detail });
  expect(first.notices[0]?.detail).not.toHaveProperty("count");
  expect(second.through).toBe(await noticesThrough(env, Date.now()));
  // One that was made at 1 ms begins before what was noticed then.
  expect((await readNotices(env, await noticesThrough(env, 1), 5)).notices.map((n) => n.at)).toEqual([1, 2]);
  expect(await readNotices(env, second.through, 2)).toEqual({ notices: [], through: second.through, more: false });
});
