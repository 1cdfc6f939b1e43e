/** Takes invocations until a page is full, and knows the position after each of them. Pure. */
import type { Invocation } from "../../integrations/contract.ts";
import type { Page, Position } from "../contract.ts";
import type { Found, Invocations } from "./invocations.ts";

export class PageBuilder {
  private readonly invocations: Invocation[] = [];
  private readonly found: Found[] = [];
  private rows = 0;
  /** Rows of what it holds, and of what it passed over: done before, or not asked for. */
  seen = 0;
  /** The first that had no room. */
  private next: Found | undefined;

  constructor(
    private readonly from: Position,
    private readonly maxRows: number,
    private readonly errorsOnly: boolean,
  ) {}

  get isFull(): boolean {
    return this.next !== undefined;
  }

  get isEmpty(): boolean {
    return this.invocations.length === 0;
  }

  get taken(): number {
    return this.rows;
  }

  /** In the order of positions, from page to page. False when there was no room for all. */
  take(source: Invocations, list: readonly Found[]): boolean {
    const { through, offset } = this.from;
    for (const found of list) {
      const isDone = found.entry <= through || (found.entry === through + 1 && found.place < offset);
      const isWanted = !isDone && (found.isError || !this.errorsOnly);
      if (isWanted && this.rows >= this.maxRows) {
        this.next = found;
        return false;
      }
      this.seen += found.rows.length;
      if (!isWanted) continue;
      this.rows += found.rows.length;
      this.found.push(found);
      this.invocations.push(source.make(found));
    }
    return true;
  }

  /** `end`: where everything is that was looked at, if all of it had room. */
  build(end: Position, rest: Omit<Page, "invocations" | "after">): Page {
    const { invocations, found, next, from } = this;
    const last = next === undefined ? end : before(next);
    const after = (count: number): Position => {
      if (count >= found.length) return last;
      return count <= 0 ? from : before(found[count] as Found);
    };
    return { invocations, after, ...rest, more: rest.more || next !== undefined };
  }
}

/** All before it is done, it is not. */
const before = ({ entry, place }: Found): Position => ({ through: entry - 1, offset: place });
