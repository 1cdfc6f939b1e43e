/** Explore and an invocation's page, as one uses them: by click, by drag, by key. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { holds, openView, startBrowser } from "../support/browser.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { bulkTraffic, EVIL, FAILURE, shopTraffic } from "./traffic.ts";

const BULK_ITEMS = 500;
const LOGS_PER_ITEM = 199;
/** Each item is an event too. */
const BULK_EVENTS = BULK_ITEMS * (LOGS_PER_ITEM + 1);
/** A window of 800 px shows about twenty rows; the rest is overscan. */
const MAX_ROWS_IN_DOM = 80;

let tailrace: TestStack;
let browser: Browser;
beforeAll(async () => {
  [tailrace, browser] = await Promise.all([startTestStack(), startBrowser()]);
  const now = Date.now();
  await tailrace.client.ingest(shopTraffic(now));
  const bulk = bulkTraffic(now, BULK_ITEMS, LOGS_PER_ITEM);
  for (let i = 0; i < bulk.length; i += 100) await tailrace.client.ingest(bulk.slice(i, i + 100));
});
afterAll(async () => {
  await browser?.close();
  await tailrace?.stop();
});

const queryOf = (page: Page) => new URL(page.url()).searchParams.get("q") ?? "";
const params = (page: Page) => new URL(page.url()).searchParams;

test("a query with completion finds rows; a click filters in and out; the back button goes back", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/explore");
  await page.locator(".ev").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("scr");
  await page.getByRole("option", { name: /^script/ }).waitFor();
  await page.keyboard.press("Tab");
  await page.getByRole("option", { name: /^shop/ }).waitFor();
  await page.keyboard.type("sh");
  await page.getByRole("option", { name: /^shop/ }).waitFor();
  await page.keyboard.press("Tab");
  await holds(page, `document.querySelector("#query").value === "script:shop "`);
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=script%3Ashop/);

  await page.locator(".ev").first().click();
  await page.getByRole("button", { name: "Only colo", exact: false }).first().click();
  await holds(page, `location.search.includes("colo")`);
  expect(queryOf(page)).toMatch(/^script:shop colo:(LHR|FRA)$/);
  const colo = queryOf(page).slice(-3);
  await page.getByRole("button", { name: `Without colo ${colo}` }).click();
  await holds(page, `location.search.includes("-colo")`);
  expect(queryOf(page)).toBe(`script:shop -colo:${colo}`);

  await page.goBack();
  await holds(page, `document.querySelector("#query").value === "script:shop colo:${colo}"`);
  await page.goBack();
  await holds(page, `document.querySelector("#query").value === "script:shop"`);
  expect(problems).toEqual([]);
  await close();
});

test("a mistake in the query says where it is and what was expected", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/explore");
  await page.fill("#query", "script:shop | stats cuont()");
  await page.keyboard.press("Enter");
  const mistake = page.locator(".query-error");
  await mistake.waitFor();
  expect(await mistake.textContent()).toMatch(/expected|column/i);
  expect(problems).toEqual([]);
  await close();
});

test("stats render as a table, over time also as a chart, and a group filters", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto(`/explore?q=${encodeURIComponent("script:shop kind:invocation | stats count() by route")}`);
  const cell = page.getByRole("button", { name: "Only route /cart" });
  await cell.waitFor();
  await cell.click();
  await holds(page, `location.search.includes("cart")`);
  expect(queryOf(page)).toContain("route:");
  await page.goto(`/explore?q=${encodeURIComponent("script:shop | stats p99(duration) by version, bin(1m)")}`);
  await page
    .getByRole("figure", { name: /p99\(duration\)/ })
    .locator(".u-over")
    .waitFor();
  expect(problems).toEqual([]);
  await close();
});

