/**
 * Projects, by where they run and what they need:
 *   check    types, lint, import rules, dead code, sizes (needs a build)
 *   unit     pure code, in Node
 *   workers  code that needs the runtime, inside workerd, with the bindings of wrangler.toml (files that need the stores for themselves: workers-alone)
 *   system   the whole stack over HTTP, one file after the other
 *   browser  the dashboard in a real browser, one file after the other
 * `npm test` (scripts/test.mjs) runs them all.
 */
import { resolve } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** A stack that starts, is killed, and starts again, several times over, on two cores. */
const SYSTEM_TIMEOUT_MS = 180_000;
const SYSTEM_HOOK_TIMEOUT_MS = 120_000;
/** Cold modules in workerd while other work keeps both cores busy. */
const WORKERS_TIMEOUT_MS = 30_000;

/** Property tests and DuckDB, while other work keeps both cores busy. */
const UNIT_TIMEOUT_MS = 30_000;
/** A whole program per check. */
const CHECK_TIMEOUT_MS = 60_000;

/** Tests that look at all there is (lists, totals, crons), so that they need stores that no other file has written to. */
const WHOLE_STORE = [
  "test/workers/api/**/*.test.ts",
  "test/workers/store/**/*.test.ts",
  "test/workers/delivery/source/kept.test.ts",
  "test/workers/issues/forget.test.ts",
  "test/workers/issues/notify.test.ts",
  "test/workers/secrets/**/*.test.ts",
  // Counts the timers of hubs: those of other files must not be there.
  "test/workers/live/idle.test.ts",
];

/**
 * With isolation each file has an isolate and stores of its own, which takes more
 * than a second; without it, files share them and go by names that are theirs.
 */
function inWorkerd(name: string, files: { include: string[]; exclude?: string[]; isolate?: false }) {
  return {
    plugins: [
      cloudflareTest(async () => ({
        wrangler: { configPath: "./wrangler.toml" },
        miniflare: {
          bindings: {
            TEST_MIGRATIONS: await readD1Migrations("./migrations"),
            TAILRACE_ADMIN_TOKEN: "test-admin-token",
            // Base64 of "a key of thirty-two bytes, tests".
            TAILRACE_SECRET_KEY: "YSBrZXkgb2YgdGhpcnR5LXR3byBieXRlcywgdGVzdHM=",
            // Nobody answers there: what must be answered is a test's own.
            CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:9/client/v4",
            // Receivers of tests are on this machine.
            TAILRACE_ALLOW_LOOPBACK: "true",
          },
        },
      })),
    ],
    test: {
      name,
      ...files,
      globalSetup: ["./test/support/dashboard-directory.ts"],
      setupFiles: ["./test/support/apply-migrations.ts"],
      testTimeout: WORKERS_TIMEOUT_MS,
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "check",
          environment: "node",
          include: ["test/check/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: CHECK_TIMEOUT_MS,
        },
      },
      {
        resolve: { alias: { "cloudflare:workers": resolve("test/support/workers-runtime.ts") } },
        test: {
          name: "unit",
          environment: "node",
          include: ["test/unit/**/*.test.ts"],
          testTimeout: UNIT_TIMEOUT_MS,
        },
      },
      inWorkerd("workers", { include: ["test/workers/**/*.test.ts"], exclude: WHOLE_STORE, isolate: false }),
      inWorkerd("workers-alone", { include: WHOLE_STORE }),
      {
        test: {
          name: "system",
          environment: "node",
          include: ["test/system/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: SYSTEM_TIMEOUT_MS,
          hookTimeout: SYSTEM_HOOK_TIMEOUT_MS,
        },
      },
      {
        test: {
          name: "browser",
          environment: "node",
          include: ["test/browser/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: SYSTEM_TIMEOUT_MS,
          hookTimeout: SYSTEM_HOOK_TIMEOUT_MS,
        },
      },
    ],
  },
});
