/**
 * Events of before, beside the live ones: the segments of a time are listed in D1 in
 * the transaction that says how far shards are sealed, and a lane of its own reads
 * them in order. One after the other; a later one ends where the live cursors (or
 * the one before it) began, so that nothing has two turns.
 */
import type { Channel, Office } from "./channel.ts";
import type { Mark } from "./desk.ts";

/** @returns how far shards were sealed in that moment */
export async function takeBackfill(office: Office, own: Channel, from: number, to: number): Promise<Mark[]> {
  const { deps, book, state } = office;
  const { rows, segments, marks } = await deps.sources.takeBackfill(from, to);
  book.transaction(() => {
    if (segments > 0) own.beginAt("backfill", "", "", 0);
    state.backfill = { from, to, rows, done: segments > 0 ? 0 : rows };
    state.backfillNext = null;
    state.coveredFrom = Math.min(from, state.coveredFrom);
    book.writeState(state);
  });
  return marks;
}

/** Ends the one that is done, and begins the next that was asked for. */
export async function lookAtBackfill(office: Office, own: Channel): Promise<void> {
  const { deps, book, state } = office;
  const lane = own.lanes.get("backfill");
  if (lane !== undefined && !lane.isDrained) return;
  if (lane !== undefined) await endBackfill(office, own);
  const { backfillNext: next, coveredFrom } = state;
  if (next === null) return;
  const to = Math.min(next.to ?? coveredFrom, coveredFrom);
  if (next.from < to) {
    // What was not sealed when the live cursors began is in segments afterwards.
    const marks = await deps.sources.startMarks();
    await deps.sources.seal(marks.map(({ shard }) => shard));
    await takeBackfill(office, own, next.from, to);
    return;
  }
  state.backfillNext = null;
  book.writeState(state);
}

async function endBackfill({ deps, book, state }: Office, own: Channel): Promise<void> {
  await deps.sources.endBackfill();
  if (state.backfill !== null) state.backfill = { ...state.backfill, done: state.backfill.rows };
  book.transaction(() => {
    own.end("backfill", "");
    book.writeState(state);
  });
}
