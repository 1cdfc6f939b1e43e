/** The unmodified wrangler from node_modules, run to its end in a project against a local edge; nothing of the machine's own settings reaches it. */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Stack } from "./stack.ts";

const WRANGLER = resolve("node_modules/wrangler/bin/wrangler.js");

export interface WranglerResult {
  code: number | null;
  /** Both streams, as they came. */
  said: string;
  /** Standard output alone: what `--json` prints. */
  stdout: string;
}

export interface Project {
  dir: string;
  write(path: string, text: string): void;
  /** `input` is what is typed. */
  wrangler(args: readonly string[], input?: string): Promise<WranglerResult>;
  remove(): void;
}

/** What wrangler needs to come to the edge, and to go nowhere else. */
export function wranglerEnv(edge: NonNullable<Stack["edge"]>): Record<string, string> {
  return {
    CLOUDFLARE_API_BASE_URL: edge.apiUrl,
    CLOUDFLARE_ACCOUNT_ID: edge.accountId,
    CLOUDFLARE_API_TOKEN: edge.token,
    WRANGLER_SEND_METRICS: "false",
  };
}

/** @param sources folders of demo/ to begin with; wrangler runs in the first */
export function createProject(edge: NonNullable<Stack["edge"]>, sources: readonly string[] = []): Project {
  const root = mkdtempSync(join(tmpdir(), "tailrace-edge-project-"));
  for (const source of sources) cpSync(`demo/${source}`, join(root, source), { recursive: true });
  symlinkSync(resolve("node_modules"), join(root, "node_modules"));
  const dir = join(root, sources[0] ?? "worker");
  mkdirSync(dir, { recursive: true });
  return {
    dir,
    write(path, text) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    },
    wrangler: (args, input) => run(args, dir, { ...wranglerEnv(edge), HOME: join(root, "home") }, input),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function run(args: readonly string[], cwd: string, env: Record<string, string>, input = ""): Promise<WranglerResult> {
  const quiet = { WRANGLER_HIDE_BANNER: "true", NO_COLOR: "1", FORCE_COLOR: "0", CI: "1" };
  const child = spawn(process.execPath, [WRANGLER, ...args], { cwd, env: { ...process.env, ...quiet, ...env } });
  let said = "";
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
    said += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  child.stdin.end(input);
  return new Promise((done) => child.once("close", (code) => done({ code, said, stdout })));
}
