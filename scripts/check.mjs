/** `npm run check`: types, lint, format, import rules, dead code. Exit code 1 when one of them fails. */
import { fileURLToPath } from "node:url";
import { run } from "./lib/complaint.mjs";
import { prepare } from "./lib/toolchain.mjs";

run(async () => {
  await prepare(fileURLToPath(import.meta.url), process.argv.slice(2));
  const { CHECKS, runCheck } = await import("./lib/checks.mjs");
  for (const check of CHECKS) {
    const started = Date.now();
    const { code, output } = await runCheck(check);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`${code === 0 ? "ok    " : "FAILED"}  ${check.name}  (${check.command.join(" ")}, ${seconds} s)`);
    if (code === 0) continue;
    process.exitCode = 1;
    console.log(output.trimEnd());
  }
});
