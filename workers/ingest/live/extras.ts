/**
 * What those who watch get beside the events: trace items for `wrangler tail`,
 * source-mapped stacks for everyone. A group remembers what it is made of
 * (`Witnesses`); `group-commit.ts` asks for the text when it sends the group, and
 * only while somebody watches. Where nothing comes from here, the hub makes items
 * of the events.
 */
import type { LiveExtras } from "../../live/contract.ts";
import type { Found } from "../grouping/grouper.ts";
import type { Invocation } from "../normalize/normalize.ts";
import type { Redactor } from "../redact/redact.ts";
import { mappedStacks, traceItem, type Witness } from "./trace-item.ts";

/**
 * Of a group that nobody is known to watch: an Ingester may know more, and then
 * asks. References only, to what its tail calls hold anyway until they end.
 */
export const MAX_UNWATCHED = 50;
/** Of one that is watched. */
export const MAX_WATCHED = 2_000;
/** Items of one group, and their text: a group is a twentieth of a second, and nobody reads as much. */
const MAX_ITEMS = 500;
const MAX_ITEMS_CHARS = 1_000_000;
const MAX_STACKS = 1_000;
const MAX_STACKS_CHARS = 500_000;

export class Witnesses {
  private readonly all: Witness[] = [];

  constructor(private readonly limit: number) {}

  /** An invocation that is kept. */
  add(invocation: Invocation, found: Found, redactor: Redactor): void {
    if (this.all.length < this.limit) this.all.push({ invocation, found, redactor });
  }

  /** JSON of `LiveExtras`; "" when there is nothing to add. */
  extras(wants: { items: boolean }): string {
    const stacks = stacksOf(this.all);
    const items = wants.items ? itemsOf(this.all) : undefined;
    if (stacks === undefined && items === undefined) return "";
    // Items last: the Ingester cuts them off for those who do not want them.
    return JSON.stringify({ stacks, items } satisfies { [K in keyof LiveExtras]: LiveExtras[K] | undefined });
  }

  /** The group is durable: its items are let go. */
  clear(): void {
    this.all.length = 0;
  }
}

/** Failures first: where there is not room for all, the hub makes the others of their events. */
function itemsOf(witnesses: readonly Witness[]): Record<string, string> | undefined {
  const failed = witnesses.filter(({ invocation }) => invocation.failed);
  const others = failed.length === 0 ? witnesses : witnesses.filter(({ invocation }) => !invocation.failed);
  const items: Record<string, string> = {};
  let count = 0;
  let chars = 0;
  for (const witness of failed.length === 0 ? others : [...failed, ...others]) {
    if (count >= MAX_ITEMS || chars >= MAX_ITEMS_CHARS) break;
    const item = written(witness);
    if (item === undefined) continue;
    items[witness.invocation.fields.invocation_id] = item;
    count += 1;
    chars += item.length;
  }
  return count === 0 ? undefined : items;
}

function stacksOf(witnesses: readonly Witness[]): Record<string, string> | undefined {
  const stacks: Record<string, string> = {};
  let count = 0;
  let chars = 0;
  for (const witness of witnesses) {
    if (witness.found.occurrences.length === 0) continue;
    for (const [seq, stack] of mappedStacks(witness)) {
      if (count >= MAX_STACKS || chars >= MAX_STACKS_CHARS) return stacks;
      stacks[`${witness.invocation.fields.invocation_id}.${seq}`] = stack;
      count += 1;
      chars += stack.length;
    }
  }
  return count === 0 ? undefined : stacks;
}

/** Getters of a native item may throw: then there is none. */
function written(witness: Witness): string | undefined {
  try {
    return traceItem(witness);
  } catch {
    return undefined;
  }
}
