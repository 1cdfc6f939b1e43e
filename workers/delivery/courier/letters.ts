/**
 * What people do with dead letters, one thing after the other: what two replay at
 * once is sent once, and what is edited or discarded is not under way.
 */
import type { DeadLetterSelection, DeadLettersChanged } from "../../api/contract/integrations.ts";
import type { LetterEdited } from "../contract.ts";
import type { Office } from "./office.ts";
import { replay } from "./replay.ts";

export class Letters {
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly office: Office) {}

  replay(selection: DeadLetterSelection): Promise<DeadLettersChanged> {
    return this.inTurn(async () => {
      const { id, deps, book, state } = this.office;
      const row = await deps.readDestination(id);
      const opened = row === undefined ? undefined : await deps.open(row);
      if (opened === undefined || !opened.ok) return { changed: 0, refused: 0 };
      const answer = await replay(book.dead, opened.receiver, selection, () => deps.now());
      if (this.office.isGone() || answer.changed === 0) return answer;
      state.counters.delivered += answer.changed;
      state.lastDeliveredAt = deps.now();
      book.writeState(state);
      deps.count("tailrace_delivery_items_total", "delivered", answer.changed);
      return answer;
    });
  }

  discard(selection: DeadLetterSelection): Promise<DeadLettersChanged> {
    return this.inTurn(async () => ({ changed: this.office.book.dead.discard(selection), refused: 0 }));
  }

  edit(id: number, item: string): Promise<LetterEdited> {
    return this.inTurn(async () => this.office.book.dead.edit(id, item));
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }
}
