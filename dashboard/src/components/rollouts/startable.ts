/**
 * Which Worker the start dialog opens with: one that can start. Those with a
 * rollout are known from the list; of the others Cloudflare is asked one after
 * the other, and no longer than until one fits. What stands in the way of those
 * that do not is said beside their names.
 */
import { useEffect, useState } from "preact/hooks";
import type { DeploymentAnswer } from "../../../../workers/api/contract.ts";
import { rolloutsApi } from "../../api/rollouts.ts";
import { asFailure } from "../../state/resource.ts";

/** Cloudflare is asked for so many at most: each costs two calls of the account's limit. */
const MAX_ASKED = 8;

export const liveShare = (d: DeploymentAnswer, id: string) => d.live?.versions.find((v) => v.id === id)?.percent;

/** The newest upload that has no traffic, unless the newest is what is live. */
export function likelyVersion(d: DeploymentAnswer): string {
  const [newest] = d.versions;
  return newest !== undefined && liveShare(d, newest.id) === undefined ? newest.id : "";
}

/** In a few words, for a line of a list; undefined where a rollout may start. */
export function obstacleOf(d: DeploymentAnswer): string | undefined {
  if (d.rollout !== null) return "a rollout runs";
  if (d.live === null) return "not deployed yet";
  if (d.live.versions.filter((v) => v.percent > 0).length > 1) return "split already";
  if (likelyVersion(d) === "") return "nothing newer is uploaded";
  return undefined;
}

interface Found {
  likely: string | undefined;
  obstacles: ReadonlyMap<string, string>;
  /** One was found, or none is. */
  done: boolean;
}

/** @param wanted false: somebody chose, nothing is asked */
export function useStartable(names: readonly string[], wanted: boolean): Found {
  const [found, setFound] = useState<Found>({ likely: undefined, obstacles: new Map(), done: false });
  const key = names.join("\n");
  useEffect(() => {
    if (!wanted || names.length === 0) return;
    const controller = new AbortController();
    const show = (next: Found) => controller.signal.aborted || setFound(next);
    void look(names, controller.signal, show);
    return () => controller.abort();
  }, [key, wanted]);
  return found;
}

async function look(names: readonly string[], signal: AbortSignal, show: (found: Found) => void): Promise<void> {
  const obstacles = new Map<string, string>();
  const running = await rolloutsApi.list({ state: "running" }, signal).catch(() => ({ rollouts: [] }));
  for (const r of running.rollouts) obstacles.set(r.script, r.isWatched ? "split already" : "a rollout runs");
  let asked = 0;
  for (const name of names) {
    if (signal.aborted || asked === MAX_ASKED) break;
    if (obstacles.has(name)) continue;
    asked += 1;
    try {
      const obstacle = obstacleOf(await rolloutsApi.deployment(name, signal));
      if (obstacle === undefined) return show({ likely: name, obstacles, done: true });
      obstacles.set(name, obstacle);
    } catch (error) {
      // An account that is not connected, or an answer that did not come, is told where the Worker is shown.
      if (asFailure(error).status !== 404) return show({ likely: name, obstacles, done: true });
      obstacles.set(name, "not at Cloudflare");
    }
  }
  // Without an upload to roll out the form still says what is live and what to do.
  const deployed = names.find((name) => obstacles.get(name) === "nothing newer is uploaded");
  show({ likely: deployed, obstacles, done: true });
}
