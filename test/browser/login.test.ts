/** Who gets in, what a wrong token says, and that one lands where one wanted to go. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openView, startBrowser } from "../support/browser.ts";
import { ADMIN_TOKEN, startTestStack, type TestStack } from "../support/stack.ts";

/** More than twice LOGIN_LIMIT in wrangler.toml: the minute that it counts may end in between. */
const TOO_MANY = 25;

let tailrace: TestStack;
let browser: Browser;
beforeAll(async () => {
  [tailrace, browser] = await Promise.all([startTestStack(), startBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await tailrace?.stop();
});

test("a deep link asks for a token, refuses a wrong one, and survives the log-in and a reload", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url, { loggedIn: false });
  await page.goto("/explore?q=script%3Ashop&from=-6h&to=now");
  await page.waitForURL(/\/login\?next=/);

  await page.fill("#token", "tr_not-a-token");
  await page.keyboard.press("Enter");
  await page.getByText("This token is not valid").waitFor();
  expect(new URL(page.url()).pathname).toBe("/login");

  await page.fill("#token", ADMIN_TOKEN);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/explore?q=script%3Ashop&from=-6h&to=now");
  await page.reload();
  expect(await page.inputValue("#query")).toBe("script:shop");
  expect(await page.getByRole("button", { name: "Time range" }).textContent()).toContain("Last 6 hours");
  expect(problems).toEqual([]);
  await close();
});

test("logging out ends the session", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/settings");
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL("**/login");
  await page.goto("/settings");
  await page.waitForURL(/\/login\?next=%2Fsettings/);
  expect(problems).toEqual([]);
  await close();
});

test("with no data yet, the Overview says which line an observed Worker needs", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/");
  await page.getByText('tail_consumers = [{ service = "tailrace" }]').waitFor();
  expect(problems).toEqual([]);
  await close();
});

test("too many attempts are told when to come back", async () => {
  const { page, close } = await openView(browser, tailrace.stack.url, { loggedIn: false });
  await page.goto("/login");
  const tooMany = page.getByText("Too many attempts");
  for (let i = 0; i < TOO_MANY && !(await tooMany.isVisible()); i++) {
    await page.fill("#token", `tr_guess-${i}`);
    const answered = page.waitForResponse(
      (r) => r.url().endsWith("/api/v1/session") && r.request().method() === "POST",
    );
    await page.keyboard.press("Enter");
    await answered;
    await page.getByRole("button", { name: "Log in" }).waitFor();
  }
  await tooMany.waitFor();
  await close();
});
