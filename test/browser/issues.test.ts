/** Issues as one uses them on call: triage by keys, the broken line, from an event and back, and being told. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { IssueAnswer, IssueSummary } from "../../workers/api/contract.ts";
import { holds, openView, overflow, startBrowser } from "../support/browser.ts";
import { type Bundle, thrownBy, withEsbuild } from "../support/bundled-app.ts";
import { until } from "../support/client.ts";
import { awaitIssues, errorItem, issueOf, issuesOf, setState, uploadMap, versionId } from "../support/issues.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

/** Told within 5 s, and a page that is busy drawing needs a moment more. */
const PATIENCE_MS = 15_000;

let tailrace: TestStack;
let browser: Browser;
let bundle: Bundle;
beforeAll(async () => {
  [tailrace, browser, bundle] = await Promise.all([startTestStack(), startBrowser(), withEsbuild()]);
});
afterAll(async () => {
  await browser?.close();
  await tailrace?.stop();
});

const params = (page: Page) => new URL(page.url()).searchParams;
const path = (page: Page) => new URL(page.url()).pathname;
const row = (page: Page, name: string) => page.locator(".issue", { hasText: name });

/** Different types, so different issues. */
async function send(script: string, names: string[], version = versionId(1)): Promise<IssueSummary[]> {
  const { client } = tailrace;
  const before = new Set((await issuesOf(client, script)).map((i) => i.id));
  const now = Date.now();
  await client.ingest(
    names.map((name, n) =>
      errorItem({
        script,
        version,
        name,
        message: `${name} in ${script}`,
        time: now - n * 1000,
        stack: `${name}: ${name} in ${script}\n    at f${n} (index.js:${n + 1}:5)`,
      }),
    ),
  );
  const issues = await awaitIssues(client, script, (found) => found.length >= before.size + names.length, PATIENCE_MS);
  return names.map((name) => issues.find((i) => i.type === name) as IssueSummary);
}

/** One real, minified error whose map is there. */
async function sendMapped(script: string): Promise<IssueSummary> {
  const { client } = tailrace;
  await uploadMap(client, script, versionId(1), bundle.map);
  const { name, message, stack = "" } = await thrownBy(bundle, "deep");
  await client.ingest([errorItem({ script, version: versionId(1), name, message, stack })]);
  const [issue] = await awaitIssues(client, script, (found) => found.length > 0, PATIENCE_MS);
  return issue as IssueSummary;
}

async function stateOf(script: string, id: number): Promise<string | undefined> {
  return (await issuesOf(tailrace.client, script)).find((i) => i.id === id)?.state;
}

