/**
 * Rollouts as one meets them: is the new version worse and how far is it, taking
 * it back, starting one past preflight, and the account behind it. The pages'
 * answers are fixtures here, so that every state can be looked at; the whole way
 * through a real one is test/system's.
 */
import type { Browser, Page, Request } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { CloudflareAnswer, Rollout, RolloutAnswer } from "../../workers/api/contract.ts";
import { openView, overflow, startBrowser, type View, type ViewOptions } from "../support/browser.ts";
import { until } from "../support/client.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import {
  BLIND,
  blind,
  deployment,
  FRAME,
  LONG,
  NEW,
  OLD,
  preflight,
  REFUSAL,
  rollout,
  running,
  splitDeployment,
  takenBack,
  WARNING,
} from "./rollout-fixtures.ts";
import { item } from "./traffic.ts";

const PATIENCE_MS = 15_000;
const SCRIPT = "shop-storefront";
/** Before it in the alphabet: none can start a rollout. */
const UNKNOWN = "shop-account";
const SPLIT = "shop-basket";
const BUSY = "shop-cart";

let tailrace: TestStack;
let browser: Browser;
beforeAll(async () => {
  [tailrace, browser] = await Promise.all([startTestStack(), startBrowser()]);
  const at = Date.now() - 60_000;
  await tailrace.client.ingest([UNKNOWN, SPLIT, BUSY, SCRIPT].map((script) => item(at, { script })));
});
afterAll(async () => {
  await browser?.close();
  await tailrace?.stop();
});

const CONNECTED: CloudflareAnswer = {
  connected: true,
  accountId: "0123456789abcdef0123456789abcdef",
  tokenHint: "x9Qz",
  verifiedAt: 1,
  problem: null,
};

interface Stub {
  rollouts?: RolloutAnswer[];
  level?: "warn" | "refuse";
  scope?: string;
  account?: CloudflareAnswer;
}

interface Stubbed extends View {
  /** What was asked for by other methods than GET: method, path, body. */
  sent: { method: string; path: string; body: unknown }[];
  /** What the API answers from now on. */
  answers: Map<string, RolloutAnswer>;
}

const isRunning = (r: Rollout): boolean => r.endedAt === null;

/** A page whose rollouts are made up; all else is the real platform. */
async function open(stub: Stub = {}, options: ViewOptions = {}): Promise<Stubbed> {
  const view = await openView(browser, tailrace.stack.url, options);
  const answers = new Map((stub.rollouts ?? []).map((a) => [a.rollout.id, a]));
  const sent: Stubbed["sent"] = [];
  const note = (request: Request, path: string) =>
    sent.push({ method: request.method(), path, body: JSON.parse(request.postData() ?? "null") });

  await view.page.route(/\/api\/v1\/(rollouts|cloudflare|workers\/[^/]+\/deployment|session)/, async (route) => {
    const request = route.request();
    const url = new URL(request.url());
    const path = url.pathname.replace("/api/v1/", "");
    if (request.method() !== "GET") note(request, path);
    const [kind, id, verb] = path.split("/");
    if (kind === "session") {
      if (stub.scope === undefined) return route.continue();
      return route.fulfill({ json: { actor: "somebody", scope: stub.scope } });
    }
    if (kind === "cloudflare") return route.fulfill({ json: stub.account ?? CONNECTED });
    if (kind === "workers" && id === UNKNOWN)
      return route.fulfill({
        status: 404,
        json: { error: { code: "not_found", message: "Cloudflare has no such one" } },
      });
    if (kind === "workers" && id === BUSY)
      return route.fulfill({ json: { ...deployment(Date.now()), rollout: "busy" } });
    if (kind === "workers")
      return route.fulfill({ json: id === SPLIT ? splitDeployment(Date.now()) : deployment(Date.now()) });
    if (id === "preflight") return route.fulfill({ json: preflight(stub.level) });
    if (id === undefined && request.method() === "POST") {
      const begun = running(Date.now(), { id: "begun" });
      answers.set("begun", begun);
      return route.fulfill({ status: 201, json: begun.rollout });
    }
    if (id === undefined) return route.fulfill({ json: { rollouts: listed([...answers.values()], url.searchParams) } });
    const answer = answers.get(id);
    if (answer === undefined)
      return route.fulfill({ status: 404, json: { error: { code: "not_found", message: "?" } } });
    if (verb === "evidence")
      return route.fulfill({ contentType: "text/markdown", body: "# Rollout of shop-storefront" });
    return route.fulfill({ json: verb === undefined ? answer : answer.rollout });
  });
  return { ...view, sent, answers };
}

