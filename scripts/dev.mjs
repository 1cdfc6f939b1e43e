/**
 * `npm run dev`: `npm start` that follows the sources. A change under workers/
 * rebuilds the platform and swaps it in, with its data; one under dashboard/
 * rebuilds the dashboard, which the browser shows after a reload. A build that
 * fails is reported, and what ran goes on running.
 */
import { fileURLToPath } from "node:url";
import { run } from "./lib/complaint.mjs";
import { HELP, readOptions } from "./lib/options.mjs";
import { prepare } from "./lib/toolchain.mjs";

await run(async () => {
  const argv = process.argv.slice(2);
  const options = readOptions(argv, process.env);
  if (options.help) {
    console.log(HELP.replace("npm start --", "npm run dev --"));
    return;
  }
  await prepare(fileURLToPath(import.meta.url), argv);
  const { launch } = await import("./local/launch.mjs");
  const { follow } = await import("./lib/follow.mjs");
  await launch(options, follow);
});
