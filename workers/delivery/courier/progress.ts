/**
 * Moves cursors and writes them down: what was left out on the way is counted when a
 * cursor passes it, so it counts once. Whoever read a page (filling.ts) or got an
 * answer (settling.ts) calls it in the same turn, and hands over what else belongs into
 * the transaction (book.ts).
 */
import type { Channel } from "./channel.ts";
import type { Lane } from "./lane.ts";
import type { Passed } from "./slot.ts";
import { ceilingPassed } from "./state.ts";

/** Moves the cursors of these lanes as far as all is done. */
export function commit(channel: Channel, lanes: Iterable<Lane>, also?: () => void): void {
  const { name, office } = channel;
  const { book, state } = office;
  const list = [...lanes];
  for (const lane of list) {
    const passed = lane.advance();
    if (passed.length > 0) count(channel, lane, passed);
    if (name === "own") {
      if (lane.strays.mark === null) delete state.scouts[lane.key];
      else state.scouts[lane.key] = lane.strays.mark;
    }
  }
  const hasMoved = list.some(({ isDirty }) => isDirty);
  if (also === undefined && !hasMoved) return;
  // A try that failed writes its counters, and is no progress.
  if (hasMoved) channel.moved();
  book.commit(state, name, list, also);
}

/** What was left out on the way. */
function count({ name, office }: Channel, lane: Lane, passed: readonly Passed[]): void {
  if (name === "via") return;
  const { state, deps } = office;
  const sum = { sampled: 0, ceiling: 0, lost: 0, rows: 0 };
  for (const each of passed) {
    for (const key of ["sampled", "ceiling", "lost", "rows"] as const) sum[key] += each[key];
    if (each.taken !== null) state.ceiling = ceilingPassed(state.ceiling, each.taken);
  }
  for (const key of ["sampled", "ceiling", "lost"] as const) {
    state.counters[key] += sum[key];
    if (sum[key] > 0) deps.count("tailrace_delivery_items_total", key, sum[key]);
  }
  if (lane.kind === "backfill" && state.backfill !== null)
    state.backfill = { ...state.backfill, done: state.backfill.done + sum.rows };
}
