import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { handleTail } from "../../../workers/ingest/tail.ts";
import { appendsOf, countsOf, eventsIn, item, uniqueScript } from "./support.ts";

async function tail(items: unknown[], props = {}) {
  const ctx = createExecutionContext();
  await handleTail(items, env, ctx, props);
  await waitOnExecutionContext(ctx);
}

test("concurrent calls share appends, none is lost, and each returns when its events are durable", async () => {
  const script = uniqueScript();
  const calls = 2_000;
  await Promise.all(Array.from({ length: calls }, () => tail([item(script)])));
  const events = await eventsIn(script);
  expect(new Set(events.map((e) => e.invocation_id)).size).toBe(calls);
  expect(await appendsOf(script)).toBeLessThan(calls / 10);
  expect(await countsOf(script)).toMatchObject({
    ledger: { received: calls, kept: calls, events: calls },
    requests: calls,
  });
});

test("an item that cannot be read is counted and kept raw, its neighbours as ever", async () => {
  const script = uniqueScript();
  const throwing = {
    scriptName: script,
    get logs(): never {
      throw new Error("this getter throws");
    },
  };
  await tail([item(script), { scriptName: script, logs: 5 }, throwing], {});
  const events = await eventsIn(script);
  expect(events.map((e) => e.kind).sort()).toEqual(["invocation", "raw", "raw"]);
  expect((await countsOf(script)).ledger).toMatchObject({ received: 3, kept: 3, unreadable: 2 });
});

test("items without a script are kept under the name that the props give, or as unknown", async () => {
  const script = uniqueScript();
  await tail([item("", { scriptName: null }), "not an item"], { script });
  expect((await eventsIn(script)).map((e) => [e.kind, e.script])).toEqual([
    ["invocation", script],
    ["raw", script],
  ]);
  await tail([item("", { scriptName: undefined })]);
  expect((await eventsIn("unknown")).length).toBe(1);
});

test("does not observe itself, and says so once", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  await tail([item("tailrace"), item("tailrace")]);
  await tail([item("", { scriptName: null })], { script: "tailrace" });
  expect(await eventsIn("tailrace")).toEqual([]);
  expect(warn.mock.calls.filter(([text]) => String(text).includes("its own tail consumer")).length).toBe(1);
  warn.mockRestore();
});

test("never throws, whatever it is called with", async () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  await tail([
    null,
    undefined,
    5,
    [],
    () => {},
    Symbol("s"),
    new Proxy(
      {},
      {
        get: () => {
          throw new Error("no");
        },
      },
    ),
  ]);
  expect(error).not.toHaveBeenCalled();
  error.mockRestore();
});
