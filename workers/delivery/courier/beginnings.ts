/**
 * Where a destination's cursors begin: at what the Ingesters have sealed when it is
 * made, or when its rules begin to want a Worker, after they were asked to seal all
 * they have. So "before" and "from now on" are places in the log, not times: an
 * event that comes late with an old time is not lost. A Worker that nobody knew
 * then is new, and read from its beginning.
 */
import type { StoredDestination } from "../destinations.ts";
import { takeBackfill } from "./back-fill.ts";
import type { Channel, Office } from "./channel.ts";
import type { Mark } from "./desk.ts";

/** From now on; with `backfillFrom` also what was since then. */
export async function start(office: Office, row: StoredDestination, own: Channel): Promise<void> {
  const { deps, book, state } = office;
  const { sources } = deps;
  const before = await sources.startMarks();
  await sources.seal(before.map(({ shard }) => shard));
  const notice = await sources.lastNotice();
  const from = state.revision === 0 ? row.backfillFrom : null;
  state.coveredFrom = row.createdAt;
  const marks = from === null ? await sources.startMarks() : await takeBackfill(office, own, from, deps.now());
  book.transaction(() => {
    beginLogs(own, marks);
    if (own.rules.takesNotices) own.beginAt("notices", "", "", notice);
    state.started = true;
    state.revision = row.revision;
    state.chosen = row.rules;
    book.writeState(state);
  });
}

/** The rules are others: Workers that they did not want before begin now, those that they do not want any more are let go. */
export async function chooseAnew(office: Office, row: StoredDestination, own: Channel): Promise<void> {
  const { deps, book, state } = office;
  const { sources } = deps;
  const wanted = (script: string) => own.rules.takesEvents && own.rules.wants(script);
  const marks = await sources.startMarks();
  const fresh = marks.filter(({ shard, script }) => wanted(script) && !own.has("log", shard));
  await sources.seal(fresh.map(({ shard }) => shard));
  const sealed = fresh.length > 0 ? await sources.startMarks() : marks;
  const notice = await sources.lastNotice();
  const before = state.chosen === null ? null : deps.rules(own.receiver.integration, { ...row, rules: state.chosen });
  const wasWanted = ({ script }: Mark) => before?.takesEvents === true && before.wants(script);
  book.transaction(() => {
    for (const { kind, shard, script } of [...own.lanes.values()]) {
      if (kind === "log" && !wanted(script)) own.end("log", shard);
      if (kind === "notices" && !own.rules.takesNotices) own.end("notices", "");
    }
    // What was wanted before and has no cursor began since.
    beginLogs(
      own,
      sealed.map((mark) => (wasWanted(mark) ? { ...mark, through: 0 } : mark)),
    );
    if (own.rules.takesNotices) own.beginAt("notices", "", "", notice);
    state.revision = row.revision;
    state.chosen = row.rules;
    book.writeState(state);
  });
}

/** Who stands by has no cursors: nothing is kept for it. */
export function stop({ book, state }: Office, own: Channel): void {
  book.transaction(() => {
    for (const { kind, shard } of [...own.lanes.values()]) own.end(kind, shard);
    state.started = false;
    book.writeState(state);
  });
}

function beginLogs(own: Channel, marks: readonly Mark[]): void {
  if (!own.rules.takesEvents) return;
  for (const { shard, script, through } of marks)
    if (own.rules.wants(script)) own.beginAt("log", shard, script, through);
}
