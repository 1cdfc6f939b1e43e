/**
 * What the parts of one Courier work on together: engine.ts makes one, its channels,
 * back-fills and dead letters get it. So each of them is handed one thing, and none
 * knows the engine; the price is that all of them see all of it.
 */
import type { Book } from "./book.ts";
import type { Measures } from "./measures.ts";
import type { Dependencies } from "./needs.ts";
import type { CourierState } from "./state.ts";

export interface Office {
  id: string;
  deps: Dependencies;
  book: Book;
  state: CourierState;
  measures: Measures;
  /** Reads and sends that were begun. */
  started: number;
  /** What is in memory is not on disk: the run ends, and begins again with what is there. */
  breaks(error: unknown): void;
  /** Something ended: the loop looks again. */
  ring(): void;
  /** Removed while something was under way: nothing is written any more. */
  isGone(): boolean;
}
