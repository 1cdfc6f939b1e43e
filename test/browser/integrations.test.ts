/**
 * Integrations as one meets them: what is set up, the marketplace, the form of
 * one, a destination that is down, dead letters, Workers to connect, resources,
 * Tailrace's own state. Answers are fixtures here (integration-stub.ts), so that
 * every state can be looked at; a real one from end to end is
 * integrations-real.test.ts.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { overflow, startBrowser, type ViewOptions } from "../support/browser.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { attention, destination, failing, standby, TOML } from "./integration-fixtures.ts";
import { openStubbed, type Sent, type Stub } from "./integration-stub.ts";
import { item } from "./traffic.ts";

const SECRET = "https://very-secret-key@o1.ingest.sentry.io/2";

let tailrace: TestStack;
let browser: Browser;
beforeAll(async () => {
  [tailrace, browser] = await Promise.all([startTestStack(), startBrowser()]);
  const at = Date.now() - 60_000;
  await tailrace.client.ingest(["shop-storefront", "shop-cart", "mail"].map((script) => item(at, { script })));
});
afterAll(async () => {
  await browser?.close();
  await tailrace?.stop();
});

const open = (stub: Stub = {}, options: ViewOptions = {}) => openStubbed(browser, tailrace.stack.url, stub, options);

const text = (page: Page, selector: string) => page.locator(selector).first().textContent();
const all = (now: number) => [destination(now), failing(now), standby(now), attention(now)];

test("what is set up shows what is in trouble first, and the marketplace is found by a word and by category", async () => {
  const { page, problems, close } = await open({ destinations: all(Date.now()) });
  await page.goto("/integrations");
  const rows = page.locator(".dests:not(.resources) tbody tr");
  await rows.nth(3).waitFor();
  expect(await rows.nth(0).textContent()).toMatch(/On-call webhook.*Needs you.*401: unknown key/);
  expect(await rows.nth(1).textContent()).toMatch(/Collector, Frankfurt.*Failing.*12 m/);
  expect(await rows.nth(1).textContent()).toContain("38.4k");
  expect(await rows.nth(2).textContent()).toContain("Delivering");
  expect(await text(page, ".connect-card")).toContain("2 of 3 connected");
  expect(await text(page, ".resources tbody tr")).toContain("Not written into shop-cart");

  await page.keyboard.press("/");
  await page.keyboard.type("traces");
  await page.locator(".int-card").nth(1).waitFor({ state: "detached" });
  expect(await page.locator(".int-card b").allTextContents()).toEqual(["OpenTelemetry"]);
  await page.getByLabel("Search integrations").fill("");
  await page.getByRole("button", { name: "Resources" }).click();
  await page.locator(".int-card").nth(1).waitFor({ state: "detached" });
  expect(await page.locator(".int-card b").allTextContents()).toEqual(["Turso"]);
  await page.locator(".dests a", { hasText: "Collector, Frankfurt" }).click();
  await page.getByText("It has not answered for 12 minutes").waitFor();
  expect(problems).toEqual([]);
  await close();
});

test("with nothing set up the page says what to do, and without an account how to connect Workers", async () => {
  const { page, problems, close } = await open({ noAccount: true, noResources: true });
  await page.goto("/integrations");
  await page.getByText("Nothing is forwarded yet. Pick a card below").waitFor();
  await page.getByText("Connect your Workers with a click").click();
  await page.getByText("No Cloudflare account is connected.").waitFor();
  await page.getByRole("link", { name: "Connect the account" }).click();
  expect(new URL(page.url()).pathname).toBe("/settings/cloudflare");
  expect(problems).toEqual([]);
  await close();
});

test("setting one up: fill in, test, choose what and how much with a live preview, enable", async () => {
  const { page, problems, sent, close } = await open({ destinations: [standby(Date.now())] });
  await page.goto("/integrations");
  await page.locator(".int-card", { hasText: "Sentry" }).click();
  await page.getByRole("heading", { name: "Set up Sentry" }).waitFor();
  expect(await text(page, ".setup-docs")).toContain("Where the DSN is");

  await page.getByRole("button", { name: "Test" }).click();
  await page.getByText("DSN is needed.").waitFor();
  expect(sent).toEqual([]);
  await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("f-dsn");
  const dsn = page.locator("#f-dsn");
  expect(await dsn.getAttribute("type")).toBe("password");
  await dsn.fill(SECRET);
  await page.getByRole("button", { name: "Test" }).click();
  await page.getByText("Sentry took an event.").waitFor();
  expect(await text(page, ".test-answer")).toContain("Took 184 ms.");
  await page.locator("#f-environment").fill("staging");
  await page.getByText("Changed since it was tested.").waitFor();

  await page.getByText("would have been sent").waitFor();
  expect(await text(page, ".preview-sum")).toContain("43.2k");
  await page.getByRole("radio", { name: "Some" }).click();
  await page.getByText("0 of 3 known Workers").waitFor();
  await page.getByRole("checkbox", { name: "mail" }).click();
  await page.getByLabel("Names and patterns of Workers").fill("shop-*");
  await page.keyboard.press("Enter");
  await page.getByText("3 of 3 known Workers").waitFor();
  expect(await page.getByRole("checkbox", { name: "shop-cart by a pattern" }).isChecked()).toBe(true);
  await page.getByRole("button", { name: "Add a rule" }).click();
  await page.locator('[id="f-sampling.0.status"]').fill("5xx");
  await page.locator('[id="f-sampling.0.percent"]').fill("100");
  await page.locator("#f-otherwise").fill("10");
  await page.locator(".preview-sum", { hasText: "4,510" }).waitFor();
  await page.locator("#f-perMinute").fill("1000");
  await page.getByRole("button", { name: "Add a tag" }).click();
  await page.getByLabel("Tag 1, name").fill("team");
  await page.getByLabel("Tag 1, value").fill("shop");
  await page.locator("#f-failoverTo").selectOption("d-standby");
  await page.getByRole("radio", { name: "The last 24 hours, too" }).click();
  await page.getByRole("button", { name: "Enable" }).click();
  await page.getByText("Enabled: Sentry").waitFor();
  expect(new URL(page.url()).pathname).toBe("/integrations/d/d-new");

  const { body } = sent.at(-1) as Sent;
  expect(body).toMatchObject({
    integration: "sentry",
    name: "Sentry",
    state: "enabled",
    values: { dsn: SECRET, environment: "staging", grouping: "tailrace" },
    failoverTo: "d-standby",
    rules: {
      workers: ["mail", "shop-*"],
      sampling: [{ status: "5xx", rate: 1 }],
      otherwise: 0.1,
      perMinute: 1000,
      tags: { team: "shop" },
    },
  });
  const { backfillFrom } = body as { backfillFrom: number };
  expect(Math.abs(Date.now() - 86_400_000 - backfillFrom)).toBeLessThan(120_000);
  expect(problems).toEqual([]);
  await close();
});

test("what the server refuses stands at its field, and a test that fails says why and how long it took", async () => {
  const { page, problems, close } = await open({
    tested: { ok: false, message: "Sentry does not know this key.", ms: 212 },
    refused: { message: "The DSN has no project.", problems: { dsn: "The DSN has no project." } },
  });
  await page.goto("/integrations/new/sentry");
  await page.locator("#f-dsn").fill(SECRET);
  await page.getByRole("button", { name: "Test" }).click();
  await page.getByText("Sentry does not know this key.").waitFor();
  expect(await text(page, ".test-answer")).toContain("Took 212 ms.");
  await page.getByRole("button", { name: "Enable" }).click();
  await page.locator(".field-problem", { hasText: "The DSN has no project." }).waitFor();
  expect(await page.locator("#f-dsn").getAttribute("aria-invalid")).toBe("true");
  await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("f-dsn");
  expect(await page.getByRole("button", { name: "Enable" }).isEnabled()).toBe(true);
  expect(problems).toEqual([]);
  await close();
});

test("a test that sent nothing says so once", async () => {
  const message = "Nothing was sent: This is no DSN.";
  const { page, problems, close } = await open({ tested: { ok: false, message, ms: 0, problems: { dsn: message } } });
  await page.goto("/integrations/new/sentry");
  await page.locator("#f-dsn").fill(SECRET);
  await page.getByRole("button", { name: "Test" }).click();
  await page.locator(".test-said").waitFor();
  expect((await text(page, ".test-said"))?.trim()).toBe(message);
  expect(problems).toEqual([]);
  await close();
});

test("leaving with something unsaved asks: by a link, by a key, and by the back button", async () => {
  const { page, problems, close } = await open();
  await page.goto("/integrations");
  await page.locator(".int-card", { hasText: "Sentry" }).click();
  await page.locator("#f-name").fill("Mine");
  const asks = page.getByText("Leave without saving?");

  await page.getByRole("link", { name: "Cancel" }).click();
  await asks.waitFor();
  await page.getByRole("button", { name: "Stay" }).click();
  await asks.waitFor({ state: "detached" });
  await page.locator(".page h1").click();
  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await asks.waitFor();
  await page.keyboard.press("Escape");
  await asks.waitFor({ state: "detached" });
  expect(await page.locator("#f-name").inputValue()).toBe("Mine");

  await page.goBack();
  await asks.waitFor();
  expect(new URL(page.url()).pathname).toBe("/integrations/new/sentry");
  await page.getByRole("button", { name: "Leave, and lose it" }).click();
  await page.getByRole("heading", { name: "Integrations" }).waitFor();
  expect(new URL(page.url()).pathname).toBe("/integrations");
  // Nothing is asked where nothing was changed.
  await page.locator(".int-card", { hasText: "Sentry" }).click();
  await page.locator("#f-name").waitFor();
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.getByRole("heading", { name: "Integrations" }).waitFor();
  expect(problems).toEqual([]);
  await close();
});

test("changing one never shows the secret, and leaves it as it is", async () => {
  const { page, problems, sent, close } = await open({ destinations: [destination(Date.now())] });
  await page.goto("/integrations/d/d-sentry");
  await page.getByRole("link", { name: "Edit" }).click();
  const dsn = page.locator("#f-dsn");
  await dsn.waitFor();
  expect(await dsn.inputValue()).toBe("");
  expect(await dsn.getAttribute("placeholder")).toBe("Stored. Leave empty to keep it.");
  expect(await page.getByText("Begin with").count()).toBe(0);
  await page.locator("#f-otherwise").fill("20");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved: Sentry, shop team").waitFor();
  const { method, path, body } = sent.at(-1) as Sent;
  expect([method, path]).toEqual(["PUT", "destinations/d-sentry"]);
  expect(body).not.toHaveProperty("values.dsn");
  expect(body).not.toHaveProperty("integration");
  expect(body).toMatchObject({ rules: { otherwise: 0.2 }, state: "enabled" });
  expect(problems).toEqual([]);
  await close();
});

test("a secret that is ours to make is offered once, to be copied; one that is stored is not made anew, and can stay", async () => {
  const { page, problems, sent, close } = await open({ destinations: [attention(Date.now())] });
  await page.goto("/integrations/new/webhook");
  const secret = page.locator("#f-secret");
  await secret.waitFor();
  const first = await secret.inputValue();
  expect(first).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(await secret.getAttribute("type")).toBe("password");
  await page.getByText("once this is saved, nobody is shown it again").waitFor();
  await page.getByRole("button", { name: "Make a new one" }).click();
  await expect.poll(() => secret.inputValue()).not.toBe(first);
  // Notices are not sampled.
  expect(await page.getByRole("button", { name: "Add a rule" }).count()).toBe(0);
  await page.locator("#f-url").fill("https://hooks.example.org/");
  await page.getByRole("button", { name: "Enable" }).click();
  await page.getByText("Enabled: Signed webhook").waitFor();
  expect(sent.at(-1)?.body).toMatchObject({ values: { secret: expect.stringMatching(/^whsec_/) } });

  await page.goto("/integrations/d/d-hook/edit");
  await secret.waitFor();
  expect(await secret.inputValue()).toBe("");
  expect(problems).toEqual([]);
  await close();
});

test("a destination that is down says so first, when it tries next, and who carries it; retry, pause, remove", async () => {
  const now = Date.now();
  const { page, problems, sent, rows, close } = await open({ destinations: [failing(now), standby(now)] });
  await page.goto("/integrations/d/d-otlp");
  await page.getByText("It has not answered for 12 minutes").waitFor();
  expect(await text(page, ".dest-answer")).toMatch(/Next try in \d+ s.*answers 503/s);
  expect(await text(page, ".dest-facts")).toMatch(/38\.4k events.*Open.*carries it, 8,120 so far/s);
  expect(await page.getByRole("progressbar", { name: "Back-fill" }).getAttribute("aria-valuenow")).toBe("41");
  await page.locator(".u-over").nth(1).waitFor();
  const before = await page.locator(".dest-facts").boundingBox();
  await page.getByRole("button", { name: "Retry now" }).click();
  await page.getByText("Trying now: Collector, Frankfurt").waitFor();
  expect((await page.locator(".dest-facts").boundingBox())?.y).toBe(before?.y);

  await page.locator(".page h1").click();
  await page.keyboard.press("p");
  await page.locator(".roll-headline", { hasText: "Paused" }).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.locator(".roll-headline", { hasText: "Delivering" }).waitFor();
  expect(sent.map((s) => s.path)).toEqual([
    "destinations/d-otlp/retry",
    "destinations/d-otlp/pause",
    "destinations/d-otlp/resume",
  ]);

  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("button", { name: "Remove…" }).click();
  expect(await page.getByRole("dialog").textContent()).toMatch(/38\.4k events that wait.*3 dead letters are deleted/s);
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("heading", { name: "Integrations" }).waitFor();
  expect(rows.map((r) => r.id)).toEqual(["d-standby"]);
  expect(problems).toEqual([]);
  await close();
});

test("dead letters are looked at, mended, sent again, and thrown away, one or all", async () => {
  const { page, problems, sent, close } = await open({ destinations: [failing(Date.now())] });
  await page.goto("/integrations/d/d-otlp");
  await page.getByRole("button", { name: "cart loaded for user 2" }).click();
  const json = page.locator("#letter-json");
  await json.waitFor();
  await expect.poll(() => json.inputValue()).toContain("user.birthday");
  await json.fill("{");
  await page.getByText(/^Not JSON/).waitFor();
  expect(await page.getByRole("button", { name: "Save", exact: true }).isDisabled()).toBe(true);
  await json.fill('{"user.year":1970}');
  await page.getByRole("button", { name: "Save and send again" }).click();
  await page.getByText("Sent: 1 dead letter").waitFor();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  expect(sent.slice(-2)).toEqual([
    { method: "PUT", path: "destinations/d-otlp/dead-letters/2", body: { item: '{"user.year":1970}' } },
    { method: "POST", path: "destinations/d-otlp/dead-letters/replay", body: { ids: [2] } },
  ]);

  await page.getByRole("button", { name: "Throw all 2 away" }).click();
  await page.getByText("Throw 2 dead letters away?").waitFor();
  await page.getByRole("button", { name: "Throw away" }).click();
  await page.getByText("None. What the receiver refuses for good").waitFor();
  expect(sent.at(-1)?.body).toEqual({ ids: "all" });
  expect(problems).toEqual([]);
  await close();
});

test("a Worker is connected with a click, waits for its first event, and shows the line that makes it last", async () => {
  const { page, problems, sent, close } = await open();
  await page.goto("/integrations/workers");
  const row = (name: string) => page.locator(".conn", { has: page.locator(".conn-name", { hasText: name }) });
  await row("mail").waitFor();
  expect(await row("tailrace").textContent()).toContain("never listens to itself");
  expect(await row("shop-cart").textContent()).toMatch(/by its own wrangler\.toml.*also tailed by old-tail/);
  await page.getByRole("button", { name: "Connect mail" }).click();
  await row("mail").getByText("waiting for the first event").waitFor();
  await row("mail").getByText(TOML).waitFor();

  await page.getByRole("button", { name: "Disconnect shop-cart" }).click();
  await page.getByText("the next deploy connects it again").waitFor();
  expect(sent.map((s) => s.method)).toEqual(["PUT"]);
  await page.getByRole("button", { name: "Disconnect shop-cart" }).click();
  await page.getByText("Disconnected: shop-cart").waitFor();
  expect(sent.at(-1)).toMatchObject({ method: "DELETE", path: "connections/shop-cart" });
  expect(problems).toEqual([]);
  await close();
});

test("a resource: its databases are offered, its secrets written, each Worker's result shown, rotated", async () => {
  const { page, problems, sent, close } = await open();
  await page.goto("/integrations/new/turso");
  await page.locator("#f-token").fill("turso-secret");
  await page.locator("#f-organization").fill("shop");
  await page.getByRole("button", { name: "Load the list" }).click();
  await page.locator("select#f-database").selectOption("orders");
  await page.getByRole("button", { name: "Write the secrets" }).click();
  await page.getByText("Choose at least one Worker.").waitFor();
  await page.getByRole("checkbox", { name: "shop-storefront" }).click();
  await page.getByRole("button", { name: "Write the secrets" }).click();
  await page.getByText("Cloudflare has no Worker of that name.").waitFor();
  expect(sent.at(-1)?.body).toEqual({
    integration: "turso",
    name: "Turso",
    values: { token: "turso-secret", organization: "shop", database: "orders" },
    workers: ["shop-storefront"],
  });
  expect(await text(page, ".resource-columns")).toContain("TURSO_AUTH_TOKEN");
  expect(await page.locator(".code-block").allTextContents()).toHaveLength(2);
  await page.getByRole("button", { name: "Rotate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
  await page.getByText("Rotated: Turso, orders, but not in shop-cart").waitFor();
  expect(sent.at(-1)?.path).toBe("resources/r-turso/rotate");
  expect(problems).toEqual([]);
  await close();
});

test("the status page says whether Tailrace is well, what is behind, and what it has counted", async () => {
  const well = await open();
  await well.page.goto("/");
  await well.page.getByRole("link", { name: "Status" }).click();
  await well.page.getByText("Tailrace is ready, and moving").waitFor();
  expect(await text(well.page, ".status-table")).toMatch(/Moving.*Collector, Frankfurt.*12 m/);
  const counters = await text(well.page, ".counters");
  expect(counters).toContain("4.81M");
  expect(counters).toMatch(/delivered\s*182k.*failed\s*57/s);
  expect(await well.page.getByRole("link", { name: "/metrics" }).getAttribute("href")).toBe("/metrics");
  expect(well.problems).toEqual([]);
  await well.close();

  const ill = await open({ failing: true });
  await ill.page.goto("/status");
  await ill.page.getByText("Tailrace is not well").waitFor();
  expect(await text(ill.page, ".roll-answer")).toContain("D1");
  expect(await ill.page.title()).toContain("Failing");
  await ill.close();
});

test("who may only read sees how it goes, and can change nothing", async () => {
  const { page, problems, close } = await open({ scope: "read", destinations: [failing(Date.now())] });
  await page.goto("/integrations/d/d-otlp");
  await page.getByText("It has not answered for 12 minutes").waitFor();
  for (const name of ["Retry now", "Pause", "More", "Send all 3 again"])
    expect(await page.getByRole("button", { name }).count()).toBe(0);
  await page.goto("/integrations/new/sentry");
  await page.getByText("This takes a token of scope admin.").waitFor();
  expect(await page.getByRole("button", { name: "Enable" }).isDisabled()).toBe(true);
  expect(problems).toEqual([]);
  await close();
});

const PAGES = [
  "/integrations",
  "/integrations/new/sentry",
  "/integrations/new/turso",
  "/integrations/d/d-otlp",
  "/integrations/r/r-turso",
  "/integrations/workers",
  "/status",
];

test.each(["light", "dark"] as const)("nothing is wider than a phone, in %s", async (theme) => {
  const { page, problems, close } = await open({ destinations: all(Date.now()) }, { width: 390, height: 844, theme });
  for (const path of PAGES) {
    await page.goto(path);
    await page.locator(".page").waitFor();
    expect([path, await overflow(page)]).toEqual([path, 0]);
  }
  expect(problems).toEqual([]);
  await close();
});