function listed(answers: RolloutAnswer[], params: URLSearchParams): Rollout[] {
  const state = params.get("state");
  return answers
    .map((a) => a.rollout)
    .filter((r) => (params.get("script") ?? r.script) === r.script)
    .filter((r) => (state === "running" ? isRunning(r) : state === "ended" ? !isRunning(r) : r.state === state));
}

const hrefOf = ({ rollout: r }: RolloutAnswer) => `/rollouts/${r.id}`;
const text = (page: Page, selector: string) => page.locator(selector).textContent();

test("a running rollout says whether the new version is worse, how far it is, and follows what happens", async () => {
  const now = Date.now();
  const answer = running(now);
  const { page, problems, answers, close } = await open({ rollouts: [answer] });
  await page.goto(hrefOf(answer));
  await page.getByText("Not known yet whether the new version is worse").waitFor();
  const head = await text(page, ".roll-versions");
  for (const part of [OLD.tag, OLD.message, NEW.tag, NEW.message]) expect(head).toContain(part);
  expect(await text(page, ".roll-facts")).toMatch(/5 %\s*step 2 of 5/);
  expect(await text(page, ".rail-step.here")).toContain("3 m of 5 m");
  expect(await page.locator(".rail-step").count()).toBe(5);
  await page.locator(".u-over").nth(2).waitFor();

  const gates = await text(page, ".gates");
  expect(gates).toContain("Not known yet");
  expect(gates).toContain("1.1 % against 0.9 % is within chance");
  expect(gates).toContain("−0.81 to +1.6");
  expect(gates).toContain("nothing to compare");
  const last = page.locator(".roll-facts ~ section .gates tbody tr");
  expect(await last.nth(3).textContent()).toMatch(/queue batches.*Too rare.*no step waits for it/);
  expect(await last.nth(4).textContent()).toMatch(/CPU time.*Not compared.*no step waits for it/);
  expect(await text(page, ".gates-left")).toMatch(/CPU.*queue batches; Durable Object calls; scheduled runs/);
  expect(await text(page, ".roll-facts")).toMatch(
    /Next.*25 %\s*in 2 m at the earliest.*waits for error rate of requests/,
  );
  const legend = await text(page, ".legend-row");
  for (const part of [OLD.tag, OLD.message, NEW.tag, NEW.message]) expect(legend).toContain(part);

  // The guard takes it back while one looks: the page says so by itself, and stands still then.
  const before = await page.locator(".roll-facts").boundingBox();
  const after = takenBack(now);
  answers.set(answer.rollout.id, { ...after, rollout: { ...after.rollout, id: answer.rollout.id } });
  await page.getByText("The new version is worse, and was taken back").waitFor();
  expect((await page.locator(".roll-facts").boundingBox())?.y).toBe(before?.y);
  expect(await page.getByRole("button", { name: "Take back" }).count()).toBe(0);
  expect(problems).toEqual([]);
  await close();
});

test("a rollout that was taken back names the line, and its record shows what was seen and what Cloudflare said", async () => {
  const answer = takenBack(Date.now());
  const { page, problems, close } = await open({ rollouts: [answer] });
  await page.goto(hrefOf(answer));
  await page.getByText("The new version is worse, and was taken back").waitFor();
  const facts = await text(page, ".roll-facts");
  expect(facts).toContain(FRAME);
  expect(facts).toMatch(/33 %\s*against 0\.95 %/);
  expect(await page.locator(".gates tbody tr").first().textContent()).toMatch(/Error rate of requests.*Worse/);
  const issue = page.locator(".roll-columns .new-issue").first();
  expect(await issue.textContent()).toContain("TypeError Cannot read properties of undefined (reading 'holidays')");
  expect(await issue.getAttribute("href")).toBe("/issues/42");

  await page.locator(".record summary", { hasText: "Take it back." }).click();
  await page.locator(".record-details .gates").getByText("+21 to +44").waitFor();
  await page.locator(".record summary", { hasText: "Set v1 to 100 %" }).click();
  expect(await page.locator(".record-action").textContent()).toMatch(/100 %.*v1.*Done.*status 200/);

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download the record" }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^rollout-.*\.md$/);
  expect(problems).toEqual([]);
  await close();
});

