/** Makes of a page what a lane's window holds: items that rules let through, with the position after each invocation. Pure but for the ceiling. */
import type { Invocation, Item } from "../../integrations/contract.ts";
import type { Page, Position } from "../contract.ts";
import type { Ceiling } from "../rules/ceiling.ts";
import type { Rules } from "./needs.ts";
import type { Loaded, Passed } from "./slot.ts";

/** Bytes of an item beside its texts: names of fields, numbers, ids. */
const ITEM_BYTES = 300;
/** … and, in memory, of each event, and of each item and its place in the window: as V8's heap was measured. */
const EVENT_HEAP_BYTES = 200;
const ITEM_HEAP_BYTES = 400;
const ATTRIBUTE_BYTES = 30;
const NOTICE_BYTES = 2_000;
const MINUTE_MS = 60_000;

/** What a list of segments is read for; the rest of them is another's turn. */
export interface Span {
  /** ms, half-open; null: without an end. */
  from: number;
  to: number | null;
  /** Workers; null: all that rules want. */
  scripts: readonly string[] | null;
}

export const wantsOf =
  (rules: Pick<Rules, "wants">, span: Span | null) =>
  (script: string): boolean =>
    rules.wants(script) && (span === null || span.scripts === null || span.scripts.includes(script));

type Step = Loaded["steps"][number];

/** @param span of a back-fill */
export function loadPage(page: Page, rules: Rules, ceiling: Ceiling, span: Span | null): Loaded {
  const steps: Step[] = [];
  const wants = wantsOf(rules, span);
  let passed = nothing();
  for (const [i, invocation] of page.invocations.entries()) {
    const { items, sampled } = wants(invocation.script) ? rules.items(invocation) : NONE;
    passed.sampled += sampled;
    passed.rows += invocation.events.length;
    const kept = throughCeiling(inSpan(items, span), ceiling, rules.perMinute !== null, passed);
    if (kept.length === 0) continue;
    const holds = heldBy(invocation) + ITEM_HEAP_BYTES * kept.length;
    steps.push({ items: kept, holds, position: () => page.after(i + 1), passed });
    passed = nothing();
  }
  passed.lost += page.lost;
  steps.push({ items: [], holds: 0, position: () => page.after(page.invocations.length), passed });
  return { steps, more: page.more, waiting: page.waiting, oldest: page.oldest };
}

/** Notices have an ascending number each. */
export function loadNotices(
  items: readonly Item[],
  { through, more }: { through: number; more: boolean },
  now: number,
): Loaded {
  const steps = items.map((item): Step => {
    const position = { through: item.feed === "notices" ? item.notice.id : through, offset: 0 };
    const items = [{ item, at: atOf(item), bytes: NOTICE_BYTES }];
    return { items, holds: NOTICE_BYTES, position: () => position, passed: nothing() };
  });
  const end: Position = { through, offset: 0 };
  steps.push({ items: [], holds: 0, position: () => end, passed: nothing() });
  return { steps, more, waiting: more ? 1 : 0, oldest: more ? now : null };
}

const NONE: { items: readonly Item[]; sampled: number } = { items: [], sampled: 0 };

interface Counting extends Passed {
  taken: Map<number, number> | null;
}
const nothing = (): Counting => ({ sampled: 0, taken: null, ceiling: 0, lost: 0, rows: 0 });

function inSpan(items: readonly Item[], span: Span | null): readonly Item[] {
  if (span === null) return items;
  const { from, to } = span;
  return items.filter((item) => atOf(item) >= from && (to === null || atOf(item) < to));
}

function throughCeiling(items: readonly Item[], ceiling: Ceiling, isCounted: boolean, passed: Counting): Step["items"] {
  const kept: { item: Item; at: number; bytes: number }[] = [];
  for (const item of items) {
    const at = atOf(item);
    if (!ceiling.admits(at * 1000)) {
      passed.ceiling += 1;
      continue;
    }
    if (isCounted) {
      const minute = Math.floor(at / MINUTE_MS);
      passed.taken ??= new Map();
      passed.taken.set(minute, (passed.taken.get(minute) ?? 0) + 1);
    }
    kept.push({ item, at, bytes: bytesOf(item) });
  }
  return kept;
}

/** ms since the epoch. */
const atOf = (item: Item): number => (item.feed === "notices" ? item.notice.at : item.event.time / 1000);

/** Each item holds on to all events of its invocation: counted once for all of them. */
const heldBy = ({ events }: Invocation): number =>
  events.reduce((sum, event) => sum + EVENT_HEAP_BYTES + bytesOfEvent(event), 0);

const bytesOf = (item: Item): number => (item.feed === "notices" ? NOTICE_BYTES : bytesOfEvent(item.event));

function bytesOfEvent({ message, stack, attributes }: Invocation["events"][number]): number {
  let bytes = ITEM_BYTES + (message?.length ?? 0) + (stack?.length ?? 0);
  for (const name in attributes) {
    const value = attributes[name];
    bytes += ATTRIBUTE_BYTES + name.length + (typeof value === "string" ? value.length : 8);
  }
  return bytes;
}