test("issues are gone through by keys, and what was done is undone", async () => {
  const script = "triage";
  const [first, second, third] = await send(script, ["AlphaError", "BravoError", "CharlieError"]);
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto(`/issues?script=${script}`);
  await page.locator(".issue").nth(2).waitFor();
  await page.keyboard.press("j");
  await row(page, "AlphaError").and(page.locator(".active")).waitFor();
  await page.keyboard.press("e");
  await row(page, "AlphaError").waitFor({ state: "detached" });
  await row(page, "BravoError").and(page.locator(".active")).waitFor();
  await until(
    () => stateOf(script, first?.id as number),
    (state) => state === "resolved",
    PATIENCE_MS,
  );
  await page.getByRole("link", { name: /^Resolved\s*1$/ }).waitFor();

  await page.getByRole("status").getByRole("button", { name: "Undo" }).click();
  await row(page, "AlphaError").waitFor();
  expect(await stateOf(script, first?.id as number)).toBe("unresolved");

  // The row below keeps the cursor, whatever came back above it.
  await page.keyboard.press("i");
  await page.getByRole("dialog").getByText(`Ignore #${second?.id}`).waitFor();
  await page.keyboard.press("4");
  await row(page, "BravoError").waitFor({ state: "detached" });
  await until(
    () => stateOf(script, second?.id as number),
    (state) => state === "ignored",
    PATIENCE_MS,
  );
  expect((await issueOf(tailrace.client, second?.id as number)).ignored).toMatchObject({ count: 100, until: null });
  await page.getByRole("link", { name: /^Ignored/ }).click();
  await row(page, "BravoError").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("u");
  await until(
    () => stateOf(script, second?.id as number),
    (state) => state === "unresolved",
    PATIENCE_MS,
  );

  await page.getByRole("link", { name: /^Open/ }).click();
  await page.locator(".issue").nth(2).waitFor();
  await page.locator(".issues").focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Shift+X");
  await page.getByText("3 selected").waitFor();
  await page.keyboard.press("a");
  await page.getByPlaceholder("Name or e-mail").fill("on-call");
  await page.keyboard.press("Enter");
  await until(
    () => issuesOf(tailrace.client, script),
    (issues) => issues.every((i) => i.assignee === "on-call"),
    PATIENCE_MS,
  );
  await page.getByText("Assigned 3 issues").waitFor();
  await page.keyboard.press("z");
  await until(
    () => issuesOf(tailrace.client, script),
    (issues) => issues.every((i) => i.assignee === ""),
    PATIENCE_MS,
  );

  await page.keyboard.press("/");
  await page.keyboard.type("charlie");
  await row(page, "AlphaError").waitFor({ state: "detached" });
  expect(params(page).get("q")).toBe("charlie");
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/issues/${third?.id}`);
  await page.goBack();
  await row(page, "CharlieError").and(page.locator(".active")).waitFor();
  expect(problems).toEqual([]);
  await close();
});

test("undoing the resolution of a regressed issue makes it regressed again, with all that it knew", async () => {
  const script = "back-again";
  const { client } = tailrace;
  const [issue] = await send(script, ["DeltaError"]);
  const id = issue?.id as number;
  await setState(client, { ids: [id], state: "resolved" });
  await client.ingest([
    errorItem({
      script,
      version: versionId(2),
      name: "DeltaError",
      message: `DeltaError in ${script}`,
      stack: `DeltaError: DeltaError in ${script}\n    at f0 (index.js:1:5)`,
    }),
  ]);
  await until(
    () => stateOf(script, id),
    (state) => state === "regressed",
    PATIENCE_MS,
  );

  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto(`/issues/${id}`);
  await page.getByText("Regressed", { exact: true }).waitFor();
  await page.keyboard.press("e");
  await page.getByText("Resolved", { exact: true }).waitFor();
  await until(
    () => stateOf(script, id),
    (state) => state === "resolved",
    PATIENCE_MS,
  );
  await page.keyboard.press("z");
  await until(
    () => stateOf(script, id),
    (state) => state === "regressed",
    PATIENCE_MS,
  );
  await page.getByText("Regressed", { exact: true }).waitFor();
  expect(problems).toEqual([]);
  await close();
});

test("an issue's page names the version and the line, and shows it in the source", async () => {
  const script = "mapped";
  const issue = await sendMapped(script);
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto(`/issues/${issue.id}`);
  const facts = page.locator(".issue-facts");
  await facts.getByText(/src\/cart\/line\.ts:\d+:\d+/).waitFor();
  expect(await facts.textContent()).toContain("v-0000");
  expect(await facts.textContent()).toContain("in priceOf");
  expect(await facts.textContent()).toMatch(/1 event/);
  expect(await facts.textContent()).toMatch(/Yes, last/);

  const hit = page.locator(".code-line.hit").first();
  await hit.waitFor();
  expect(await hit.textContent()).toContain("return price.cents / 100;");
  expect(await hit.locator(".syn-keyword").textContent()).toBe("return");
  expect(await hit.locator(".code-at").textContent()).toBe("cents");
  expect(await page.locator(".code").first().textContent()).toContain("export function priceOf(line: Line)");

  await page.getByRole("button", { name: "Bundled", exact: true }).click();
  expect(await page.locator(".stack-text").textContent()).toMatch(/at \w+ \(index\.js:\d+:\d+\)/);
  await page.getByRole("button", { name: "Raw", exact: true }).click();
  expect(await page.locator(".stack-text").textContent()).toMatch(/^TypeError: .*\n\s+at /);

  await page.locator(".occurrences tbody tr").first().waitFor();
  await page.locator(".occurrences").getByRole("button", { name: "Stack" }).click();
  await holds(page, `location.search.includes("at=")`);
  await page.locator(".occurrences tbody a").first().click();
  await page.waitForURL(/\/invocations\//);
  await page.getByRole("link", { name: `Issue #${issue.id}` }).waitFor();
  await page.getByRole("button", { name: "In the source" }).click();
  await page.locator(".code-line.hit").first().waitFor();
  expect(problems).toEqual([]);
  await close();
});

