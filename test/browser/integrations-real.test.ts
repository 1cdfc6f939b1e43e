/**
 * One integration from end to end, as a new user sets it up: a card, an address,
 * a test that arrives, the last hour sent; the receiver is unplugged, and nothing
 * is lost. Everything is real: API, stores, delivery, and the bytes at the receiver.
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openView, startBrowser } from "../support/browser.ts";
import { until } from "../support/client.ts";
import { HostileReceiver } from "../support/hostile-receiver.ts";
import { attributesOf, decodeRequest } from "../support/otlp-requests.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { FAILURE, item } from "./traffic.ts";

/** The Courier sweeps once a minute when a nudge was lost. */
const PATIENCE_MS = 90_000;
const KEY = "a-key-that-nobody-sees-again";

let tailrace: TestStack;
let browser: Browser;
let receiver: HostileReceiver;
beforeAll(async () => {
  [tailrace, browser, receiver] = await Promise.all([startTestStack(), startBrowser(), HostileReceiver.start()]);
});
afterAll(async () => {
  await browser?.close();
  await receiver?.stop();
  await tailrace?.stop();
});

/** Bodies of the log records that arrived, without the test's own. */
const arrived = (from: HostileReceiver): string[] =>
  from.received
    .filter((r) => r.path === "/v1/logs")
    .flatMap((r) => decodeRequest(r))
    .filter((group) => attributesOf(group.resource)["service.name"] !== "tailrace")
    .flatMap((group) => group.records.map((record) => record.body?.stringValue ?? ""));

test("a collector is set up with a card, gets the last hour, is unplugged, and loses nothing", async () => {
  const now = Date.now();
  const line = (text: string, at: number) => item(at, { script: "shop", logs: [{ level: "info", message: [text] }] });
  await tailrace.client.ingest([
    line("before it was set up", now - 20 * 60_000),
    item(now - 10 * 60_000, { script: "shop", failure: FAILURE }),
    item(now - 10 * 60_000, { script: "other", logs: [{ level: "info", message: ["of another Worker"] }] }),
  ]);

  const { page, problems, close } = await openView(browser, tailrace.stack.url);
  await page.goto("/integrations");
  await page.getByText("Nothing is forwarded yet.").waitFor();
  await page.locator(".int-card", { hasText: "OpenTelemetry" }).click();
  await page.locator("#f-endpoint").fill("http://127.0.0.1:9");
  await page.locator("#f-headers").fill(`Authorization: Bearer ${KEY}`);
  await page.getByRole("button", { name: "Test" }).click();
  await page.locator(".test-said.bad").waitFor();
  await page.locator("#f-endpoint").fill(receiver.url);
  await page.getByRole("button", { name: "Test again" }).click();
  await page.locator(".test-said.good").waitFor();
  expect(receiver.received.length).toBeGreaterThan(0);
  expect(receiver.received[0]?.headers.authorization).toBe(`Bearer ${KEY}`);

  await page.getByRole("radio", { name: "Some" }).click();
  await page.getByRole("checkbox", { name: "shop" }).click();
  await page.locator(".preview-feed", { hasText: "Logs" }).getByText("of 2").waitFor();
  await page.getByRole("radio", { name: "The last hour, too" }).click();
  await page.getByRole("button", { name: "Enable" }).click();
  await page.locator(".dest-facts").waitFor();
  const path = new URL(page.url()).pathname;
  expect(path).toMatch(/^\/integrations\/d\//);
  await until(
    () => Promise.resolve(arrived(receiver).join("\n")),
    (bodies) => bodies.includes("before it was set up") && bodies.includes(FAILURE),
    PATIENCE_MS,
  );

  const { port } = receiver;
  await receiver.stop();
  await tailrace.client.ingest([line("while it was away", Date.now())]);
  await page.locator(".roll-headline", { hasText: /Trying again|Failing/ }).waitFor({ timeout: PATIENCE_MS });
  await page.getByText(/Next try in|Trying now/).waitFor();
  receiver = await HostileReceiver.start(port);
  await page.getByRole("button", { name: "Retry now" }).click();
  await page.locator(".roll-headline", { hasText: /Delivering|Idle/ }).waitFor({ timeout: PATIENCE_MS });
  await until(
    () => Promise.resolve(arrived(receiver)),
    (bodies) => bodies.includes("while it was away"),
    PATIENCE_MS,
  );
  expect(arrived(receiver).filter((body) => body === "while it was away")).toHaveLength(1);
  expect(arrived(receiver)).not.toContain("of another Worker");

  // The key went in, and comes out nowhere.
  await page.getByRole("link", { name: "Edit" }).click();
  expect(await page.locator("#f-headers").inputValue()).toBe("");
  expect(await page.locator("#f-headers").getAttribute("placeholder")).toContain("Stored");
  const answers = await Promise.all(
    ["destinations", `destinations/${path.split("/").at(-1)}`, "audit"].map(async (of) =>
      (await page.request.get(`/api/v1/${of}`)).text(),
    ),
  );
  for (const answer of answers) expect(answer).not.toContain(KEY);
  expect(problems).toEqual([]);
  await close();
});
