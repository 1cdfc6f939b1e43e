/** From a Worker's name and a caller's wish to the running version that answers: one that the launcher runs, or a loaded one. */
import type { EdgeEnv } from "../env.ts";
import { load } from "../run/load.ts";
import { readLive } from "./live.ts";
import { type Wish as NamedWish, pickVersion } from "./pick.ts";

export type Wish = Omit<NamedWish, "script">;

export interface Target {
  script: string;
  entrypoint?: string | undefined;
}

/** @returns undefined when the Worker does not exist or is not deployed */
export async function workerFor(
  env: EdgeEnv,
  ctx: { exports: unknown },
  { script, entrypoint }: Target,
  wish: Wish,
): Promise<Fetcher | undefined> {
  const live = (await readLive(env))[script];
  if (live === undefined) return undefined;
  const id = pickVersion(live.shares, { script, ...wish });
  const version = live.versions.find((one) => one.id === id);
  if (version === undefined) return undefined;
  if (version.binding === null) {
    return load(env, ctx, { ...version, script }).getEntrypoint(entrypoint);
  }
  const binding = entrypoint === undefined ? version.binding : `${version.binding}#${entrypoint}`;
  const worker = env[binding] as Fetcher | undefined;
  if (worker === undefined) throw new Error(`Worker "${script}" has no entrypoint ${entrypoint}.`);
  return worker;
}