test("from an exception in Explore to its issue, and back to its events", async () => {
  const script = "there-and-back";
  const issue = await sendMapped(script);
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto(`/explore?q=${encodeURIComponent(`script:${script} kind:exception`)}`);
  await page.locator(".ev").first().click();
  await page
    .locator(".detail")
    .getByRole("link", { name: `Issue #${issue.id}` })
    .click();
  await page.waitForURL(new RegExp(`/issues/${issue.id}\\?at=`));
  await page.locator(".code-line.hit").first().waitFor();
  await page.getByRole("link", { name: "In Explore", exact: true }).click();
  await page.waitForURL(/\/explore\?q=issue/);
  await page.locator(".ev").first().waitFor();
  await page
    .locator(".explore-bar")
    .getByRole("link", { name: `Issue #${issue.id}` })
    .click();
  await page.waitForURL(`**/issues/${issue.id}**`);
  expect(problems).toEqual([]);
  await close();
});

test("merged issues are one; the old address leads there, and undoing parts them", async () => {
  const script = "merging";
  const [one, two] = await send(script, ["EchoError", "FoxtrotError"]);
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto(`/issues?script=${script}&sort=first_seen`);
  await page.locator(".issue").nth(1).waitFor();
  await page.getByLabel(`Select #${one?.id}`).click();
  await page.getByLabel(`Select #${two?.id}`).click();
  await page.keyboard.press("m");
  await page
    .getByRole("dialog")
    .getByRole("button", { name: `#${one?.id} EchoError` })
    .click();
  await until(
    async () => (await issueOf(tailrace.client, two?.id as number)).mergedInto,
    (into) => into === one?.id,
    PATIENCE_MS,
  );
  await page.getByText(`Merged 2 issues into #${one?.id}`).waitFor();

  await page.goto(`/issues/${two?.id}`);
  await page.waitForURL(`**/issues/${one?.id}?merged=${two?.id}`);
  await page.getByText(`Issue #${two?.id} was merged into this one`).waitFor();
  await page.getByText("merged in by hand").waitFor();
  await page.locator(".fingerprint input").first().check();
  await page.getByRole("button", { name: "Unmerge" }).click();
  await until(
    async () => (await issueOf(tailrace.client, two?.id as number)).mergedInto,
    (into) => into === null,
    PATIENCE_MS,
  );
  expect(problems).toEqual([]);
  await close();
});

