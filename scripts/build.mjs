/**
 * `npm run build`: the platform's bundle, the demo's versions and the
 * dashboard, all into dist/. `--dashboard` builds that alone, because wrangler
 * bundles the Worker itself (wrangler.toml, [build]).
 */
import { join } from "node:path";
import { run } from "./lib/complaint.mjs";
import { ensureToolchain, ROOT } from "./lib/toolchain.mjs";

await run(async () => {
  ensureToolchain();
  const { buildDashboard } = await import("./lib/dashboard-build.mjs");
  if (!process.argv.includes("--dashboard")) await buildWorkers();
  const built = await buildDashboard({ force: process.argv.includes("--force") });
  console.log(`dist/dashboard  ${built ? "built" : "unchanged"}`);
});

async function buildWorkers() {
  const { bundlePlatform } = await import("./lib/bundle.mjs");
  const { buildDemo } = await import("./lib/demo-workers.mjs");
  const { unstable_getMiniflareWorkerOptions: readConfig } = await import("wrangler");
  await bundlePlatform(readConfig(join(ROOT, "wrangler.toml")).main);
  console.log("dist/platform   built");
  await buildDemo();
  console.log("dist/demo       built");
}
