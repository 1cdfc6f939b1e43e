/** `npm run build`: the platform's bundle, the demo's versions and the dashboard, all into dist/. */
import { run } from "./lib/complaint.mjs";
import { ensureToolchain } from "./lib/toolchain.mjs";

await run(async () => {
  ensureToolchain();
  const { join } = await import("node:path");
  const { bundlePlatform } = await import("./lib/bundle.mjs");
  const { buildDashboard } = await import("./lib/dashboard-build.mjs");
  const { buildDemo } = await import("./lib/demo-workers.mjs");
  const { ROOT } = await import("./lib/toolchain.mjs");
  const { unstable_getMiniflareWorkerOptions: readConfig } = await import("wrangler");
  await bundlePlatform(readConfig(join(ROOT, "wrangler.toml")).main);
  await buildDemo();
  const built = await buildDashboard({ force: process.argv.includes("--force") });
  console.log(`Built dist/platform, dist/demo and dist/dashboard${built ? "" : " (unchanged)"}`);
});
