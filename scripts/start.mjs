/**
 * `npm start`: from a fresh clone to a running Tailrace. Options are checked
 * before anything is installed or built; the rest is launch.mjs, on a Node
 * that is new enough.
 */
import { fileURLToPath } from "node:url";
import { run } from "./lib/complaint.mjs";
import { HELP, readOptions } from "./lib/options.mjs";
import { prepare } from "./lib/toolchain.mjs";

await run(async () => {
  const argv = process.argv.slice(2);
  const options = readOptions(argv, process.env);
  if (options.help) {
    console.log(HELP);
    return;
  }
  await prepare(fileURLToPath(import.meta.url), argv);
  const { launch } = await import("./local/launch.mjs");
  await launch(options);
});
