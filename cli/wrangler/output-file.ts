/**
 * What wrangler writes to WRANGLER_OUTPUT_FILE_PATH: one JSON object a line.
 * The file may be the user's own and hold earlier runs, so reading begins where
 * it ended before. Pure but for the file.
 */
import { existsSync, readFileSync, statSync } from "node:fs";

export interface Deployed {
  worker: string | undefined;
  /** Undefined for a dry run. */
  versionId: string | undefined;
}

export const endOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0);

/** The last deployment or version that was written after `from`; undefined when there is none. */
export function readOutput(path: string, from: number): Deployed | undefined {
  if (!existsSync(path)) return undefined;
  return lastDeployed(readFileSync(path).subarray(from).toString("utf8"));
}

export function lastDeployed(lines: string): Deployed | undefined {
  let last: Deployed | undefined;
  for (const line of lines.split("\n")) {
    const entry = parse(line);
    if (entry?.type !== "deploy" && entry?.type !== "version-upload") continue;
    last = { worker: textOf(entry.worker_name), versionId: textOf(entry.version_id) };
  }
  return last;
}

function parse(line: string): Record<string, unknown> | undefined {
  if (line.trim() === "") return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const textOf = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
