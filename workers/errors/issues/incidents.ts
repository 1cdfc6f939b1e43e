/**
 * Deaths of isolates come in bursts: an isolate that runs out of memory fails
 * every request in flight. What died of the same cause, in the same version and
 * place, with no longer a pause than INCIDENT_GAP_MS, is one incident. Pure.
 */
import { INCIDENT_GAP_MS } from "./limits.ts";

/** Times are ms. */
export interface Incident {
  fingerprint: string;
  versionId: string;
  colo: string;
  startedAt: number;
  endedAt: number;
  victims: number;
}

/** `victims`: `[colo, ms, …]`, in any order. */
export function joinVictims(fingerprint: string, versionId: string, victims: readonly (string | number)[]): Incident[] {
  const byColo = new Map<string, number[]>();
  for (let i = 0; i + 1 < victims.length; i += 2) {
    const at = Number(victims[i + 1]);
    if (!Number.isFinite(at)) continue;
    const colo = String(victims[i]);
    const times = byColo.get(colo);
    if (times === undefined) byColo.set(colo, [at]);
    else times.push(at);
  }
  const incidents: Incident[] = [];
  for (const [colo, times] of byColo) {
    let open: Incident | undefined;
    for (const at of times.sort((a, b) => a - b)) {
      if (open === undefined || at - open.endedAt >= INCIDENT_GAP_MS) {
        open = { fingerprint, versionId, colo, startedAt: at, endedAt: at, victims: 0 };
        incidents.push(open);
      }
      open.endedAt = at;
      open.victims += 1;
    }
  }
  return incidents;
}
