/**
 * Which of an isolate's victims stands for its death. `event/rollup.ts` says
 * when and where invocations with outcome `exceededMemory` ended; those that
 * ended within DEATH_MS of the first one there died of the same death, however
 * many appends and shards tell of them. Pure; kept by `store.ts`.
 */
import { DEATH_MS, DEATHS_KEPT_MS, MAX_DEATHS } from "./limits.ts";

/** Place (arm, class, colo) → moments at which an isolate died, ms, in the order in which they were heard of. */
export type Deaths = ReadonlyMap<string, readonly number[]>;

export class DeathBook {
  private readonly places: Map<string, number[]>;
  changed = false;

  constructor(known: Deaths) {
    this.places = new Map([...known].map(([place, moments]) => [place, [...moments]]));
  }

  /** `wire` as in RollupDelta. Weights of those that stand for a death, and of the others. */
  count(place: string, wire: readonly (string | number)[]): { failed: number; collateral: number } {
    let failed = 0;
    let collateral = 0;
    for (let i = 0; i + 3 < wire.length; i += 4) {
      const [colo, at, weight, victims] = [wire[i], Number(wire[i + 1]), Number(wire[i + 2]), Number(wire[i + 3])];
      if (!(weight > 0 && victims >= 1 && Number.isFinite(at))) continue;
      const one = this.isNew(`${place}\0${colo}`, at) ? weight / victims : 0;
      failed += one;
      collateral += weight - one;
    }
    return { failed, collateral };
  }

  private isNew(place: string, at: number): boolean {
    const moments = this.places.get(place) ?? [];
    if (moments.some((known) => Math.abs(known - at) < DEATH_MS)) return false;
    this.places.set(place, [...moments, at]);
    this.changed = true;
    return true;
  }

  /** What may still get company. */
  kept(now: number): Deaths {
    const kept = new Map<string, number[]>();
    let room = MAX_DEATHS;
    for (const [place, moments] of this.places) {
      const recent = moments.filter((at) => at > now - DEATHS_KEPT_MS).slice(-room);
      room -= recent.length;
      if (recent.length > 0) kept.set(place, recent);
      if (room === 0) break;
    }
    return kept;
  }
}
