/**
 * What `npm run check` runs, and `npm test` with it (test/check). Each check is
 * one program of node_modules/.bin; it fails by its exit code.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT, toolEnv } from "./toolchain.mjs";

/** Folders with a tsconfig.json of their own, besides the root's (workers/). */
const TYPED_FOLDERS = ["cli", "dashboard", "demo", "test"];

export const CHECKS = [
  { name: "types of workers/", command: ["tsc", "--noEmit"] },
  ...TYPED_FOLDERS.filter((folder) => existsSync(join(ROOT, folder, "tsconfig.json"))).map((folder) => ({
    name: `types of ${folder}/`,
    command: ["tsc", "--noEmit", "-p", folder],
  })),
  { name: "lint, format and import rules", command: ["biome", "check", "--error-on-warnings", "--colors=off", "."] },
  { name: "list of integrations", command: ["node", "scripts/catalog.mjs", "--check"] },
  { name: "dead code", command: ["knip", "--no-progress"] },
];

/**
 * Resolves with the exit code (1 when it could not run) and everything that the check printed.
 * @param {{ command: string[] }} check
 */
export function runCheck({ command }) {
  const [program, ...args] = command;
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(join(ROOT, "node_modules/.bin", program), args, {
      cwd: ROOT,
      env: toolEnv(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", (error) => resolve({ code: 1, output: output + error.message }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