test("a drag over the histogram zooms in on that time", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/explore?q=script%3Ashop");
  const plot = page.locator(".u-over").first();
  await plot.waitFor();
  await page.locator(".ev").first().waitFor();
  const box = await plot.boundingBox();
  if (box === null) throw new Error("BUG: the histogram is not on screen");
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.5, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, y, { steps: 5 });
  await page.mouse.up();
  await holds(page, `/from=\\d+/.test(location.search)`);
  const width = Number(params(page).get("to")) - Number(params(page).get("from"));
  // A quarter of the hour that was shown.
  expect(width).toBeGreaterThan(13 * 60_000);
  expect(width).toBeLessThan(17 * 60_000);
  await page.goBack();
  await holds(page, `!/from=\\d+/.test(location.search)`);
  expect(problems).toEqual([]);
  await close();
});

test("j and k move, Enter opens, Escape closes; the event is in the URL", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/explore?q=script%3Ashop");
  await page.locator(".ev").nth(3).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("j");
  await page.locator(".ev.active[aria-rowindex='2']").waitFor();
  await page.keyboard.press("Enter");
  await page.locator(".detail .attr").first().waitFor();
  const event = params(page).get("event");
  expect(event).toMatch(/^[0-9a-f]{32}\.\d+\.\d+$/);
  await page.reload();
  await page.locator(".detail .attr").first().waitFor();
  expect(params(page).get("event")).toBe(event);
  await page.keyboard.press("Escape");
  await page.locator(".detail").waitFor({ state: "detached" });
  expect(problems).toEqual([]);
  await close();
});

test("an invocation shows its logs and its exception in order, with the way to its version", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto(`/explore?q=${encodeURIComponent("script:shop kind:exception")}`);
  await page.locator(".ev").first().click();
  await page.getByRole("link", { name: "Invocation" }).click();
  await page.waitForURL(/\/invocations\//);
  await page.locator(".step").nth(2).waitFor();
  const steps = await page.locator(".step").allInnerTexts();
  expect(steps[0]).toContain("first, before it fails");
  expect(steps[1]).toContain("second, price is missing");
  expect(steps[2]).toContain(FAILURE);
  expect(await page.locator(".inv-facts").textContent()).toContain("New cart totals");
  await page.reload();
  await page.locator(".step").nth(2).waitFor();
  expect(problems).toEqual([]);
  await close();
});

test("HTML in a log stays text, in the list, the panel and the invocation", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto(`/explore?q=${encodeURIComponent("script:mail kind:log")}`);
  const row = page.locator(".ev").first();
  await row.waitFor();
  expect(await row.textContent()).toContain(EVIL);
  await row.click();
  const message = page.locator(".detail-message");
  await message.waitFor();
  expect(await message.textContent()).toContain(EVIL);
  await page.getByRole("link", { name: "Invocation" }).click();
  await page.getByText("<img src=x").waitFor();
  expect(await page.locator("img").count()).toBe(0);
  expect(await page.title()).not.toBe("pwned");
  expect(problems).toEqual([]);
  await close();
});

test("a hundred thousand rows scroll to the end with few of them in the DOM, and back", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/explore?q=script%3Abulk");
  await page.locator(".ev").first().waitFor();
  let most = 0;
  const end = page.getByText("No older events in this time range.");
  for (let i = 0; i < 400 && !(await end.isVisible()); i++) {
    most = Math.max(most, await page.locator(".ev").count());
    const before = await page.evaluate(`document.querySelector(".events-space").offsetHeight`);
    await page.evaluate(`document.querySelector(".events").scrollTo(0, 1e9)`);
    await holds(
      page,
      `document.querySelector(".events-space").offsetHeight > ${before} || document.querySelector(".events-end").textContent.startsWith("No older")`,
    );
  }
  await end.waitFor();
  expect(await page.locator(".events").getAttribute("aria-rowcount")).toBe(String(BULK_EVENTS));
  // Pages far away were let go; coming back to the top fetches them again.
  await page.evaluate(`document.querySelector(".events").scrollTo(0, 0)`);
  await page.locator(".ev[aria-rowindex='1']").waitFor();
  most = Math.max(most, await page.locator(".ev").count());
  expect(most).toBeLessThan(MAX_ROWS_IN_DOM);
  expect(problems).toEqual([]);
  await close();
});
