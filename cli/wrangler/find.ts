/** The project's own wrangler: what its package.json pins, not another. */
import { existsSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { usageFailure } from "../failure.ts";

const NAME = process.platform === "win32" ? "wrangler.cmd" : "wrangler";

/** @param path the PATH variable, for a wrangler that is installed for the whole machine */
export function findWrangler(cwd: string, path: string): string {
  for (let at = resolve(cwd); ; at = dirname(at)) {
    const local = join(at, "node_modules/.bin", NAME);
    if (existsSync(local)) return local;
    if (at === dirname(at)) break;
  }
  const onPath = path.split(delimiter).find((directory) => directory !== "" && existsSync(join(directory, NAME)));
  if (onPath !== undefined) return join(onPath, NAME);
  throw usageFailure(
    "wrangler is not installed here: npm install --save-dev wrangler, or run this in the project's directory",
  );
}
