/** The values of a destination's fields → what the rest of this folder goes by. Pure. */
import type { Values } from "../contract.ts";
import { type Dsn, readDsn } from "./dsn.ts";
import { MAX_ENVIRONMENT } from "./limits.ts";

export interface Settings {
  dsn: Dsn;
  environment: string;
  /** Whose grouping: Tailrace's fingerprints, or what Sentry makes of the stack. */
  grouping: "tailrace" | "sentry";
  /** What a release is called: the version's id, or `worker@tag` where it has a tag. */
  release: "id" | "tag";
}

export const DEFAULT_ENVIRONMENT = "production";

export type ReadSettings = { ok: true; settings: Settings } | { ok: false; problems: Record<string, string> };

export function readSettings(values: Values): ReadSettings {
  const problems: Record<string, string> = {};
  const dsn = readDsn(values.dsn ?? "");
  if (!dsn.ok) problems.dsn = dsn.problem;
  const environment = (values.environment ?? "").trim() || DEFAULT_ENVIRONMENT;
  if (environment.length > MAX_ENVIRONMENT || /[\s/\\]/.test(environment) || environment.toLowerCase() === "none") {
    problems.environment = `Sentry takes names of at most ${MAX_ENVIRONMENT} characters without spaces and slashes, and not "none".`;
  }
  if (!dsn.ok || problems.environment !== undefined) return { ok: false, problems };
  const grouping = values.grouping === "sentry" ? "sentry" : "tailrace";
  const release = values.release === "tag" ? "tag" : "id";
  return { ok: true, settings: { dsn: dsn.dsn, environment, grouping, release } };
}
