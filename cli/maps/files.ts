/** The files of a directory, and their text, within bounds. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** A directory with more is not a build but somebody's home. */
export const MAX_ENTRIES = 50_000;
/** V8 has no longer text than 512 MB. */
const MAX_TEXT_BYTES = 256 << 20;

/**
 * Files below a directory, sorted; no link is followed.
 * @param skips names of directories that are not looked into
 * @returns undefined when there are more than MAX_ENTRIES
 */
export function walk(root: string, skips: (name: string) => boolean): string[] | undefined {
  const files: string[] = [];
  const directories = [root];
  let seen = 0;
  for (let next = directories.pop(); next !== undefined; next = directories.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      if (++seen > MAX_ENTRIES) return undefined;
      const path = join(next, entry.name);
      if (entry.isFile()) files.push(path);
      else if (entry.isDirectory() && !skips(entry.name)) directories.push(path);
    }
  }
  return files.sort();
}

/** Undefined for a file that is too long to be text: no Worker has so much code. */
export function readText(path: string): string | undefined {
  return statSync(path).size > MAX_TEXT_BYTES ? undefined : readFileSync(path, "utf8");
}