test("a new issue is told while one looks elsewhere, and stays unread until one looks", async () => {
  const script = "told";
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/settings");
  await page.locator(".tokens").waitFor();
  // What was there before is read first.
  await page.getByRole("button", { name: /^Notifications/ }).click();
  await page.getByRole("dialog", { name: /^Notifications/ }).waitFor();
  await page.keyboard.press("Escape");
  const [issue] = await send(script, ["GolfError"]);
  const toast = page.getByRole("status").getByRole("link", { name: /New issue in told: GolfError/ });
  await toast.waitFor();
  await page.getByRole("button", { name: "Notifications, 1 unread" }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Notifications, 1 unread" }).click();
  await page.getByRole("link", { name: /GolfError/ }).click();
  await page.waitForURL(`**/issues/${issue?.id}`);
  await page.reload();
  await page.getByRole("button", { name: "Notifications", exact: true }).waitFor();
  expect(problems).toEqual([]);
  await close();
});

test("where no WebSocket gets through, a new issue is told all the same", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.routeWebSocket(/notifications/, (socket) => socket.close());
  await page.goto("/settings");
  await page.locator(".tokens").waitFor();
  await send("asked", ["LimaError"]);
  await page
    .getByRole("status")
    .getByRole("link", { name: /New issue in asked: LimaError/ })
    .waitFor();
  expect(problems).toEqual([]);
  await close();
});

test("the list refreshes by itself and keeps the selection", async () => {
  const script = "alive";
  const [issue] = await send(script, ["HotelError"]);
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto(`/issues?script=${script}`);
  await page.getByLabel(`Select #${issue?.id}`).click();
  await page.getByText("1 selected").waitFor();
  await send(script, ["IndiaError"]);
  await row(page, "IndiaError").waitFor();
  await page.getByText("1 selected").waitFor();
  expect(await page.getByLabel(`Select #${issue?.id}`).isChecked()).toBe(true);
  expect(problems).toEqual([]);
  await close();
});

test("comments and the way it was resolved are on record", async () => {
  const script = "record";
  const [issue] = await send(script, ["JulietError"]);
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto(`/issues/${issue?.id}`);
  await page.locator(".issue-facts").waitFor();
  await page.keyboard.press("c");
  await page.keyboard.type("It is the <b>cache</b>.");
  await page.keyboard.press("Control+Enter");
  await page.locator(".activity-said", { hasText: "It is the <b>cache</b>." }).waitFor();
  await page.locator(".issue-name").click();
  await page.keyboard.press("r");
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /In the next version/ })
    .click();
  await page.locator(".activity").getByText("resolved it in the next version").waitFor();
  const answer: IssueAnswer = await issueOf(tailrace.client, issue?.id as number);
  expect(answer.resolvedIn).toBe("next");
  expect(problems).toEqual([]);
  await close();
});

test("a mistake in a fingerprint rule is told at its line", async () => {
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/settings/grouping");
  const rules = page.getByLabel("Fingerprint rules, one per line");
  await rules.fill("# payments\ntype:PaymentError -> payments\ncolour:red -> x");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator(".rule-problems", { hasText: /Line 3:.*colour/ }).waitFor();
  await rules.fill("type:PaymentError -> payments");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved").waitFor();
  await page.reload();
  expect(await rules.inputValue()).toBe("type:PaymentError -> payments");
  expect(problems).toEqual([]);
  await close();
});

test("where nothing matches, the list says how to see more", async () => {
  await send("quiet", ["KiloError"]);
  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/issues?script=quiet&q=nothing-like-it");
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await page.locator(".issue").first().waitFor();
  expect(path(page)).toBe("/issues");
  expect(problems).toEqual([]);
  await close();
});

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  test.each([360, 1280, 2560])("no page of issues is wider than a window of %i px", async (width) => {
    const issue = await sendMapped("widths");
    const { page, problems, close } = await openView(browser, tailrace.stack.url, { theme, width });
    for (const [address, ready] of [
      ["/issues", ".issue"],
      [`/issues/${issue.id}`, ".code-line.hit"],
      ["/settings/grouping", ".rules-editor"],
      ["/", ".brief-row"],
      ["/workers/widths", ".brief-row"],
    ] as const) {
      await page.goto(address);
      await page.locator(ready).first().waitFor({ state: "attached" });
      expect([address, await overflow(page)]).toEqual([address, 0]);
    }
    expect(problems).toEqual([]);
    await close();
  });
});
