/**
 * One rollout, as it goes: read every two seconds while it runs and the page is
 * seen, and at once when something of it is known to have changed. One that is
 * over is read once.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Rollout, RolloutAnswer } from "../../../workers/api/contract.ts";
import { rolloutsApi } from "../api/rollouts.ts";
import { hasEnded } from "../lib/rollouts.ts";
import { assignColours, rememberName } from "../lib/versions.ts";
import { useEvery } from "./every.ts";
import { type Resource, useResource } from "./resource.ts";
import { rolloutChanges } from "./rollout-changes.ts";

/** The guard looks as often. */
const EVERY_MS = 2000;

/** The guard looks on for a moment after the end, and what was under way then is counted too. */
const AFTERWARDS_MS = 90_000;
const isOver = (r: Rollout): boolean => hasEnded(r) && Date.now() - (r.endedAt ?? 0) > AFTERWARDS_MS;

export function useRollout(id: string): Resource<RolloutAnswer> {
  const [goesOn, setGoesOn] = useState(true);
  const tick = useEvery(EVERY_MS, goesOn);
  const script = useRef<string | undefined>(undefined);
  const resource = useResource(
    id,
    (signal) => rolloutsApi.rollout(id, script.current, signal),
    tick,
    rolloutChanges.value,
  );
  const { data, fresh } = resource;
  script.current = fresh ? data?.rollout.script : undefined;
  const mayMove = data === undefined || !fresh || !isOver(data.rollout);
  useEffect(() => setGoesOn(mayMove), [mayMove]);
  useMemo(() => {
    if (data === undefined) return;
    const { old, new: next } = data.rollout;
    for (const v of [old, next]) rememberName(v.id, v.tag, v.message);
    assignColours([old.id, next.id]);
  }, [data]);
  return resource;
}
