/** `npm run check`: types, lint, format, import rules, dead code. Exit code 1 when one of them fails. */
import { ensureToolchain } from "./lib/toolchain.mjs";

ensureToolchain();
const { CHECKS, runCheck } = await import("./lib/checks.mjs");

let failed = 0;
for (const check of CHECKS) {
  const started = Date.now();
  const { code, output } = await runCheck(check);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok    " : "FAILED"}  ${check.name}  (${check.command.join(" ")}, ${seconds} s)`);
  if (code === 0) continue;
  failed++;
  console.log(output.trimEnd());
}
process.exit(failed === 0 ? 0 : 1);
