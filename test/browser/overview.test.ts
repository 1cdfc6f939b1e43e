/** Overview and a Worker's page: what is broken, since when, which version; in both themes, on any screen. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openView, overflow, startBrowser } from "../support/browser.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { BAD, item, shopTraffic } from "./traffic.ts";

let tailrace: TestStack;
let browser: Browser;
beforeAll(async () => {
  [tailrace, browser] = await Promise.all([startTestStack(), startBrowser()]);
  await tailrace.client.ingest(shopTraffic(Date.now()));
  const token = JSON.stringify({ name: "continuous integration", scope: "ingest", expiresInDays: 90 });
  await tailrace.client.call("POST", "/api/v1/tokens", token, { "content-type": "application/json" });
});
afterAll(async () => {
  await browser?.close();
  await tailrace?.stop();
});

test("the Overview names the Worker that fails and the version that does it", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/");
  const finding = page.locator(".finding").first();
  await finding.waitFor();
  const text = await finding.textContent();
  expect(text).toContain("shop");
  expect(text).toContain(BAD.tag);
  expect(text).toContain(BAD.id.slice(0, 8));
  expect(text).toMatch(/since \d\d:\d\d/);
  for (const name of ["shop", "mail"])
    await page.locator(".workers").getByRole("link", { name, exact: true }).waitFor();
  await page.locator(".u-over").first().waitFor();
  await page.getByRole("button", { name: /How complete/ }).click();
  await page.getByText("Received").waitFor();

  await finding.getByRole("link", { name: /Show \d+ failures/ }).click();
  await page.waitForURL(/\/explore\?q=.*failed/);
  await page.locator(".ev").first().waitFor();
  expect(problems).toEqual([]);
  await close();
});

test("the keyboard goes from the Overview to a Worker and on to Explore", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/");
  await page.locator(".workers tr.main").first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/workers/shop");
  await page.goBack();
  await page.locator(".workers").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Go to Explore").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await page.waitForURL("**/explore");
  expect(problems).toEqual([]);
  await close();
});

test("a Worker's page sets its versions side by side, and a breakdown leads to the events", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/workers/shop");
  const rows = page.locator(".versions tbody tr");
  await rows.nth(1).waitFor();
  expect(await rows.count()).toBe(2);
  expect(await page.locator(".versions").textContent()).toContain(BAD.message);
  await page.locator(".u-over").nth(3).waitFor();
  await page
    .getByRole("region", { name: "Outcome" })
    .getByRole("link", { name: /exception/ })
    .click();
  await page.waitForURL(/\/explore\?q=.*outcome/);
  await page.locator(".ev").first().waitFor();
  expect(await page.inputValue("#query")).toContain("outcome:exception");
  expect(problems).toEqual([]);
  await close();
});

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  test.each([360, 1280, 2560])("no page is wider than a window of %i px", async (width) => {
    const { page, problems, close } = await openView(browser, tailrace.stack.url, { theme, width });
    for (const [path, ready] of [
      ["/", ".workers"],
      ["/workers/shop", ".versions"],
      ["/explore", ".ev"],
      ["/explore?q=%7C%20stats%20count()%2C%20p99(duration)%20by%20version%2C%20bin(5m)", ".result-row"],
      ["/settings/tokens", ".tokens"],
      ["/settings/workers?script=shop", ".rules"],
    ] as const) {
      await page.goto(path);
      await page.locator(ready).first().waitFor({ state: "attached" });
      expect([path, await overflow(page)]).toEqual([path, 0]);
    }
    await page.goto("/settings/tokens");
    const revoke = await page.getByRole("button", { name: "Revoke" }).boundingBox();
    expect((revoke?.x ?? width) + (revoke?.width ?? 0)).toBeLessThanOrEqual(width);
    const background = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    expect(background).toBe(theme === "dark" ? "rgb(13, 15, 18)" : "rgb(255, 255, 255)");
    expect(problems).toEqual([]);
    await close();
  });
});

test("what happens meanwhile shows up by itself, and not once the switch is off", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/");
  const requests = page.locator(".workers tr.main", { hasText: "late" }).locator("td.num").first();
  await page.locator(".workers tr.main").first().waitFor();
  expect(await requests.count()).toBe(0);
  await tailrace.client.ingest([item(Date.now() - 1000, { script: "late" })]);
  await requests.waitFor();
  expect(await requests.textContent()).toBe("1");

  const live = page.getByRole("button", { name: "Refreshes by itself" });
  await live.click();
  await page.getByRole("button", { name: "Refresh by itself", pressed: false }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Refresh by itself", pressed: false }).waitFor();
  expect(problems).toEqual([]);
  await close();
});

test("the theme that one chose stays after a reload", async () => {
  const { page, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/settings");
  await page.getByRole("button", { name: /light and dark/ }).click();
  await page.reload();
  await page.locator(".tokens").waitFor();
  expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
  await close();
});