test("while the guard cannot see, the page says what is missing and that it holds", async () => {
  const answer = blind(Date.now());
  const { page, problems, close } = await open({ rollouts: [answer] });
  await page.goto(hrefOf(answer));
  await page.getByText("Held: the guard cannot see enough at present").waitFor();
  await page.getByText(BLIND).waitFor();
  expect(await text(page, ".roll-answer")).toContain("counts neither as soak nor towards the limit");
  expect(await text(page, ".roll-facts")).toContain("held until the guard sees again");
  expect(problems).toEqual([]);
  await close();
});

test("taking back asks first and says what will happen; keys do the same; a pause is undone in its toast", async () => {
  const answer = running(Date.now());
  const { page, problems, sent, close } = await open({ rollouts: [answer] });
  await page.goto(hrefOf(answer));
  await page.getByRole("button", { name: "Take back" }).click();
  const dialog = page.getByRole("dialog");
  expect(await dialog.textContent()).toMatch(/All traffic goes to\s*v1.*at once.*now it has 5 %.*start a new one/s);
  await page.keyboard.press("Escape");
  await page.locator(".ask").waitFor({ state: "detached" });
  expect(sent).toEqual([]);

  await page.keyboard.press("b");
  await dialog.getByLabel("Why").fill("wrong prices");
  await dialog.getByRole("button", { name: /^Take back v2/ }).click();
  await page.getByText(`Asked to take it back: ${SCRIPT}`).waitFor();
  expect(sent).toEqual([
    { method: "POST", path: `rollouts/${answer.rollout.id}/abort`, body: { reason: "wrong prices" } },
  ]);

  await page.keyboard.press("p");
  await dialog.getByLabel("To").selectOption("50");
  await dialog.getByText("It is not known yet whether the new version is worse.").waitFor();
  await dialog.getByRole("button", { name: "Promote to 50 %" }).click();
  await until(
    () => Promise.resolve(sent.length),
    (n) => n === 2,
    PATIENCE_MS,
  );
  expect(sent[1]).toMatchObject({ path: `rollouts/${answer.rollout.id}/promote`, body: { percent: 50 } });

  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByRole("status").getByRole("button", { name: "Undo" }).click();
  await until(
    () => Promise.resolve(sent.map((s) => s.path.split("/").at(-1))),
    (verbs) => verbs.join() === "abort,promote,pause,resume",
    PATIENCE_MS,
  );
  expect(problems).toEqual([]);
  await close();
});

test("who may only read sees how it goes, and no button that changes it", async () => {
  const answer = running(Date.now());
  const { page, sent, close } = await open({ rollouts: [answer], scope: "read" });
  await page.goto(hrefOf(answer));
  await page.locator(".gates").waitFor();
  for (const name of ["Take back", "Promote now", "Pause"])
    expect(await page.getByRole("button", { name, exact: true }).count()).toBe(0);
  await page.keyboard.press("b");
  expect(await page.getByRole("dialog").count()).toBe(0);
  await page.goto("/rollouts");
  await page.locator(".rollouts-row").waitFor();
  expect(await page.getByRole("button", { name: "Start a rollout" }).count()).toBe(0);
  await page.goto("/settings/cloudflare");
  await page.getByText("Connected; Cloudflare accepted the token").waitFor();
  expect(await page.getByRole("button", { name: "Disconnect" }).count()).toBe(0);
  expect(sent).toEqual([]);
  await close();
});

