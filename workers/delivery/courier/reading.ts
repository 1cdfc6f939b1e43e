/** Reads on in one lane: from its source, through the rules, to what its window holds. */
import type { Page, Position } from "../contract.ts";
import type { Ceiling } from "../rules/ceiling.ts";
import type { Channel } from "./channel.ts";
import type { Lane } from "./lane.ts";
import { FIRST_PAGE_BYTES, NOTICES_PAGE, PAGE_BYTES, PAGE_ROWS, PRESSURE_USE } from "./limits.ts";
import { loadNotices, loadPage, wantsOf } from "./loading.ts";
import type { Sources } from "./needs.ts";
import type { Loaded } from "./slot.ts";

const PAGE = { maxBytes: PAGE_BYTES, maxRows: PAGE_ROWS };
/** After a quiet time: whether a burst begins is known with it. */
const FIRST_PAGE = { maxBytes: FIRST_PAGE_BYTES, maxRows: PAGE_ROWS };

type Reader = Pick<Channel, "name" | "office" | "rules">;

/** Throws when a store is away. */
export async function readLane(reader: Reader, lane: Lane, ceiling: Ceiling): Promise<Loaded & { next: Position }> {
  const { office, rules } = reader;
  const { deps, state } = office;
  if (lane.kind === "notices" || lane.kind === "earlier") {
    const read = await deps.sources.notices(lane.next.through, NOTICES_PAGE);
    const found = lane.kind === "notices" ? read : upTo(state.noticesTo, read);
    const loaded = loadNotices(rules.notices(found.notices), found, deps.now());
    return { ...loaded, next: { through: found.through, offset: 0 } };
  }
  const limits = lane.hadMore ? PAGE : FIRST_PAGE;
  const page = lane.kind === "log" ? await readLog(reader, lane, limits) : await readSegments(reader, lane);
  // Entries without errors are skipped without a look: that costs the Ingester nothing.
  const isBurst = page.use > PRESSURE_USE && !rules.errorsOnly;
  lane.pace({ isBurst, hasMore: page.more, isPutOff: page.isBusy }, deps.now());
  const loaded = loadPage(page, rules, ceiling, lane.kind === "backfill" ? state.span : null);
  return { ...loaded, next: page.after(page.invocations.length) };
}

/** The same of what lies beyond the window; whoever wants errors alone need not look at the rest. */
export async function readBeyond(
  reader: Reader,
  lane: Lane,
  ceiling: Ceiling,
  errorsOnly: boolean,
): Promise<Loaded & { next: Position }> {
  const { office, rules } = reader;
  const from = lane.beyondFrom;
  const page = await (lane.kind === "log"
    ? readLog(reader, lane, PAGE, from, errorsOnly)
    : readSegments(reader, lane, from, errorsOnly));
  const isBurst = page.use > PRESSURE_USE && !errorsOnly;
  lane.pace({ isBurst, hasMore: page.more, isPutOff: page.isBusy }, office.deps.now());
  const loaded = loadPage(page, rules, ceiling, lane.kind === "backfill" ? office.state.span : null);
  return { ...loaded, next: page.after(page.invocations.length) };
}

/** Later ones have their turn with the live ones. */
function upTo(last: number, { notices, through, more }: Awaited<ReturnType<Sources["notices"]>>) {
  const earlier = notices.filter(({ id }) => id <= last);
  return { notices: earlier, through: Math.min(through, last), more: more && earlier.length === notices.length };
}

function readLog(
  { name, office, rules }: Reader,
  { shard, script, next }: Lane,
  limits: typeof PAGE,
  position = next,
  errorsOnly = rules.errorsOnly,
): Promise<Page> {
  const reader = name === "own" ? office.id : `${office.id}:via`;
  return office.deps.sources.read({ shard, script, reader, position, errorsOnly, ...limits });
}

function readSegments(
  { office, rules }: Reader,
  { next }: Lane,
  position = next,
  errorsOnly = rules.errorsOnly,
): Promise<Page> {
  const wants = wantsOf(rules, office.state.span);
  const request = { destination: office.id, position, maxRows: PAGE_ROWS, errorsOnly, wants };
  return office.deps.sources.readBackfill(request);
}
