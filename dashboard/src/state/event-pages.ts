/**
 * The rows behind the list of events: pages fetched by cursor, newest first, as
 * one scrolls. Only pages near the viewport keep their rows; one that was let go
 * is fetched again by its cursor when it comes back into view. So 100,000 rows
 * cost the memory of a few thousand.
 */
import { signal } from "@preact/signals";
import type { QueryStats } from "../../../workers/api/contract.ts";
import { type ApiFailure, api } from "../api/client.ts";
import { type EventRow, listQuery, toRows } from "../lib/event-row.ts";
import { rememberName } from "../lib/versions.ts";
import { asFailure } from "./resource.ts";

/** The first page is small so that it is there at once. */
const FIRST_PAGE_ROWS = 200;
const PAGE_ROWS = 2000;
/** About 10 MB of rows. */
const PAGES_IN_MEMORY = 8;
/** Beyond this one should narrow the filter, and the list says so. */
export const MAX_ROWS = 200_000;

interface Page {
  start: number;
  count: number;
  /** Cursor that this page was fetched with. */
  before: string | undefined;
  rows: EventRow[] | undefined;
  loading: boolean;
}

export class EventPages {
  /** Moves whenever something changed. */
  readonly changed = signal(0);
  total = 0;
  done = false;
  loading = false;
  error: ApiFailure | undefined;
  stats: QueryStats | undefined;

  private readonly pages: Page[] = [];
  private next: string | undefined;
  private readonly abort = new AbortController();
  private readonly q: string;
  private readonly range: { from: number; to: number };

  constructor(q: string, range: { from: number; to: number }) {
    this.q = listQuery(q);
    this.range = range;
  }

  dispose(): void {
    this.abort.abort();
  }

  get full(): boolean {
    return this.total >= MAX_ROWS;
  }

  /** Loads the next older page, once at a time. */
  async more(): Promise<void> {
    if (this.loading || this.done || this.full || this.error !== undefined) return;
    this.loading = true;
    this.changed.value++;
    try {
      const before = this.next;
      const limit = this.pages.length === 0 ? FIRST_PAGE_ROWS : PAGE_ROWS;
      const answer = await api.query(this.q, this.range, limit, this.abort.signal, before);
      const rows = toRows(answer);
      for (const row of rows) rememberName(row.versionId, row.versionTag);
      this.stats = answer.stats;
      this.pages.push({ start: this.total, count: rows.length, before, rows, loading: false });
      this.total += rows.length;
      this.next = answer.next;
      this.done = answer.next === undefined || rows.length === 0;
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.error = asFailure(error);
    }
    this.loading = false;
    this.changed.value++;
  }

  retry(): void {
    this.error = undefined;
    void this.more();
  }

  row(index: number): EventRow | undefined {
    const page = this.pageOf(index);
    return page?.rows?.[index - page.start];
  }

  indexOf(invocation: string, seq: number): number {
    for (const page of this.pages) {
      const i = page.rows?.findIndex((r) => r.invocation === invocation && r.seq === seq) ?? -1;
      if (i >= 0) return page.start + i;
    }
    return -1;
  }

  /** Tells what is on screen: fetches what was let go, and lets the farthest go. */
  view(first: number, last: number): void {
    for (const page of this.pages) {
      const visible = page.start <= last && page.start + page.count > first;
      if (visible && page.rows === undefined && !page.loading) void this.refill(page);
    }
    const middle = (first + last) / 2;
    const held = this.pages.filter((p) => p.rows !== undefined);
    if (held.length <= PAGES_IN_MEMORY) return;
    held.sort((a, b) => Math.abs(b.start + b.count / 2 - middle) - Math.abs(a.start + a.count / 2 - middle));
    for (const page of held.slice(0, held.length - PAGES_IN_MEMORY)) page.rows = undefined;
  }

  private pageOf(index: number): Page | undefined {
    let low = 0;
    let high = this.pages.length - 1;
    while (low <= high) {
      const mid = (low + high) >> 1;
      const page = this.pages[mid] as Page;
      if (index < page.start) high = mid - 1;
      else if (index >= page.start + page.count) low = mid + 1;
      else return page;
    }
    return undefined;
  }

  private async refill(page: Page): Promise<void> {
    page.loading = true;
    try {
      const answer = await api.query(this.q, this.range, page.count, this.abort.signal, page.before);
      page.rows = toRows(answer);
    } catch (error) {
      // The rows stay blank; scrolling there again tries again.
      if (!this.abort.signal.aborted) this.error = asFailure(error);
    }
    page.loading = false;
    this.changed.value++;
  }
}
