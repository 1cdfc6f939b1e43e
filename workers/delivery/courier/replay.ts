/**
 * Dead letters are sent once more because a person says so: past the cursors and
 * the circuit, in batches, and one by one where a batch is refused. What is taken
 * is a dead letter no longer; what is refused stays, with what was said now.
 */
import type { DeadLetterSelection, DeadLettersChanged } from "../../api/contract/integrations.ts";
import type { Failure, Item, ItemOutcome } from "../../integrations/contract.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { REPLAY_MS, SEND_MS } from "./limits.ts";
import type { Receiver } from "./needs.ts";

interface Letter {
  id: number;
  item: Item;
}

/** Items of a batch at most: a person waits, and one refusal costs single tries. */
const BATCH_ITEMS = 50;

export async function replay(
  dead: DeadLetters,
  receiver: Receiver,
  selection: DeadLetterSelection,
  now: () => number,
): Promise<DeadLettersChanged> {
  const until = now() + REPLAY_MS;
  const total = { changed: 0, refused: 0 };
  let after = 0;
  const most = Math.min(BATCH_ITEMS, receiver.integration.limits.items);
  while (now() < until) {
    const chosen = dead.chosen(selection, after, most);
    if (chosen.length === 0) break;
    after = chosen.at(-1)?.id ?? after;
    const letters: Letter[] = [];
    for (const { id, read } of chosen) {
      if (read.ok) letters.push({ id, item: read.item });
      else {
        dead.refusedAgain(id, unreadable(read.problem), now());
        total.refused += 1;
      }
    }
    const outcomes = await sendAll(receiver, letters, until, now);
    const taken: number[] = [];
    for (const [i, { id }] of letters.entries()) {
      const outcome = outcomes[i];
      if (outcome === "delivered") taken.push(id);
      else if (outcome !== undefined) {
        dead.refusedAgain(id, failureOf(outcome), now());
        total.refused += 1;
      }
    }
    total.changed += dead.discard({ ids: taken });
    // Not one of them got through, and not by their own fault: the rest would fare no better.
    if (
      letters.length > 0 &&
      taken.length === 0 &&
      outcomes.every((outcome) => outcome !== "delivered" && outcome !== undefined && "again" in outcome)
    )
      break;
  }
  return total;
}

async function sendAll(receiver: Receiver, letters: readonly Letter[], until: number, now: () => number) {
  const outcomes: (ItemOutcome | undefined)[] = [...(await send(receiver, letters))];
  const refused = letters.filter((_, i) => isRefused(outcomes[i]));
  if (letters.length === 1 || refused.length < 2) return outcomes;
  for (const letter of refused) {
    if (now() >= until) break;
    outcomes[letters.indexOf(letter)] = (await send(receiver, [letter]))[0];
  }
  return outcomes;
}

async function send(
  { integration, values, io }: Receiver,
  letters: readonly Letter[],
): Promise<readonly ItemOutcome[]> {
  if (letters.length === 0) return [];
  const items = letters.map(({ item }) => item);
  try {
    return (await within(SEND_MS, undefined, integration.send(values, items, io))).outcomes;
  } catch (error) {
    // What a person edited may be nonsense to the integration: each by itself then.
    const failure: Failure = { kind: "refused", status: 0, message: rootMessage(error) };
    return letters.map(() => ({ refused: failure }));
  }
}

/** Stored by an earlier release, which looked at less of what people wrote. */
const unreadable = (problem: string): Failure => ({
  ...{ kind: "refused", status: 0 },
  message: `It was not sent, because it cannot be read: ${problem} Edit it, or throw it away.`,
});

const isRefused = (outcome: ItemOutcome | undefined) =>
  outcome !== undefined && outcome !== "delivered" && "refused" in outcome;

const failureOf = (outcome: Exclude<ItemOutcome, "delivered">): Failure =>
  "refused" in outcome ? outcome.refused : outcome.again;
