/**
 * One of the two tables of a seekable map, in memory: its roots, and those of its
 * pages that were read. Hands open.ts the place of the block that may hold a key.
 */
import { type IndexPage, lastAtOrBefore, type Root, readPage } from "./layout.ts";

/** Pages stay: one of 256 blocks takes 3 KB. */
export class Index {
  private readonly lines: Uint32Array;
  private readonly columns: Uint32Array;
  private readonly pages: (IndexPage | undefined)[];
  bytes: number;

  private readonly roots: Root[];
  private readonly size: number;

  constructor(roots: Root[], size: number) {
    this.roots = roots;
    this.size = size;
    this.lines = Uint32Array.from(roots, (root) => root.line);
    this.columns = Uint32Array.from(roots, (root) => root.column);
    this.pages = new Array<IndexPage | undefined>(roots.length).fill(undefined);
    this.bytes = roots.length * 60;
  }

  /** Page that would list the block of this key; −1: it is before all blocks. */
  pageOf(line: number, column: number): number {
    return lastAtOrBefore(this.lines, this.columns, line, column);
  }

  page(i: number): IndexPage | undefined {
    return this.pages[i];
  }

  root(i: number): Root {
    return this.roots[i] as Root;
  }

  keep(i: number, bytes: Uint8Array): IndexPage {
    const page = readPage(bytes, this.root(i), this.size);
    this.pages[i] = page;
    this.bytes += page.lines.length * 12;
    return page;
  }
}
