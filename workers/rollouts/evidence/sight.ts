/** What the evidence cannot show, in plain words. Pure. */
import type { Sight } from "../contract.ts";
import { SILENCE_AFTER_MS, SILENCE_EXPECTED, SILENCE_MS, SILENCE_PAUSES, SILENCE_UNTIL_MS, TICK_MS } from "./limits.ts";
import type { Counted, LeftOut, Tick } from "./sum.ts";

export function sightOf(counted: Counted, blind: readonly string[]): Sight {
  const { newest, leftOut } = counted;
  return {
    blind: [...blind],
    notes: wordsOf(leftOut),
    newestOld: newest.old,
    newestNew: newest.new,
  };
}

function wordsOf({ otherVersion, noVersion, unreadable, gap }: LeftOut): string[] {
  const words: string[] = [];
  const some = (n: number, one: string, many: string) => `${Math.round(n)} ${Math.round(n) === 1 ? one : many}`;
  if (gap > 0) {
    words.push(
      `${some(gap, "batch", "batches")} of telemetry went to the store before they could be counted here, of both versions alike: there is less evidence, and none of it is shifted.`,
    );
  }
  if (unreadable > 0) words.push(`${some(unreadable, "batch", "batches")} of telemetry could not be read.`);
  if (noVersion > 0) {
    words.push(
      `${some(noVersion, "invocation does", "invocations do")} not say of which version they are: not counted.`,
    );
  }
  if (otherVersion > 0) {
    words.push(`${some(otherVersion, "invocation was", "invocations were")} of other versions: not counted.`);
  }
  return words;
}

/**
 * Both versions fell silent at once, though there was traffic: that looks like
 * an outage of our own as much as like one of theirs, so nobody can see. ""
 * when it is not so. After half an hour it is taken for no traffic.
 */
export function silence({ ticks, newest }: Pick<Counted, "ticks" | "newest">, now: number): string {
  const last = Math.max(newest.old ?? 0, newest.new ?? 0);
  const ms = now - last;
  if (last <= 0 || ms < SILENCE_MS || ms > SILENCE_UNTIL_MS) return "";
  const times = [...ticks.keys()].filter((t) => t <= last).sort((a, b) => a - b);
  const first = times[0] ?? last;
  // Traffic that comes in bursts is silent in between.
  const pause = times.reduce((longest, t, i) => Math.max(longest, t - (times[i - 1] ?? t)), 0);
  if (last - first < SILENCE_AFTER_MS || ms < SILENCE_PAUSES * pause) return "";
  const arrived = times.reduce((sum, t) => sum + arrivedAt(ticks.get(t)), 0);
  const perMs = arrived / (last - first + TICK_MS);
  if (perMs * ms < SILENCE_EXPECTED) return "";
  return `Nothing has arrived from either version for ${Math.round(ms / 1000)} s, where some ${Math.round(perMs * ms)} invocations were to be expected: telemetry may be down.`;
}

const arrivedAt = (tick: Tick | undefined): number => (tick === undefined ? 0 : tick.old[0] + tick.new[0]);