describe("starting one", () => {
  test("what preflight warns of has to be ticked; then the chosen version goes out by the changed plan", async () => {
    const { page, problems, sent, close } = await open({ level: "warn" });
    await page.goto(`/workers/${SCRIPT}`);
    await page.getByRole("button", { name: "Start a rollout" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(WARNING).waitFor();
    const start = dialog.getByRole("button", { name: /^Start v2/ });
    expect(await start.isDisabled()).toBe(true);
    await dialog.locator(".start-plan summary").click();
    await dialog.getByLabel("Step 1, percentage").fill("2");
    await dialog.getByLabel("its p99 CPU time is", { exact: true }).click();
    await dialog.getByLabel(/I have read it/).click();
    await dialog.getByRole("button", { name: /at 2 %$/ }).click();
    await page.waitForURL("**/rollouts/begun");
    const start_ = sent.findLast((s) => s.path === "rollouts")?.body as Record<string, unknown>;
    expect(start_).toMatchObject({ script: SCRIPT, version: NEW.id, force: true });
    expect(start_.plan).toMatchObject({ gates: { cpu: null }, mode: "act" });
    expect((start_.plan as Rollout["plan"]).steps[0]).toEqual({ percent: 2, soakMinutes: 5 });
    expect(problems).toEqual([]);
    await close();
  });

  test("what preflight refuses cannot be started, and says why; a plan that makes no sense is told at once", async () => {
    const { page, problems, sent, close } = await open({ level: "refuse" });
    await page.goto("/rollouts");
    await page.getByRole("button", { name: "Start a rollout" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(REFUSAL).waitFor();
    expect(await dialog.getByRole("button", { name: /^Start v2/ }).isDisabled()).toBe(true);
    await dialog.getByText("It cannot start like this").waitFor();
    await dialog.locator(".start-plan summary").click();
    await dialog.getByLabel("Step 2, percentage").fill("0.5");
    await dialog.getByText("Step 2: each step gives the new version more than the one before.").waitFor();
    expect(sent.some((s) => s.path === "rollouts")).toBe(false);
    expect(problems).toEqual([]);
    await close();
  });
});

test("the dialog opens with a Worker that can start one, and says of the others why not", async () => {
  const busy = running(Date.now(), { id: "busy", script: BUSY });
  const { page, problems, close } = await open({ rollouts: [busy] });
  await page.goto("/rollouts");
  await page.getByRole("button", { name: "Start a rollout" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /^Start v2/ }).waitFor();
  const choice = dialog.getByLabel("Worker");
  expect(await choice.inputValue()).toBe(SCRIPT);
  expect(await choice.locator("option").allTextContents()).toEqual([
    `${UNKNOWN} (not at Cloudflare)`,
    `${SPLIT} (split already)`,
    `${BUSY} (a rollout runs)`,
    SCRIPT,
  ]);
  await choice.selectOption(BUSY);
  await dialog.getByText("that ends first").waitFor();
  expect(await dialog.getByRole("link", { name: "Show it" }).getAttribute("href")).toBe("/rollouts/busy");
  await choice.selectOption(UNKNOWN);
  await dialog.getByText("has no Worker of this name").waitFor();
  expect(problems.filter((problem) => !problem.includes("404"))).toEqual([]);
  await close();
});

/** Texts that reach out of their column, where the next one stands. */
const spilled = (page: Page): Promise<string[]> =>
  page.locator(".rollouts-row > a > :not(.rr-reason)").evaluateAll((columns) =>
    columns.flatMap((column) => {
      const { left, right } = column.getBoundingClientRect();
      return [...column.querySelectorAll(":scope > *")]
        .filter((e) => e.getBoundingClientRect().left < left - 1 || e.getBoundingClientRect().right > right + 1)
        .map((e) => e.textContent ?? "");
    }),
  );

test.each([1440, 1200, 1024, 390])("no column of the list lies on another in a window of %i px", async (width) => {
  const now = Date.now();
  const long = {
    old: LONG,
    new: { ...LONG, id: `${NEW.id}9` },
    script: "a-worker-with-quite-a-long-name-for-checkout",
  };
  const watched = running(now, { id: "watched", isWatched: true, step: 0, percent: 12.5, ...long });
  const early = running(now, { id: "early", step: -1, percent: 0, startedAt: now - 3 * 86_400_000, ...long });
  const ended = (id: string, part: Partial<Rollout>): RolloutAnswer => ({
    ...takenBack(now),
    rollout: { ...takenBack(now).rollout, id, ...part },
  });
  const { page, problems, close } = await open(
    {
      rollouts: [
        watched,
        early,
        takenBack(now),
        ended("byhand", { state: "aborted" }),
        ended("other", { state: "stopped", isWatched: true, ...long }),
      ],
    },
    { width },
  );
  await page.goto("/rollouts");
  await page.locator(".rollouts-row").nth(4).waitFor();
  expect(await spilled(page)).toEqual([]);
  expect(await overflow(page)).toBe(0);
  expect(problems).toEqual([]);
  await close();
});

test("the list has those that run first, filters by outcome, and a rollout that runs shows on other pages", async () => {
  const now = Date.now();
  const promoted: RolloutAnswer = {
    ...takenBack(now),
    rollout: rollout(now, { id: "promoted", state: "promoted", endedAt: now, step: 4, percent: 100 }),
  };
  const { page, problems, close } = await open({ rollouts: [takenBack(now), promoted, running(now)] });
  await page.goto("/rollouts");
  await page.locator(".rollouts-row").nth(2).waitFor();
  const first = await page.locator(".rollouts-row").first().textContent();
  for (const part of ["Running", SCRIPT, OLD.tag, NEW.message, "5 %", "step 2 of 5", "by ci"])
    expect(first).toContain(part);
  await page.getByLabel("Outcome").selectOption("promoted");
  await page.locator(".rollouts-row").nth(1).waitFor({ state: "detached" });
  expect(new URL(page.url()).searchParams.get("state")).toBe("promoted");
  await page.getByLabel("Outcome").blur();
  // Once more where it came before the filtered list took keys: with one row, it stays on that.
  await vi.waitFor(
    async () => {
      await page.keyboard.press("j");
      await page.locator(".rollouts-row.active").waitFor({ timeout: 1_000 });
    },
    { timeout: 15_000, interval: 100 },
  );
  await page.keyboard.press("Enter");
  await page.waitForURL("**/rollouts/promoted**");

  for (const path of ["/", `/workers/${SCRIPT}`]) {
    await page.goto(path);
    const line = page.locator(".running-line");
    await line.waitFor();
    expect(await line.textContent()).toMatch(/Running.*v2.*at 5 %, step 2 of 5.*Not known yet/);
  }
  await page.locator(".running-line").click();
  await page.waitForURL(`**${hrefOf(running(now))}`);
  expect(problems).toEqual([]);
  await close();
});

test("without rollouts the list says how to begin, and without an account where to connect one", async () => {
  const account = { connected: false, accountId: null, tokenHint: null, verifiedAt: null, problem: null };
  const { page, problems, sent, close } = await open({ account });
  await page.goto("/rollouts");
  await page.getByText("npx tailrace deploy --gradual").waitFor();
  await page.getByRole("link", { name: "Connect the account" }).click();
  await page.waitForURL("**/settings/cloudflare");
  await page.getByText("Account · Workers Scripts · Edit").waitFor();
  await page.getByLabel("Account ID").fill("0123456789abcdef0123456789abcdef");
  const token = page.getByLabel("API token");
  expect(await token.getAttribute("type")).toBe("password");
  await token.fill("a-token-that-nobody-sees");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await until(
    () => Promise.resolve(sent.length),
    (n) => n === 1,
    PATIENCE_MS,
  );
  expect(sent[0]).toEqual({
    method: "PUT",
    path: "cloudflare",
    body: { accountId: "0123456789abcdef0123456789abcdef", token: "a-token-that-nobody-sees" },
  });
  expect(problems).toEqual([]);
  await close();
});

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  test.each([360, 1440])("no page of rollouts is wider than a window of %i px", async (width) => {
    const now = Date.now();
    const steps = Array.from({ length: 20 }, (_, i) => ({ percent: (i + 1) * 5, soakMinutes: 10 }));
    const many = running(now, {
      id: "many",
      script: "a-worker-with-quite-a-long-name-for-the-checkout-of-the-northern-region",
      old: LONG,
      new: { ...LONG, id: `${NEW.id}9` },
      plan: { ...rollout(now).plan, steps },
    });
    const { page, problems, close } = await open({ rollouts: [many, takenBack(now)], level: "warn" }, { theme, width });
    for (const [path, ready] of [
      ["/rollouts", ".rollouts-row"],
      [hrefOf(many), ".gates"],
      [hrefOf(takenBack(now)), ".gates"],
      ["/settings/cloudflare", ".account-facts"],
    ] as const) {
      await page.goto(path);
      await page.locator(ready).first().waitFor({ state: "attached" });
      expect([path, await overflow(page)]).toEqual([path, 0]);
    }
    expect(problems).toEqual([]);
    await close();
  });
});
