/** What all parts of one guard work on. */
import type { Book } from "./book.ts";
import type { Dependencies } from "./dependencies.ts";

export interface Desk {
  /** Name of the Worker. */
  script: string;
  /** Name of the Worker that Tailrace is. */
  self: string;
  book: Book;
  deps: Dependencies;
}
