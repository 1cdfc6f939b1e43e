/**
 * A real Chromium (it comes from npm) for the tests of the dashboard. Every page
 * collects what must not happen: uncaught errors, violations of the
 * Content-Security-Policy, and requests to other hosts.
 */
import chromium from "@sparticuz/chromium";
import { type Browser, type BrowserContext, type Page, chromium as playwright } from "playwright-core";
import { until } from "./client.ts";
import { ADMIN_TOKEN } from "./stack.ts";

/**
 * Not the package's own list: that one is for a serverless function (a single
 * process, web security off), and this is a test of a browser as people have it.
 * Chromium's own traffic is off: it has no place to go on a closed network.
 */
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** Two cores, shared with workerd and whatever else runs. */
const PATIENCE_MS = 15_000;

export async function startBrowser(): Promise<Browser> {
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    args: ARGS,
    headless: true,
  });
}

export interface View {
  page: Page;
  /** Errors, violations and strangers so far; a test expects none. */
  problems: string[];
  close(): Promise<void>;
}

export interface ViewOptions {
  width?: number;
  height?: number;
  theme?: "light" | "dark";
  /** false: nobody is logged in. */
  loggedIn?: boolean;
}

/** A fresh browser profile, logged in by cookie as the log-in page would do it. */
export async function openView(browser: Browser, url: string, options: ViewOptions = {}): Promise<View> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.theme ?? "light",
    reducedMotion: "reduce",
    serviceWorkers: "block",
  });
  context.setDefaultTimeout(PATIENCE_MS);
  if (options.loggedIn ?? true) await logIn(context);
  const page = await context.newPage();
  return { page, problems: await watch(context, page, url), close: () => context.close() };
}

async function logIn(context: BrowserContext): Promise<void> {
  const answer = await context.request.post("/api/v1/session", { data: { token: ADMIN_TOKEN } });
  if (!answer.ok()) throw new Error(`log-in answered ${answer.status()}: ${await answer.text()}`);
}

async function watch(context: BrowserContext, page: Page, url: string): Promise<string[]> {
  const problems: string[] = [];
  await context.exposeFunction("reportViolation", (text: string) => problems.push(`CSP: ${text}`));
  await context.addInitScript(
    `addEventListener("securitypolicyviolation", (e) => reportViolation(e.violatedDirective + " " + e.blockedURI))`,
  );
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (/Content.Security.Policy/i.test(message.text())) problems.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) problems.push(`left: ${request.url()}`);
  });
  return problems;
}

/** Waits until an expression is true in the page. Playwright's own wait polls with eval, which the CSP refuses. */
export async function holds(page: Page, expression: string): Promise<void> {
  await until(() => page.evaluate(expression), Boolean, PATIENCE_MS);
}

/** How far the page is wider than the window, in px. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
