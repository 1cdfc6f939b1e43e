/**
 * Events of before, beside the live ones: the segments of a time are listed in D1 in
 * the transaction that says how far shards are sealed, and a lane of its own reads
 * them in order. One after the other; a later one ends where the live cursors (or
 * the one before it) began, so that nothing has two turns.
 */
import type { Channel } from "./channel.ts";
import type { Span } from "./loading.ts";
import type { Mark } from "./needs.ts";
import type { Office } from "./office.ts";

export interface Listed {
  rows: number;
  segments: number;
  /** As of the same moment: live cursors that begin here read the rest. */
  marks: Mark[];
}

/** In a transaction of the caller's, who writes the state. `told`: somebody asked for it, and is shown how far it is. */
export function beginBackfill(
  { state }: Office,
  own: Channel,
  { span, listed: { rows, segments }, told }: { span: Span; listed: Listed; told: { from: number; to: number } | null },
): void {
  if (segments > 0) own.beginAt("backfill", "", "", 0);
  state.span = segments > 0 ? span : null;
  state.backfill = told === null ? null : { ...told, rows, done: segments > 0 ? 0 : rows };
}

/** Ends the one that is done, and begins the next that was asked for. */
export async function lookAtBackfill(office: Office, own: Channel): Promise<void> {
  const { deps, book, state } = office;
  const { sources } = deps;
  const lanes = [own.lanes.get("backfill"), own.lanes.get("earlier")].filter((lane) => lane !== undefined);
  if (lanes.some((lane) => !lane.isDrained)) return;
  if (lanes.length > 0) await endBackfill(office, own);
  const { backfillNext: next, coveredFrom } = state;
  if (next === null) return;
  const to = Math.min(next.to ?? coveredFrom, coveredFrom);
  if (next.from < to) {
    const span = { from: next.from, to, scripts: null };
    const listed = own.rules.takesEvents ? await listSealed(office, next.from, to) : NOTHING;
    const notices = { after: await sources.lastNotice(next.from), to: await sources.lastNotice(to) };
    book.transaction(() => {
      beginBackfill(office, own, { span, listed, told: { from: next.from, to } });
      if (own.rules.takesNotices && notices.to > notices.after) {
        own.beginAt("earlier", "", "", notices.after);
        state.noticesTo = notices.to;
      }
      state.backfillNext = null;
      state.coveredFrom = Math.min(next.from, state.coveredFrom);
      book.writeState(state);
    });
    return;
  }
  state.backfillNext = null;
  book.writeState(state);
}

const NOTHING: Listed = { rows: 0, segments: 0, marks: [] };

/** What was not sealed when the live cursors began is in segments afterwards. */
async function listSealed({ deps: { sources } }: Office, from: number, to: number): Promise<Listed> {
  const marks = await sources.startMarks();
  await sources.seal(marks.map(({ shard }) => shard));
  return sources.takeBackfill(from, to);
}

async function endBackfill({ deps, book, state }: Office, own: Channel): Promise<void> {
  await deps.sources.endBackfill();
  if (state.backfill !== null) state.backfill = { ...state.backfill, done: state.backfill.rows };
  state.span = null;
  book.transaction(() => {
    own.end("backfill", "");
    own.end("earlier", "");
    book.writeState(state);
  });
}
