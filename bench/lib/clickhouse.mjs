/**
 * The ClickHouse engine on the same events, when `--clickhouse` asks for it:
 * the npm package chdb, half a gigabyte, which is why it is installed into
 * dist/bench only then. It runs in a process of its own, on one thread, as a
 * query of Tailrace does.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT, toolEnv } from "../../scripts/lib/toolchain.mjs";
import { downloadSegments } from "./segments.mjs";

const CHDB = "chdb@3.4.0";
const HOME = join(ROOT, "dist/bench/clickhouse");
const CHILD = fileURLToPath(new URL("./clickhouse-child.mjs", import.meta.url));
const LIMIT_MS = 180_000;

export function installClickhouse() {
  if (existsSync(join(HOME, "node_modules/chdb"))) return;
  mkdirSync(HOME, { recursive: true });
  writeFileSync(join(HOME, "package.json"), '{ "private": true }\n');
  const npm = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", CHDB], {
    cwd: HOME,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (npm.status !== 0) throw new Error(`npm could not install ${CHDB}`);
}

/**
 * @param {object} stack whose sealed segments to load
 * @param {{ sql: string }[]} queries
 * @returns {Promise<{ version: string, insertRate: number, bytesPerEvent: number, queries: { cold: number, warm: number }[] }>}
 */
export async function measureClickhouse(stack, queries) {
  const folder = mkdtempSync(join(tmpdir(), "tailrace-clickhouse-"));
  try {
    await downloadSegments(stack, join(folder, "parquet"));
    const child = spawnSync(process.execPath, [CHILD, HOME, folder, JSON.stringify(queries)], {
      env: toolEnv(),
      encoding: "utf8",
      timeout: LIMIT_MS,
      maxBuffer: 2 ** 24,
    });
    if (child.status !== 0) throw new Error(`the ClickHouse engine failed: ${child.stderr.slice(-2000)}`);
    return JSON.parse(child.stdout.trim().split("\n").at(-1));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
