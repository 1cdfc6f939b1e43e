/**
 * What the outcomes of one batch mean for each of its items: done, a dead letter,
 * in smaller batches, or again later. Pure.
 *
 * A receiver that refuses a batch may mean one item of it, so halves follow until
 * one stands alone. One that fails on a batch again and again while it takes
 * others may stumble over one item, so the same is done there. But when a run of
 * items is refused, with none taken between, it is not the items: nothing more is
 * thrown out, and a person is told.
 */
import type { Feed } from "../../api/contract/integrations.ts";
import type { Failure, ItemOutcome, SendResult } from "../../integrations/contract.ts";
import { halved } from "./batcher.ts";
import { HALVE_TRIES, POISON_TRIES, REFUSED_IN_ROW } from "./limits.ts";
import type { Slot } from "./slot.ts";

export interface Verdict {
  delivered: Slot[];
  /** Never will be taken. */
  dead: { slot: Slot; failure: Failure }[];
  /** Tried again, in batches of at most `cap`. */
  again: { slot: Slot; failure: Failure; cap: number; refused: boolean }[];
  /** Of the whole batch, when nothing was taken: the most telling. */
  failure: Failure | null;
  /** Of items of one kind alone: they wait, others go on. */
  limits: ReadonlyMap<Feed, Failure>;
  /** Only a person can mend it. */
  held: Failure | null;
  refusedInRow: number;
}

export interface Before {
  refusedInRow: number;
  /** ms: when something was delivered last. */
  deliveredAt: number;
  /** Already waiting for a person: nothing is thrown out. */
  held: boolean;
}

const HOLDING: ReadonlySet<Failure["kind"]> = new Set(["unauthorized", "misplaced", "blocked"]);
const STUMBLES: ReadonlySet<Failure["kind"]> = new Set(["unavailable", "lying", "timeout", "unreachable"]);

export function judge(slots: readonly Slot[], { outcomes }: Pick<SendResult, "outcomes">, before: Before): Verdict {
  const verdict: Verdict = {
    ...{ delivered: [], dead: [], again: [], failure: null, limits: new Map(), held: null },
    refusedInRow: before.refusedInRow,
  };
  const refused: { slot: Slot; failure: Failure }[] = [];
  const later: { slot: Slot; failure: Failure }[] = [];
  for (const [i, slot] of slots.entries()) {
    const outcome = outcomes[i] ?? MISSING;
    if (outcome === "delivered") verdict.delivered.push(slot);
    else if ("refused" in outcome) refused.push({ slot, failure: outcome.refused });
    else later.push({ slot, failure: outcome.again });
  }
  if (verdict.delivered.length > 0) verdict.refusedInRow = 0;
  judgeRefused(verdict, refused, slots.length, before);
  judgeLater(verdict, later, slots.length, before);
  if (verdict.delivered.length === 0)
    verdict.failure = later.find(({ failure }) => failure.only === undefined)?.failure ?? null;
  verdict.limits = limitsOf(later);
  return verdict;
}

/** The longest of each kind. */
function limitsOf(later: readonly { failure: Failure }[]): Map<Feed, Failure> {
  const limits = new Map<Feed, Failure>();
  for (const { failure } of later) {
    if (failure.only === undefined) continue;
    const known = limits.get(failure.only);
    if (known === undefined || (failure.retryAfterMs ?? 0) > (known.retryAfterMs ?? 0))
      limits.set(failure.only, failure);
  }
  return limits;
}

function judgeRefused(
  verdict: Verdict,
  refused: { slot: Slot; failure: Failure }[],
  size: number,
  before: Before,
): void {
  const [only] = refused;
  if (only === undefined) return;
  const isAlone = refused.length === 1 && (size === 1 || verdict.delivered.length > 0);
  if (isAlone && !before.held && verdict.refusedInRow < REFUSED_IN_ROW) {
    verdict.dead.push(only);
    verdict.refusedInRow += 1;
    return;
  }
  if (isAlone) {
    const { failure } = only;
    verdict.held = {
      ...failure,
      message: `${REFUSED_IN_ROW} items in a row were refused, the last with: ${failure.message}`,
    };
  }
  const cap = halved(refused.length);
  for (const { slot, failure } of refused) verdict.again.push({ slot, failure, cap, refused: true });
}

function judgeLater(verdict: Verdict, later: { slot: Slot; failure: Failure }[], size: number, before: Before): void {
  for (const { slot, failure } of later) {
    if (failure.only !== undefined) {
      verdict.again.push({ slot, failure, cap: slot.cap, refused: false });
      continue;
    }
    if (HOLDING.has(failure.kind)) verdict.held ??= failure;
    const stumbles = STUMBLES.has(failure.kind);
    // Others got through since it was first tried alone: the receiver is well, and this is what it stumbles over.
    const isPoison =
      stumbles && size === 1 && slot.aloneTries + 1 >= POISON_TRIES && before.deliveredAt > slot.aloneSince;
    if (isPoison && !before.held) verdict.dead.push({ slot, failure });
    else {
      const cap = stumbles && slot.tries + 1 >= HALVE_TRIES ? halved(size) : slot.cap;
      verdict.again.push({ slot, failure, cap, refused: false });
    }
  }
}

const MISSING: ItemOutcome = {
  again: { kind: "lying", status: 0, message: "The integration gave no outcome for this item." },
};
