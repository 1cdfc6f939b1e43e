/**
 * `npm run build`: the platform's bundle, the demo's versions, the `tailrace`
 * command and the dashboard, all into dist/. `--dashboard` builds that alone, because wrangler
 * bundles the Worker itself (wrangler.toml, [build]). The list of integrations is
 * brought up to date before either.
 */
import { join } from "node:path";
import { writeCatalog } from "./lib/catalog.mjs";
import { run } from "./lib/complaint.mjs";
import { ensureToolchain, ROOT } from "./lib/toolchain.mjs";

await run(async () => {
  ensureToolchain();
  if (writeCatalog()) console.log("workers/integrations/catalog-list.ts written: commit it");
  const { buildDashboard } = await import("./lib/dashboard-build.mjs");
  if (!process.argv.includes("--dashboard")) await buildWorkers();
  const built = await buildDashboard({ force: process.argv.includes("--force") });
  console.log(`dist/dashboard  ${built ? "built" : "unchanged"}`);
});

async function buildWorkers() {
  const { bundlePlatform } = await import("./lib/bundle.mjs");
  const { buildDemo, demoConfigs } = await import("./local/demo-workers.mjs");
  const { readWorkerConfigs } = await import("./local/worker-config.mjs");
  const config = join(ROOT, "wrangler.toml");
  await bundlePlatform((await readWorkerConfigs([config, ...demoConfigs])).get(config).main);
  console.log("dist/platform   built");
  await buildDemo();
  console.log("dist/demo       built");
  const { bundleCli } = await import("../cli/bundle.mjs");
  await bundleCli();
  console.log("dist/cli        built");
}
