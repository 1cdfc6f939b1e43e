/** Somebody is told, once, whatever fails in between. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { Notification } from "../../../workers/api/contract.ts";
import { CLAIM_MS } from "../../../workers/errors/issues/limits.ts";
import {
  type Destination,
  destinations,
  liveHub,
  NOTIFICATIONS_TOPIC,
  publishNotifications,
} from "../../../workers/errors/issues/notify.ts";
import { entranceRequest } from "../../../workers/live/contract.ts";
import { ingester, until } from "../buffer/support.ts";
import { appendDeltas, delta, issuesOf, notificationsOf, occur, T0 } from "./support.ts";

async function listen(): Promise<Notification[]> {
  const who = { credential: "notify-test" };
  const response = await liveHub(env).fetch(entranceRequest({ kind: "topic", topic: NOTIFICATIONS_TOPIC, who }));
  const heard: Notification[] = [];
  response.webSocket?.addEventListener("message", (event) => {
    heard.push(JSON.parse(String(event.data)) as Notification);
  });
  response.webSocket?.accept();
  return heard;
}

/** A row as a flush leaves it when it ends between commit and telling. */
async function untold(script: string): Promise<void> {
  await env.DB.prepare(
    "INSERT INTO notifications (at, kind, issue_id, occasion, script, detail) VALUES (?, 'issue.new', ?, 0, ?, '{}')",
  )
    .bind(T0, Math.floor(Math.random() * 1e9), script)
    .run();
}

const published = async (script: string) => (await notificationsOf(script)).map((n) => n.published_at);

it("a new error reaches two viewers within seconds, once, though a thousand come together from several shards", async () => {
  const script = "notify-thousand";
  const viewers = [await listen(), await listen()];
  const shards = [script, `${script}#1`, `${script}#2`];
  await Promise.all(
    shards.flatMap((shard) =>
      Array.from({ length: 10 }, () => ingester(shard).append(appendDeltas(script, [delta({ script, count: 33 })]))),
    ),
  );
  const mine = (heard: Notification[]) => heard.filter((n) => n.script === script);
  await until(async () => viewers.every((heard) => mine(heard).length > 0), 5_000);
  const [issue] = await issuesOf(script);
  const expected = {
    kind: "issue.new",
    issueId: issue?.id,
    detail: { type: "TypeError", culprit: "addItem (src/cart.ts)", version: { id: "version-1" } },
  };
  await until(async () => (await issuesOf(script))[0]?.count === 990);
  for (const heard of viewers) expect(mine(heard)).toMatchObject([expected]);
});

it("noise tells nobody", async () => {
  const script = "notify-noise";
  await occur(script, [delta({ script, kind: "noise", noise: "network" })]);
  expect(await notificationsOf(script)).toEqual([]);
});

it("what was not passed on is, by whoever comes next", async () => {
  await untold("notify-crashed");
  await occur("notify-next", [delta({ script: "notify-next" })]);
  expect(await published("notify-crashed")).toEqual([expect.any(Number)]);
});

it("what was not passed on is told soon after a restart, also when nothing more happens", async () => {
  const script = "notify-restart";
  await occur(script, [delta({ script })]);
  await evictDurableObject(ingester(script));
  await untold("notify-lonely");
  await ingester(script).status();
  await until(async () => (await published("notify-lonely"))[0] !== null);
});

it("a destination that fails gets it again, and is not kept waiting", async () => {
  const script = "notify-fails";
  await untold(script);
  const got: Notification[][] = [];
  const failing: Destination = async () => {
    throw new Error("away");
  };
  await expect(publishNotifications(env, T0, [failing])).rejects.toThrow("away");
  expect(await published(script)).toEqual([null]);
  const works: Destination = async (batch) => {
    got.push([...batch]);
  };
  expect(await publishNotifications(env, T0, [works, ...destinations(env)])).toEqual({ published: 1, more: false });
  expect(await publishNotifications(env, T0, [works])).toEqual({ published: 0, more: false });
  expect(got.flat().map((n) => n.script)).toEqual([script]);
});

it("two who pass on at the same time do not tell the same, and one that stops half way is relieved", async () => {
  const script = "notify-race";
  for (let n = 0; n < 20; n++) await untold(script);
  const got: number[] = [];
  const slow: Destination = async (batch) => {
    await scheduler.wait(20);
    got.push(...batch.map((n) => n.id));
  };
  await Promise.all([publishNotifications(env, T0, [slow]), publishNotifications(env, T0, [slow])]);
  expect(got).toHaveLength(20);
  expect(new Set(got).size).toBe(20);

  await untold(script);
  await env.DB.prepare("UPDATE notifications SET claimed_until = ? WHERE published_at IS NULL")
    .bind(T0 + CLAIM_MS)
    .run();
  expect(await publishNotifications(env, T0, [slow])).toEqual({ published: 0, more: true });
  expect(await publishNotifications(env, T0 + CLAIM_MS, [slow])).toEqual({ published: 1, more: false });
});
