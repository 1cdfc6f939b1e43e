/**
 * `npm test`: everything that proves Tailrace, in one command.
 *
 *   npm test                     all of it
 *   npm test -- unit workers     these projects (check, unit, workers, system, browser)
 *   npm test -- sealing          test files whose path has this in it
 *
 * Sets up what is missing, builds, runs one vitest per project (a crash or a
 * hang of one does not take the others' results with it), and ends with one
 * line that adds up the runners' own reports in .reports/: `N passed, N failed`.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./lib/complaint.mjs";
import { prepare, ROOT, toolEnv } from "./lib/toolchain.mjs";

/**
 * Longest that one project may take, ms: some three times what it does on two quiet cores, so that a busy machine
 * is no failure; a hang must not eat the rest.
 */
const PROJECTS = [
  { name: "check", limitMs: 120_000, needsBuild: false },
  // Longer than a file in which every DuckDB test hangs until its own limit, so that the report names it.
  { name: "unit", limitMs: 420_000, needsBuild: false },
  { name: "workers", limitMs: 600_000, needsBuild: false },
  { name: "system", limitMs: 1_500_000, needsBuild: true },
  { name: "browser", limitMs: 600_000, needsBuild: true },
];
const REPORTS = join(ROOT, ".reports");
/** Between SIGTERM and SIGKILL of a runner that hangs. */
const GRACE_MS = 5_000;

run(async () => {
  const args = process.argv.slice(2);
  await prepare(fileURLToPath(import.meta.url), args);
  const names = PROJECTS.map((project) => project.name);
  const filters = args.filter((arg) => !names.includes(arg));
  const chosen = PROJECTS.filter(({ name }) => args.length === filters.length || args.includes(name));

  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  const built = build();
  const rows = built ? [] : [{ name: "build", passed: 0, failed: 1, skipped: 0, seconds: 0, note: "the build failed" }];
  for (const project of chosen) if (built || !project.needsBuild) rows.push(await runProject(project, filters));
  printSummary(rows);
});

function build() {
  console.log("Building …");
  const result = spawnSync(process.execPath, ["scripts/build.mjs"], {
    cwd: ROOT,
    env: toolEnv(),
    stdio: ["ignore", "inherit", "inherit"],
  });
  return result.status === 0;
}

async function runProject({ name, limitMs }, filters) {
  console.log(`\n── ${name} ${"─".repeat(70 - name.length)}`);
  const report = join(REPORTS, `${name}.json`);
  const started = Date.now();
  const exit = await runVitest(
    ["run", "--project", `${name}*`, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`].concat(
      filters.length > 0 ? ["--passWithNoTests", ...filters] : [],
    ),
    limitMs,
  );
  return { name, seconds: (Date.now() - started) / 1000, ...readReport(report, exit, filters.length > 0) };
}

/** The runner's exit code, or what went wrong with it. Its whole process group ends with it. */
function runVitest(vitestArgs, limitMs) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(ROOT, "node_modules/vitest/dist/cli.js"), ...vitestArgs], {
      cwd: ROOT,
      env: toolEnv(),
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
    let overtime = false;
    const limit = setTimeout(() => {
      overtime = true;
      signal(child, "SIGTERM");
      setTimeout(() => signal(child, "SIGKILL"), GRACE_MS).unref();
    }, limitMs);
    const forward = (name) => {
      signal(child, name);
      process.exit(130);
    };
    process.once("SIGINT", forward);
    process.once("SIGTERM", forward);
    child.on("exit", (code) => {
      clearTimeout(limit);
      process.off("SIGINT", forward);
      process.off("SIGTERM", forward);
      signal(child, "SIGKILL");
      resolve(overtime ? `over its ${limitMs / 1000} s` : (code ?? "killed"));
    });
  });
}

function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch {
    // The group is gone already.
  }
}

/** Counts from the report; whatever went wrong beside the tests counts as one failure. */
function readReport(path, exit, filtered) {
  let report;
  try {
    report = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: 0, note: `no report (runner: ${exit})` };
  }
  const passed = report.numPassedTests;
  const skipped = report.numPendingTests + report.numTodoTests;
  // A file that cannot be loaded has no tests of its own to count as failed.
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  let failed = report.numFailedTests + broken;
  const notes = [];
  if (broken > 0) notes.push(`${broken} file(s) did not load`);
  if (exit !== 0 && failed === 0) {
    failed = 1;
    notes.push(`runner: ${exit}`);
  }
  if (passed + failed === 0 && !filtered) {
    failed = 1;
    notes.push("no tests");
  }
  return { passed, failed, skipped, note: notes.join(", ") };
}

function size(name) {
  try {
    return JSON.parse(readFileSync(join(REPORTS, `size-${name}.json`), "utf8"));
  } catch {
    return undefined;
  }
}

function printSummary(rows) {
  console.log(`\n── summary ${"─".repeat(63)}`);
  for (const row of rows) {
    const counts = `${String(row.passed).padStart(5)} passed ${String(row.failed).padStart(4)} failed`;
    console.log(`${row.name.padEnd(9)}${counts}  ${row.seconds.toFixed(0).padStart(4)} s  ${row.note}`.trimEnd());
  }
  const bundle = size("bundle");
  const dashboard = size("dashboard");
  if (bundle) console.log(`bundle: ${bundle.kib} KiB / gzip ${bundle.gzipKib} KiB`);
  if (dashboard) console.log(`dashboard, first load: gzip ${dashboard.gzipKib} KiB of JavaScript`);
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  const skipped = sum("skipped") > 0 ? `, ${sum("skipped")} skipped` : "";
  const failed = sum("passed") + sum("failed") === 0 ? 1 : sum("failed");
  const closing = `${sum("passed")} passed, ${failed} failed${skipped}`;
  writeFileSync(join(REPORTS, "closing-line.txt"), `${closing}\n`);
  console.log(closing);
  process.exitCode = failed === 0 ? 0 : 1;
}
