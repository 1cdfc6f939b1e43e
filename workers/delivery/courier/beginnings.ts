/**
 * Where a destination's cursors begin: at what the Ingesters have sealed when it is
 * made, or when its rules begin to want a Worker, after they were asked to seal all
 * they have. So "before" and "from now on" are places in the log, not times: an
 * event that comes late with an old time is not lost. A Worker that nobody knew
 * then is new, and read from its beginning.
 *
 * Until all are sealed seconds go by, more when D1 is away. What happened in them
 * is before the cursors, and is sent by a list of segments as a back-fill is: it is
 * made in the transaction that says where the cursors begin, and has no end, so
 * that an event is in one of both, whatever its clock says.
 */
import type { StoredDestination } from "../destinations.ts";
import { beginBackfill, type Listed } from "./back-fill.ts";
import type { Channel } from "./channel.ts";
import type { Mark } from "./needs.ts";
import type { Office } from "./office.ts";

/** Workers that rules begin to want at once, for which what happens meanwhile is looked up: their names are kept with the state. */
const MAX_FRESH = 200;

/** From when it was made on; with `backfillFrom` also what was since then. */
export async function start(office: Office, row: StoredDestination, own: Channel): Promise<void> {
  const { deps, book, state } = office;
  const { sources } = deps;
  const before = await sources.startMarks();
  await sources.seal(before.map(({ shard }) => shard));
  // One that stood by begins when it does so no more.
  const since = state.revision === 0 ? row.createdAt : row.updatedAt;
  const asked = state.chosen === null ? row.backfillFrom : null;
  const from = asked ?? since;
  const notice = await sources.lastNotice(from);
  const listed = await list(office, own, from);
  const told = asked === null ? null : { from: asked, to: deps.now() };
  book.transaction(() => {
    beginBackfill(office, own, { span: { from, to: null, scripts: null }, listed, told });
    state.coveredFrom = Math.min(from, since);
    beginLogs(own, listed.marks);
    if (own.rules.takesNotices) own.beginAt("notices", "", "", notice);
    state.started = true;
    state.revision = row.revision;
    state.chosen = row.rules;
    book.writeState(state);
  });
}

async function list({ deps }: Office, own: Channel, from: number): Promise<Listed> {
  if (own.rules.takesEvents) return deps.sources.takeBackfill(from, null);
  return { rows: 0, segments: 0, marks: [] };
}

/** The rules are others: Workers that they did not want before begin now, those that they do not want any more are let go. */
export async function chooseAnew(office: Office, row: StoredDestination, own: Channel): Promise<void> {
  const { deps, book, state } = office;
  const { sources } = deps;
  const wanted = (script: string) => own.rules.takesEvents && own.rules.wants(script);
  const before = state.chosen === null ? null : deps.rules(own.receiver.integration, { ...row, rules: state.chosen });
  const wasWanted = ({ script }: Mark) => before?.takesEvents === true && before.wants(script);
  const marks = await sources.startMarks();
  const isNew = ({ shard, script }: Mark) => wanted(script) && !own.has("log", shard);
  const fresh = marks.filter(isNew);
  await sources.seal(fresh.map(({ shard }) => shard));
  const notice = await sources.lastNotice(row.updatedAt);
  // There is one list: where it is in use already, that goes on.
  const isFree = !own.has("backfill", "") && fresh.some((mark) => !wasWanted(mark)) && fresh.length <= MAX_FRESH;
  const listed = isFree ? await list(office, own, row.updatedAt) : null;
  const sealed = listed?.marks ?? (fresh.length > 0 ? await sources.startMarks() : marks);
  book.transaction(() => {
    for (const { kind, shard, script } of [...own.lanes.values()]) {
      if (kind === "log" && !wanted(script)) own.end("log", shard);
      if (kind === "notices" && !own.rules.takesNotices) own.end("notices", "");
    }
    if (listed !== null) {
      const begin = listed.marks.filter((mark) => isNew(mark) && !wasWanted(mark));
      const scripts = [...new Set(begin.map(({ script }) => script))];
      beginBackfill(office, own, { span: { from: row.updatedAt, to: null, scripts }, listed, told: null });
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
    state.revision = own.receiver.revision;
    state.span = null;
    book.writeState(state);
  });
}

function beginLogs(own: Channel, marks: readonly Mark[]): void {
  if (!own.rules.takesEvents) return;
  for (const { shard, script, through } of marks)
    if (own.rules.wants(script)) own.beginAt("log", shard, script, through);
}
