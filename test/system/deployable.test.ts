/** The platform and each of the demo's Workers can be deployed as they are: wrangler bundles them and finds nothing wrong. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const WORKERS: [name: string, folder: string, args: string[]][] = [
  ["the platform", ".", ["deploy"]],
  ["the storefront", "demo/storefront", ["deploy"]],
  ["the storefront's second version", "demo/storefront", ["versions", "upload", "src/v2.ts", "--tag", "v1.5.0"]],
  ["the checkout", "demo/checkout", ["deploy"]],
  ["the checkout's second version", "demo/checkout", ["versions", "upload", "src/v2.ts"]],
  ["the stock", "demo/stock", ["deploy"]],
  ["the orders", "demo/orders", ["deploy"]],
  ["the live feed", "demo/live", ["deploy"]],
];

test.each(WORKERS)("%s", async (_name, cwd, args) => {
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1", FORCE_COLOR: "0" };
  const { stdout, stderr } = await promisify(execFile)("wrangler", [...args, "--dry-run"], { cwd, env });
  expect(stdout).toMatch(/Total Upload: [\d.]+ KiB \/ gzip: [\d.]+ KiB/);
  expect(stderr).not.toMatch(/WARNING|ERROR/);
});
