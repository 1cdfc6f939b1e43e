/** The preview over the API: what lies in an Ingester, and what was sealed of it, counted by the rules. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import type { DestinationRules, PreviewAnswer } from "../../../workers/api/contract.ts";
import { BatchBuilder } from "../../../workers/event/batch-builder.ts";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { ADMIN, call } from "./client.ts";

const NOW = Date.now();
const TEN_MINUTES_MS = 600_000;

function invocation(script: string, n: number, own: Partial<TailraceEvent>, ...more: Partial<TailraceEvent>[]) {
  const shared = { script, invocation_id: (NOW * 1_000 + n).toString(16).padStart(32, "0"), sample_weight: 1 };
  const { outcome = "ok", status } = own;
  const time = (NOW - TEN_MINUTES_MS + n) * 1_000;
  return [own, ...more].map(
    (event, seq) =>
      ({
        kind: "invocation",
        time,
        ...shared,
        outcome,
        ...(status === undefined ? {} : { status }),
        ...event,
        seq,
      }) as TailraceEvent,
  );
}

async function append(shard: string, events: readonly TailraceEvent[]): Promise<void> {
  const builder = new BatchBuilder();
  for (const event of events) builder.push(event);
  const result = await env.INGESTER.getByName(shard).append({
    ...{ script: shard, batchId: crypto.randomUUID(), batch: builder.encode(), rows: builder.rows },
    ...{ minTime: builder.minTime, maxTime: builder.maxTime, rollups: [], ledger: [], essential: false },
  });
  expect(result.ok).toBe(true);
}

async function preview(rules: Partial<DestinationRules>, integration = "otlp"): Promise<PreviewAnswer> {
  const body = { integration, rules };
  const response = await call("/api/v1/destinations/preview", { method: "POST", token: ADMIN, body });
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}

const feed = ({ feeds }: PreviewAnswer, name: string) => feeds.find((one) => one.feed === name);

beforeAll(async () => {
  const log: Partial<TailraceEvent> = { kind: "log", level: "info", message: "paid\nsecond line" };
  const thrown: Partial<TailraceEvent> = { kind: "exception", level: "error", name: "TypeError", message: "no card" };
  await append(
    "shop",
    [1, 2, 3].flatMap((n) => invocation("shop", n, { status: 200, message: "GET /pay" }, log, log)),
  );
  await env.INGESTER.getByName("shop").seal();
  await append("shop", invocation("shop", 4, { outcome: "exception", status: 500 }, thrown));
  await append("api", invocation("api", 5, { status: 503, message: "GET /down" }));
  const detail = { type: "TypeError", title: "no card", culprit: "", version: { id: "", tag: "", message: "" } };
  await env.DB.prepare(
    "insert into notifications (at, kind, issue_id, occasion, script, detail) values (?, 'issue.new', 1, 0, 'shop', ?)",
  )
    .bind(NOW - TEN_MINUTES_MS, JSON.stringify(detail))
    .run();
});

it("without rules everything of the last hour would be sent, live and sealed, each once", async () => {
  const answer = await preview({});
  expect(answer.exact).toBe(true);
  expect(answer.to - answer.from).toBe(3_600_000);
  expect(feed(answer, "errors")).toMatchObject({ candidates: 2, sent: 2 });
  expect(feed(answer, "logs")).toMatchObject({ candidates: 6, sent: 6 });
  expect(feed(answer, "traces")).toMatchObject({ candidates: 5, sent: 5 });
  expect(answer.byWorker).toEqual([
    { script: "shop", sent: 11 },
    { script: "api", sent: 2 },
  ]);
});

it("shows first lines of what would be sent", async () => {
  const { examples } = await preview({ feeds: ["errors", "logs"] });
  const texts = examples.map(({ feed: of, script, text }) => `${of} ${script} ${text}`);
  expect(texts).toContain("errors shop TypeError: no card");
  expect(texts).toContain("errors api GET /down (503, ok)");
  expect(texts).toContain("logs shop paid");
});

it("counts what rules leave out, what sampling drops, and what is above the ceiling", async () => {
  const chosen = await preview({ workers: ["api"], feeds: ["errors"] });
  expect(feed(chosen, "errors")).toMatchObject({ candidates: 2, sent: 1, notChosen: 1 });
  expect(feed(chosen, "logs")).toMatchObject({ candidates: 6, sent: 0, notChosen: 6 });
  const none = await preview({ feeds: ["logs"], otherwise: 0 });
  expect(feed(none, "logs")).toMatchObject({ candidates: 6, sent: 0, sampled: 6 });
  const few = await preview({ feeds: ["logs"], perMinute: 2 });
  expect(feed(few, "logs")).toMatchObject({ candidates: 6, sent: 2, ceiling: 4 });
});

it("of a destination for notices counts these", async () => {
  const answer = await preview({}, "slack");
  expect(answer.feeds).toEqual([{ feed: "notices", candidates: 1, sent: 1, sampled: 0, ceiling: 0, notChosen: 0 }]);
  expect(answer.examples).toMatchObject([{ feed: "notices", script: "shop", text: "issue.new: no card" }]);
  expect(feed(await preview({ notices: ["issue.regressed"] }, "slack"), "notices")).toMatchObject({ notChosen: 1 });
});

it("refuses rules that are wrong, field by field", async () => {
  const body = { integration: "slack", rules: { feeds: ["logs"], otherwise: 2 } };
  const response = await call("/api/v1/destinations/preview", { method: "POST", token: ADMIN, body });
  expect(response.status).toBe(422);
  const { error } = (await response.json()) as { error: { details: { problems: Record<string, string> } } };
  expect(Object.keys(error.details.problems).sort()).toEqual(["feeds", "otherwise"]);
});
