/** `tailrace rollout` as a process, against a platform that a test moves on: what it starts, what it prints, how it ends. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Rollout, StartRollout } from "../../workers/api/contract.ts";
import { runCli, startCli } from "../support/cli.ts";
import { until } from "../support/client.ts";
import { FakeRollouts } from "../support/fake-rollouts.ts";

const DEADLINE_MS = 20_000;

let tailrace: FakeRollouts;
let dir: string;
beforeEach(async () => {
  tailrace = await FakeRollouts.start();
  dir = mkdtempSync(join(tmpdir(), "tailrace-cli-"));
});
afterEach(async () => {
  await tailrace.stop();
  rmSync(dir, { recursive: true, force: true });
});

const run = (...args: string[]) => runCli(["rollout", ...args], { url: tailrace.url, cwd: dir });
const start = (...more: string[]) => run("start", "shop", "--version", "v2", ...more);
const started = () => tailrace.asked.find(({ method, path }) => method === "POST" && path === "/api/v1/rollouts")?.body;

describe("start", () => {
  test("prints what preflight finds, begins with the plan that was asked for, and says how to follow", async () => {
    tailrace.findings = [{ level: "info", code: "x", message: "Good to know." }];
    writeFileSync(join(dir, "plan.json"), JSON.stringify({ minSamples: 7, steps: [{ percent: 100, soakMinutes: 0 }] }));
    const { code, stdout, stderr } = await start("--plan", "plan.json", "--steps", "10:1m,100", "--gate", "errors=2%");
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/note: Good to know\.[\s\S]*has begun[\s\S]*tailrace rollout abort shop/);
    expect(stdout).toBe(`${tailrace.rollouts[0]?.id}\n`);
    expect(started()).toMatchObject({
      script: "shop",
      version: "v2",
      force: false,
      plan: {
        minSamples: 7,
        steps: [
          { percent: 10, soakMinutes: 1 },
          { percent: 100, soakMinutes: 0 },
        ],
        gates: { errors: { minEffect: 0.02 } },
      },
    });
  });

  test("starts nothing that preflight refuses, nor, without --force, what it warns of", async () => {
    tailrace.findings = [{ level: "warn", code: "secret_changed", message: "A secret changed." }];
    const warned = await start();
    expect(warned.code).toBe(7);
    expect(warned.stderr).toMatch(/warning: A secret changed\.\n[\s\S]*--force/);
    expect(tailrace.changes).toEqual([]);
    const forced = await start("--force");
    expect(forced.code, forced.stderr).toBe(0);
    expect((started() as StartRollout).force).toBe(true);

    tailrace.rollouts.length = 0;
    tailrace.findings = [{ level: "refuse", code: "migration_differs", message: "It could not come back." }];
    const refused = await start("--force");
    expect(refused.code).toBe(7);
    expect(refused.stderr).toMatch(/refused: It could not come back\.\nerror: Nothing was started/);
    expect(tailrace.rollouts).toEqual([]);
  });

  test("as a dry run asks only", async () => {
    const fine = await start("--dry-run", "--json");
    expect([fine.code, (JSON.parse(fine.stdout) as { ok: boolean }).ok]).toEqual([0, true]);
    tailrace.findings = [{ level: "refuse", code: "x", message: "No." }];
    expect((await start("--dry-run")).code).toBe(7);
    expect(tailrace.changes).toEqual([]);
  });

  test("whose answer is lost begins one rollout, not two, also when that is over by then", async () => {
    tailrace.lost = ["POST /api/v1/rollouts"];
    tailrace.fate = { after: 0, change: { state: "rolled_back" } };
    const { code, stderr } = await start("--watch");
    expect(code, stderr).toBe(4);
    expect(tailrace.changes).toHaveLength(2);
    expect(tailrace.rollouts).toHaveLength(1);
  });

  test("joins a rollout of the same version, and leaves one of another alone", async () => {
    const running = tailrace.begin();
    tailrace.findings = [{ level: "refuse", code: "rollout_running", message: "A rollout runs already." }];
    tailrace.fate = { after: 1, change: { state: "promoted" } };
    const joined = await start("--watch");
    expect(joined.code, joined.stderr).toBe(0);
    expect(joined.stderr).toContain("A rollout of this version runs already");

    Object.assign(running, { endedAt: null, state: "running", new: { id: "v9", tag: "", message: "" } });
    const other = await start("--watch");
    expect(other.code).toBe(7);
    expect(other.stderr).toMatch(/a rollout of shop runs already, of version v9.*rollout abort shop/);
    expect(tailrace.changes).toEqual([]);
  });
});

describe("watching", () => {
  test("prints a line per change, and ends with the rollout's exit code", async () => {
    tailrace.begin();
    tailrace.fate = { after: 1, change: { state: "rolled_back" } };
    const { code, stdout, stderr } = await run("status", "shop", "--watch");
    expect(code, stderr).toBe(4);
    expect(stdout).toMatch(/^\d\d:\d\d:\d\d {2}To 1 %\.\n\d\d:\d\d:\d\d {2}It ends: /);
  });

  test("survives Tailrace being away", async () => {
    tailrace.begin();
    const watching = startCli(["rollout", "status", "shop", "--watch"], { url: tailrace.url });
    await until(
      async () => watching.printed.stdout,
      (text) => text.includes("To 1 %."),
      DEADLINE_MS,
    );
    tailrace.away = 2;
    await until(
      async () => tailrace.away,
      (left) => left === 0,
      DEADLINE_MS,
    );
    tailrace.fate = { after: 0, change: { state: "promoted" } };
    const { code, stderr } = await watching.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/cannot be reached \(no answer\)\. The rollout goes on without us[\s\S]*is back after/);
  });

  test("left by Ctrl-C changes nothing, and says how to go on", async () => {
    const rollout = tailrace.begin();
    const watching = startCli(["rollout", "status", rollout.id, "--watch"], { url: tailrace.url });
    await until(
      async () => watching.printed.stdout,
      (text) => text.includes("To 1 %."),
      DEADLINE_MS,
    );
    watching.child.kill("SIGINT");
    const { code, stderr } = await watching.ended;
    expect(code).toBe(5);
    expect(stderr).toContain("the rollout goes on at 1 % without you");
    expect(tailrace.changes).toEqual([]);
  });

  test("ends at --for, with the rollout under way", async () => {
    tailrace.begin();
    const { code, stderr } = await run("status", "shop", "--watch", "--for", "300ms");
    expect(code).toBe(5);
    expect(stderr).toContain("still runs");
  });
});

describe("steering", () => {
  test("names the Worker of what it takes back, gives the reason, and is done when it is confirmed", async () => {
    const rollout = tailrace.begin();
    const { code, stdout, stderr } = await run("abort", "shop", "--reason", "the pager went off");
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("shop: aborted, 0 % with the new version.");
    expect(tailrace.asked.at(-1)).toMatchObject({
      path: `/api/v1/rollouts/${rollout.id}/abort?script=shop`,
      body: { reason: "the pager went off" },
    });
  });

  test("asks for no list when the Worker is named: it works while the database is away", async () => {
    const rollout = tailrace.begin();
    expect((await run("abort", rollout.id, "--worker", "shop")).code).toBe(0);
    expect(tailrace.asked.map(({ path }) => path)).toEqual([`/api/v1/rollouts/${rollout.id}/abort?script=shop`]);
  });

  test("whose answer is lost does once what it says", async () => {
    const rollout = tailrace.begin();
    tailrace.lost = [`POST /api/v1/rollouts/${rollout.id}/promote?script=shop`];
    const promoted = await run("promote", "shop");
    expect(promoted.code, promoted.stderr).toBe(0);
    expect(promoted.stdout).toContain("shop: running, 5 % with the new version.");
    expect(tailrace.changes).toHaveLength(2);

    tailrace.lost = [`POST /api/v1/rollouts/${rollout.id}/abort?script=shop`];
    const aborted = await run("abort", "shop");
    expect(aborted.code, aborted.stderr).toBe(0);
    expect(aborted.stdout).toContain("shop: aborted, 0 %");
    expect((await run("promote", "shop")).code).toBe(1);
  });

  test("of what there is not says so", async () => {
    const { code, stderr } = await run("pause", "nothing");
    expect(code).toBe(1);
    expect(stderr).toContain("there is no rollout of a Worker nothing, and none with that id");
  });
});

describe("looking", () => {
  test("status has an exit code for CI, and JSON", async () => {
    const none = await run("status");
    expect([none.code, none.stderr]).toEqual([0, "No rollout runs. What there was: tailrace rollout list\n"]);
    const rollout = tailrace.begin();
    expect((await run("status")).code).toBe(5);
    Object.assign(rollout, { state: "rolled_back", endedAt: Date.now() });
    const { code, stdout } = await run("status", "shop", "--json");
    expect([code, (JSON.parse(stdout) as { rollout: Rollout }).rollout.id]).toEqual([4, rollout.id]);
  });

  test("the list is lines, or JSON", async () => {
    tailrace.begin({ state: "promoted", endedAt: Date.now(), startedBy: "a\u001b[2Jb" });
    expect((await run("list")).stdout).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d UTC {2}promoted .*shop {2}v2 2\.0 {2}by a\\x1b\[2Jb/,
    );
    expect(JSON.parse((await run("list", "--json")).stdout)).toHaveProperty("rollouts");
  });

  test("the evidence goes to a file as it is, and to a terminal without what that would obey", async () => {
    const rollout = tailrace.begin();
    expect((await run("evidence", rollout.id)).stdout).toBe("# Rollout\n\nA \\x1b[31mred\\x1b[0m line.\n");
    const { code, stderr } = await run("evidence", rollout.id, "-o", "report.md");
    expect([code, stderr]).toEqual([0, "Written to report.md.\n"]);
    expect(readFileSync(join(dir, "report.md"), "utf8")).toContain("\u001b[31mred");
  });
});
