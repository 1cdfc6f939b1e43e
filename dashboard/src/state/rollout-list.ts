/**
 * The list of rollouts: those that run, which are read again every few seconds,
 * and those that have ended, a page at a time. What was read of older pages
 * stays while the filters do: the past does not change.
 */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Rollout } from "../../../workers/api/contract.ts";
import { type RolloutParams, rolloutsApi } from "../api/rollouts.ts";
import { assignColours, rememberName } from "../lib/versions.ts";
import { useEvery } from "./every.ts";
import { asFailure, useResource } from "./resource.ts";
import { rolloutChanges } from "./rollout-changes.ts";
import { toast } from "./toasts.ts";

const EVERY_MS = 5000;
const PAGE = 50;

export function learnVersions(rollouts: readonly Rollout[]): void {
  const scripts = new Map<string, Set<string>>();
  for (const r of [...rollouts].sort((a, b) => a.startedAt - b.startedAt)) {
    const ids = scripts.get(r.script) ?? new Set();
    for (const v of [r.old, r.new]) {
      rememberName(v.id, v.tag, v.message);
      ids.add(v.id);
    }
    scripts.set(r.script, ids);
  }
  for (const ids of scripts.values()) assignColours([...ids]);
}

export function useRunning(script?: string) {
  const tick = useEvery(EVERY_MS);
  const resource = useResource(
    script ?? "",
    (signal) => rolloutsApi.list({ script, state: "running" }, signal),
    tick,
    rolloutChanges.value,
  );
  useMemo(() => learnVersions(resource.data?.rollouts ?? []), [resource.data]);
  return resource;
}

export function useEnded(params: RolloutParams) {
  const key = JSON.stringify(params);
  const [older, setOlder] = useState<{ rollouts: Rollout[]; next: number | undefined }>();
  const [loading, setLoading] = useState(false);
  const first = useResource(
    key,
    (signal) => rolloutsApi.list({ ...params, limit: PAGE }, signal),
    useEvery(EVERY_MS),
    rolloutChanges.value,
  );
  useEffect(() => setOlder(undefined), [key]);
  useMemo(() => learnVersions(first.data?.rollouts ?? []), [first.data]);
  const next = older === undefined ? first.data?.next : older.next;
  const more = async () => {
    if (next === undefined || loading) return;
    setLoading(true);
    try {
      const page = await rolloutsApi.list({ ...params, before: next, limit: PAGE });
      learnVersions(page.rollouts);
      setOlder((o) => ({ rollouts: [...(o?.rollouts ?? []), ...page.rollouts], next: page.next }));
    } catch (error) {
      toast({ text: asFailure(error).message, tone: "bad" });
    }
    setLoading(false);
  };
  const known = new Set<string>();
  const rollouts = [...(first.data?.rollouts ?? []), ...(older?.rollouts ?? [])].filter(
    (r) => !known.has(r.id) && known.add(r.id),
  );
  return { ...first, rollouts, next, more, loadingMore: loading };
}
