/**
 * What gets uploaded and what a browser loads first, in gzip KiB, against a
 * budget. The figures go to .reports/sizes.json; `npm test` prints them.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dashboardFirstLoad, workerBundle } from "../../scripts/lib/sizes.mjs";

/** A Worker may have 10 MiB (gzip), and one second to start, which takes longer the more there is (decision 33). */
const WORKER_BUDGET_KIB = 450;
/** First load of the dashboard: the floor of the product's own figures. */
const DASHBOARD_BUDGET_KIB = 80;

function record(name: string, size: { gzipKib: number }): void {
  mkdirSync(".reports", { recursive: true });
  writeFileSync(`.reports/size-${name}.json`, JSON.stringify(size));
}

test(`the Worker's bundle stays under ${WORKER_BUDGET_KIB} KiB (gzip)`, async () => {
  const size = await workerBundle();
  record("bundle", size);
  expect(size.gzipKib).toBeGreaterThan(1);
  expect(size.gzipKib).toBeLessThan(WORKER_BUDGET_KIB);
});

test(`the dashboard's first load stays under ${DASHBOARD_BUDGET_KIB} KiB of JavaScript (gzip)`, async () => {
  const size = await dashboardFirstLoad();
  record("dashboard", size);
  expect(size.gzipKib).toBeGreaterThan(1);
  expect(size.gzipKib).toBeLessThan(DASHBOARD_BUDGET_KIB);
});
