/** Sizes that a user pays for: the Worker's upload and the dashboard's first load. For tests and the bench. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT, toolEnv } from "./toolchain.mjs";

const run = promisify(execFile);

/** As `wrangler deploy --dry-run` reports it, source maps not counted. */
export async function workerBundle() {
  mkdirSync(join(ROOT, "dist/dashboard"), { recursive: true });
  const { stdout } = await run("wrangler", ["deploy", "--dry-run", "--outdir", "dist/dry-run"], {
    cwd: ROOT,
    env: { ...toolEnv(), CI: "true", NO_COLOR: "1" },
  });
  const match = /Total Upload: ([\d.]+) KiB \/ gzip: ([\d.]+) KiB/.exec(stdout);
  if (match === null) throw new Error(`wrangler deploy --dry-run printed no size:\n${stdout}`);
  return { kib: Number(match[1]), gzipKib: Number(match[2]) };
}

/** As dashboard/size.mjs reports it, of the build in dist/dashboard. */
export async function dashboardFirstLoad() {
  const { stdout } = await run(process.execPath, ["dashboard/size.mjs"], { cwd: ROOT });
  const match = /gzip JavaScript: ([\d.]+) KB/.exec(stdout);
  if (match === null) throw new Error(`dashboard/size.mjs printed no size:\n${stdout}`);
  return { gzipKib: Number(match[1]) };
}
