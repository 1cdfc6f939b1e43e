/** The Live page, as one watches: it fills, stands still on demand, says what it leaves out, and comes back by itself. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { holds, openView, overflow, startBrowser } from "../support/browser.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { BAD, FAILURE, item } from "./traffic.ts";

/** A window of 800 px shows less than thirty rows; the rest is overscan. */
const MAX_ROWS_IN_DOM = 60;
/** A few more than a viewer is shown in a second, several times over. */
const FLOOD_ITEMS = 3000;

let tailrace: TestStack;
let browser: Browser;
beforeAll(async () => {
  [tailrace, browser] = await Promise.all([startTestStack(), startBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await tailrace?.stop();
});

const params = (page: Page) => new URL(page.url()).searchParams;
const rows = (page: Page) => page.locator(".live-item");
const row = (page: Page, text: string) => page.locator(".live-item", { hasText: text });
const isLive = (page: Page) => page.locator(".live-state", { hasText: "Live" }).waitFor();
const rowCount = async (page: Page) => Number(await page.locator(".live-list").getAttribute("aria-rowcount"));

/** One invocation for each message, which it logs. */
async function say(script: string, ...messages: string[]): Promise<void> {
  const now = Date.now();
  await tailrace.client.ingest(
    messages.map((message, i) => item(now + i, { script, logs: [{ level: "info", message: [message] }] })),
  );
}

async function watch(address: string, options = {}) {
  const view = await openView(browser, tailrace.stack.url, options);
  const sockets: string[] = [];
  view.page.on("websocket", (socket) => {
    if (socket.url().includes("/api/v1/live")) sockets.push(socket.url());
  });
  await view.page.goto(address);
  await isLive(view.page);
  return { ...view, sockets };
}

test("events show up as they come, and lead to their invocation and to Explore at that moment; the way back finds the list again", async () => {
  const { page, problems, close } = await watch("/live?script=first");
  await page.getByText("Waiting for events").waitFor();
  await tailrace.client.ingest([
    item(Date.now(), {
      script: "first",
      version: BAD,
      path: "/cart",
      logs: [{ level: "warn", message: ["price is missing"] }],
      failure: FAILURE,
    }),
  ]);
  await row(page, FAILURE).waitFor();
  expect(await rows(page).count()).toBe(3);
  // What belongs together stands together, under its invocation.
  expect(await page.locator(".live-item.same").count()).toBe(2);
  expect(await row(page, FAILURE).textContent()).toContain("v2");

  await row(page, FAILURE).click();
  await page.locator(".live-more .attr").first().waitFor();
  expect(await page.locator(".live-more").textContent()).toContain("at total (cart.js:4:2)");
  expect(await page.locator(".live-item.related").count()).toBe(3);
  await page.getByRole("link", { name: /^Issue #/ }).waitFor();

  await page.getByRole("link", { name: "Invocation" }).click();
  await page.locator(".step", { hasText: "price is missing" }).waitFor();
  await say("first", "while nobody looked");
  await page.goBack();
  await row(page, "while nobody looked").waitFor();
  await page.locator(".live-more .attr").first().waitFor();
  expect(await rows(page).count()).toBe(5);

  await page.getByRole("link", { name: "Explore at this moment" }).click();
  await page.locator(".detail .attr").first().waitFor();
  expect(params(page).get("q")).toBe("script:first");
  expect(await page.locator(".detail").textContent()).toContain(FAILURE);
  expect(await page.locator(".ev").count()).toBeGreaterThanOrEqual(3);
  expect(problems).toEqual([]);
  await close();
});

test("a pause keeps what comes and says how much; going on shows it", async () => {
  const { page, problems, close } = await watch("/live?script=paused");
  await say("paused", "before");
  await row(page, "before").waitFor();
  await page.keyboard.press("Space");
  await page.locator(".live-paused").waitFor();
  await say("paused", "one", "two", "three");
  await page.getByRole("button", { name: "Resume 6 waiting" }).waitFor();
  expect(await row(page, "three").count()).toBe(0);
  await page.keyboard.press("Space");
  await row(page, "three").waitFor();
  expect(await page.locator(".live-item .ev-msg.mono").allInnerTexts()).toEqual(["before", "one", "two", "three"]);
  await page.getByRole("button", { name: "Clear the list" }).click();
  await page.getByText("Waiting for events").waitFor();
  await say("paused", "after");
  await row(page, "after").waitFor();
  expect(await rows(page).count()).toBe(2);
  expect(problems).toEqual([]);
  await close();
});

test("a filter with completion changes on the open socket; a mistake is shown at its place and the stream goes on", async () => {
  await say("filtered", "known");
  const { page, problems, sockets, close } = await watch("/live?script=filtered");
  await page.keyboard.press("/");
  await page.keyboard.type("lev");
  await page.getByRole("option", { name: /^level/ }).waitFor();
  await page.keyboard.press("Tab");
  await page.getByRole("option", { name: /^info/ }).waitFor();
  await page.keyboard.type("warn");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=level%3Awarn/);
  await page.getByText("Waiting for events that match").waitFor();
  const send = (n: number) =>
    tailrace.client.ingest([
      item(Date.now(), {
        script: "filtered",
        logs: [
          { level: "info", message: [`quiet ${n}`] },
          { level: "warn", message: [`loud ${n}`] },
        ],
      }),
    ]);
  await send(1);
  await row(page, "loud 1").waitFor();
  expect(await rows(page).count()).toBe(1);

  await page.fill("#query", "level:warn | stats count()");
  await page.keyboard.press("Enter");
  const mistake = page.locator(".query-error");
  await mistake.waitFor();
  expect(await mistake.textContent()).toContain("nothing but a filter");
  expect(await mistake.locator("mark").textContent()).toBe("s");
  await page.getByText("What is shown still goes by level:warn").waitFor();
  await send(2);
  await row(page, "loud 2").waitFor();
  expect(await row(page, "quiet 2").count()).toBe(0);

  await page.fill("#query", "level:info");
  await page.keyboard.press("Enter");
  await mistake.waitFor({ state: "detached" });
  await send(3);
  await row(page, "quiet 3").waitFor();
  expect(await row(page, "loud").count()).toBe(0);
  expect(sockets).toHaveLength(1);
  expect(problems).toEqual([]);
  await close();
});

test("an address with a filter that is no filter says so, and takes a better one", async () => {
  const view = await openView(browser, tailrace.stack.url);
  await view.page.goto(`/live?script=better&q=${encodeURIComponent("level:")}`);
  await view.page.locator(".query-error").waitFor();
  const pause = view.page.getByRole("button", { name: "Pause", exact: true });
  expect(await pause.isDisabled()).toBe(true);
  await view.page.fill("#query", "level:info");
  await view.page.keyboard.press("Enter");
  await view.page.getByText("Waiting for events that match").waitFor();
  expect(await pause.isDisabled()).toBe(false);
  await say("better", "now");
  await row(view.page, "now").waitFor();
  expect(view.problems).toEqual([]);
  await view.close();
});

test("a flood is thinned, and what is not shown is counted by kind and by reason", async () => {
  const { page, problems, close } = await watch("/live?script=flood");
  const now = Date.now();
  const flood = Array.from({ length: FLOOD_ITEMS }, (_, i) =>
    item(now + (i % 100), { script: "flood", logs: [{ level: "info", message: [`line ${i}`] }] }),
  );
  flood.push(item(now, { script: "flood", failure: FAILURE }));
  await tailrace.client.ingest(flood);
  const missing = page.locator(".live-missing");
  await missing.waitFor();
  const numberOf = (text: string) => Number(text.replaceAll(/[^\d]/g, ""));
  // Shown and not shown are all there were.
  await holds(
    page,
    `Number(document.querySelector(".live-list").getAttribute("aria-rowcount")) + Number(document.querySelector(".live-missing .num").textContent.replace(/\\D/g, "")) === ${2 * FLOOD_ITEMS + 2}`,
  );
  const hidden = numberOf((await missing.locator(".num").textContent()) ?? "");
  expect(await rowCount(page)).toBe(2 * FLOOD_ITEMS + 2 - hidden);
  await missing.click();
  const panel = page.locator(".live-pop");
  const counted = await panel
    .locator("tr", { hasText: /Logs|Invocations/ })
    .locator("td")
    .allInnerTexts();
  expect(counted.map(numberOf).reduce((a, b) => a + b, 0)).toBe(hidden);
  expect(await panel.textContent()).toContain("fair sample, errors first");
  await panel.getByRole("link", { name: /Explore/ }).click();
  await page.locator(".explore .ev").first().waitFor();
  expect(params(page).get("q")).toBe("script:flood");
  expect(problems).toEqual([]);
  await close();
});

test("within an invocation times do not run backwards; on a phone what follows it takes one line", async () => {
  const { page, problems, close } = await watch("/live?script=phone", { width: 390, height: 844 });
  const now = Date.now();
  const log = (ms: number, text: string) => ({ timestamp: now + ms, level: "info", message: [text] });
  await tailrace.client.ingest([
    { ...item(now, { script: "phone" }), logs: [log(9, "late"), log(3, "early"), log(6, "between")] },
  ]);
  await row(page, "late").waitFor();
  expect(await page.locator(".live-item .ev-msg.mono").allInnerTexts()).toEqual(["early", "between", "late"]);
  const heightOf = async (text: string) => (await row(page, text).locator(".ev").boundingBox())?.height ?? 0;
  const own = (await rows(page).first().locator(".ev").boundingBox())?.height ?? 0;
  expect(await heightOf("early")).toBeLessThan((own * 2) / 3);
  expect(await page.getByRole("button", { name: "Filter", exact: true }).isVisible()).toBe(true);
  expect(problems).toEqual([]);
  await close();
});

test("at 500 events/s it paints once per frame, with few rows in the DOM, and keeps the newest in view", async () => {
  const { page, problems, close } = await watch("/live?script=steady");
  await say("steady", "first");
  await row(page, "first").waitFor();
  await page.evaluate(`
    window.seen = { frames: 0, paints: 0, most: 0, running: true };
    new MutationObserver(() => {
      seen.paints++;
      seen.most = Math.max(seen.most, document.querySelectorAll(".live-item").length);
    }).observe(document.querySelector(".live-window"), { childList: true });
    const frame = () => { seen.frames++; if (seen.running) requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
  `);
  const before = await rowCount(page);
  for (let i = 0; i < 40; i++) await say("steady", ...Array.from({ length: 25 }, (_, k) => `line ${i}.${k}`));
  await say("steady", "the last one");
  await row(page, "the last one").waitFor();
  const seen = (await page.evaluate("seen.running = false, seen")) as { frames: number; paints: number; most: number };
  expect(seen.paints).toBeLessThanOrEqual(seen.frames + 1);
  expect(seen.most).toBeLessThan(MAX_ROWS_IN_DOM);
  expect(await rowCount(page)).toBeGreaterThan(before + 1000);
  expect(problems).toEqual([]);
  await close();
});

test("who scrolls away reads in peace and is told how many are new; keys move, expand and follow", async () => {
  const { page, problems, close } = await watch("/live?script=reading");
  await say("reading", ...Array.from({ length: 60 }, (_, i) => `line ${i}.`));
  await row(page, "line 59.").waitFor();
  await page.locator(".live-list").hover();
  await page.mouse.wheel(0, -400);
  await page.locator(".live-follow[aria-pressed='false']").waitFor();
  const top = (await rows(page).first().textContent()) ?? "";
  await say("reading", "news");
  await page.getByRole("button", { name: "2 new" }).waitFor();
  expect(await rows(page).first().textContent()).toBe(top);
  expect(await row(page, "news").count()).toBe(0);
  await page.keyboard.press("f");
  await row(page, "news").waitFor();

  await page.keyboard.press("k");
  const active = page.locator(".live-item.active");
  await active.waitFor();
  const first = await active.textContent();
  await page.keyboard.press("k");
  await holds(page, `document.querySelector(".live-item.active").textContent !== ${JSON.stringify(first)}`);
  await page.keyboard.press("Enter");
  await page.locator(".live-more").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".live-more").waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await active.waitFor({ state: "detached" });
  expect(problems).toEqual([]);
  await close();
});

test("the platform restarts: the page says so, comes back by itself, and misses nothing", async () => {
  const own = await startTestStack();
  const again = { stop: own.stop };
  try {
    const view = await openView(browser, own.stack.url);
    const { page } = view;
    await page.goto("/live?script=lasting");
    await isLive(page);
    const send = (to: TestStack, message: string) =>
      to.client.ingest([item(Date.now(), { script: "lasting", logs: [{ level: "info", message: [message] }] })]);
    await send(own, "before");
    await row(page, "before").waitFor();
    const port = Number(new URL(own.stack.url).port);
    await own.stack.stop();
    await page.locator(".live-state", { hasText: "Reconnecting" }).waitFor();
    const restarted = await startTestStack({ data: own.data, port });
    again.stop = restarted.stop;
    await send(restarted, "meanwhile");
    await isLive(page);
    await row(page, "meanwhile").waitFor();
    await send(restarted, "after");
    await row(page, "after").waitFor();
    expect(await page.locator(".live-item .ev-msg.mono").allInnerTexts()).toEqual(["before", "meanwhile", "after"]);
    await view.close();
  } finally {
    await again.stop();
  }
});

test("when the session ends elsewhere, the page asks for a log-in and leads back", async () => {
  const { page, close } = await watch("/live?script=ended");
  await page.context().request.delete("/api/v1/session", { headers: { origin: tailrace.stack.url } });
  await page.waitForURL(/\/login\?next=%2Flive%3Fscript%3Dended/);
  await close();
});

test("Explore and a Worker's page lead here with what they show", async () => {
  await say("linked", "hello");
  const { page, problems, close } = await watch("/live");
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await page.locator(".explore .ev").first().waitFor();
  await page.goto(`/explore?q=${encodeURIComponent("script:linked level:info | stats count()")}`);
  await page.getByRole("link", { name: "Watch live" }).click();
  await isLive(page);
  expect(params(page).get("q")).toBe("script:linked level:info");
  await page.goto("/workers/linked");
  await page.getByRole("link", { name: "Watch live" }).click();
  await isLive(page);
  expect(params(page).get("script")).toBe("linked");
  await page.locator(".filter select").selectOption("");
  await page.waitForURL((url) => !url.searchParams.has("script"));
  await isLive(page);
  await say("linked", "to all");
  await row(page, "to all").waitFor();
  expect(problems).toEqual([]);
  await close();
});

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  test.each([360, 1280, 2560])("the page is no wider than a window of %i px", async (width) => {
    const { page, problems, close } = await watch("/live?script=wide", { theme, width });
    expect(await overflow(page)).toBe(0);
    await tailrace.client.ingest([
      item(Date.now(), { script: "wide", version: BAD, path: `/${"a".repeat(600)}`, failure: "b".repeat(600) }),
    ]);
    await row(page, "bbb").waitFor();
    expect(await overflow(page)).toBe(0);
    await row(page, "bbb").click();
    await page.locator(".live-more .attr").first().waitFor();
    await page.keyboard.press("Space");
    expect(await overflow(page)).toBe(0);
    expect(problems).toEqual([]);
    await close();
  });
});
