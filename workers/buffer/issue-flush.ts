/**
 * Brings issue deltas from the log to D1 within seconds (errors/issues/), in the
 * order of the log, a bounded batch at a time. The Ingester's alarm calls it when
 * it is due, the sealer before it drops a chunk.
 *
 * How far it is stands in D1 (`shards.issues_through`), moved by the very batch
 * that counts: after a crash or a lost answer the mark says what is counted.
 * Appends never wait for any of this. When D1 is away, deltas wait in the log.
 * Deltas that cannot be read, or that D1 refuses alone while it takes others, are
 * set aside: they must not keep the rest waiting, nor events from being sealed.
 */
import { aggregate, replayIds, type Sums } from "../errors/issues/aggregate.ts";
import { applySums, type Flushed, probe, readMark } from "../errors/issues/apply.ts";
import { FLUSH_BYTES, FLUSH_ENTRIES } from "../errors/issues/limits.ts";
import { readDeltas } from "../errors/issues/read-deltas.ts";
import { rootMessage } from "../util/error-message.ts";
import { hash53 } from "../util/hash.ts";
import { within } from "../util/within.ts";
import type { AppendRequest } from "./contract.ts";
import { FlushSchedule } from "./flush-schedule.ts";
import { REMEMBER_OCCURRENCES, STORE_TIMEOUT_MS, STRIKES } from "./limits.ts";
import { RecentIds } from "./recent-ids.ts";
import { backoff } from "./sealer.ts";
import { SketchCache } from "./sketch-cache.ts";
import { VersionWatch } from "./version-watch.ts";
import type { Log } from "./write-ahead-log.ts";

export interface FlushParts {
  log: Log;
  sql: SqlStorage;
  atomically: (work: () => void) => void;
  d1: () => D1Database;
  shard: string;
  script: () => string;
  /** Called after a batch: what is to be told, and which versions have a map by now. */
  flushed: (result: Flushed) => void;
  /** Called after a batch that D1 did not take. */
  failed: () => void;
}

interface Page {
  sums: Sums;
  afterId: number;
  throughId: number;
  entries: number;
  /** Of the first entry. */
  firstId: number;
}

export class IssueFlush {
  failures = 0;
  lastError: string | undefined;
  private retryAt = 0;
  /** When the first try began that has brought nothing to D1 since. */
  private triedSince: number | undefined;
  /** Deltas of log entries up to here are in D1; undefined until D1 was asked. */
  private mark: number | undefined;
  /** Highest log id with deltas. */
  private lastId: number;
  /** Entries of the next batch: fewer after a batch that D1 refused, to find the one that it minds. */
  private width = FLUSH_ENTRIES;
  private strikes = 0;
  private running: Promise<unknown> = Promise.resolve();
  private readonly schedule = new FlushSchedule();
  private readonly versions = new VersionWatch();
  private readonly sketches: SketchCache;
  /** Replayable occurrences that are counted, by the hash of their id. */
  private readonly counted: RecentIds<number>;

  constructor(private readonly parts: FlushParts) {
    this.counted = new RecentIds(parts.sql, "counted", REMEMBER_OCCURRENCES);
    this.sketches = new SketchCache(parts.shard);
    this.lastId = parts.log.lastIssuesId();
    if (this.lastId > 0) this.schedule.news(Date.now());
  }

  /** When it wants to run, ms; undefined when there is nothing to do. */
  get dueAt(): number | undefined {
    const due = this.schedule.dueAt;
    return due === undefined ? undefined : Math.max(due, this.retryAt);
  }

  /** How long something has been due without getting anywhere, ms. */
  waitingMs(now: number): number {
    return Math.max(now - Math.min(this.triedSince ?? now, this.schedule.dueAt ?? now), 0);
  }

  /** An append that is in the log now, as entry `id`. */
  note(request: AppendRequest, id: number, now: number): void {
    if (this.versions.see(request, now)) this.schedule.news(now);
    if (request.issues === undefined || request.issues.length === 0) return;
    this.lastId = id;
    this.schedule.note(request.issues, now);
  }

  /** Flushes all there is, one caller at a time. False when D1 did not take it; then it wants to run again later. */
  run(): Promise<boolean> {
    const result = this.running.then(() => this.flush());
    this.running = result;
    return result;
  }

  /** Resolves when no deltas up to `lastId` are left in the log; throws when D1 does not take them. */
  async ensure(lastId: number): Promise<void> {
    if (this.lastId === 0 || this.isThrough(lastId)) return;
    if (!(await this.run()) && !this.isThrough(lastId)) {
      throw new Error(`issues of this chunk are not counted: ${this.lastError ?? ""}`);
    }
  }

  private isThrough(lastId: number): boolean {
    return this.mark !== undefined && this.mark >= Math.min(lastId, this.lastId);
  }

  private async flush(): Promise<boolean> {
    let page: Page | undefined;
    this.schedule.done();
    this.triedSince ??= Date.now();
    try {
      for (;;) {
        page = undefined;
        page = await this.nextPage();
        if (page === undefined) {
          this.triedSince = undefined;
          return true;
        }
        await this.apply(page);
        this.healed();
      }
    } catch (error) {
      await this.failed(error, page);
      return false;
    }
  }

  /** Undefined when there is nothing left to do. */
  private async nextPage(): Promise<Page | undefined> {
    const { log } = this.parts;
    if (this.lastId > 0) await this.findMark();
    const afterId = this.mark ?? 0;
    const { entries, throughId } =
      this.lastId > afterId
        ? log.issuesPage(afterId, { maxBytes: FLUSH_BYTES, maxEntries: this.width })
        : { entries: [], throughId: afterId };
    if (entries.length === 0) {
      this.lastId = afterId;
      this.schedule.done();
      if (this.versions.news.length === 0) return undefined;
    }
    const deltas = entries.flatMap(({ id, issues }) => this.readable(id, issues));
    const sums = aggregate(deltas, (id) => this.counted.has(hash53(id)));
    // Entries without anything readable move the mark as well: they must not be read again and again.
    const through = entries.length === 0 ? afterId : throughId;
    return { sums, afterId, throughId: through, entries: entries.length, firstId: entries[0]?.id ?? 0 };
  }

  private async apply({ sums, afterId, throughId }: Page): Promise<void> {
    const { shard, script, d1 } = this.parts;
    const versions = this.versions.news;
    const grown = await within(STORE_TIMEOUT_MS, "D1", this.sketches.add(d1(), sums.distinct));
    const flush = { shard, script: script(), afterId, throughId, now: Date.now(), sums, sketches: grown, versions };
    const result = await within(STORE_TIMEOUT_MS, "D1", applySums(d1(), flush));
    this.versions.registered(versions);
    this.schedule.flushed(sums.versions, flush.now);
    if (throughId > afterId) {
      if (result.throughId === throughId) this.remember(throughId, sums.counted);
      else {
        // An earlier try was applied after all: what these sums knew more is not in D1 yet.
        this.sketches.forget();
        await this.catchUp(afterId, result.throughId);
      }
      this.mark = result.throughId;
    }
    this.parts.flushed(result);
  }

  private async findMark(): Promise<void> {
    if (this.mark !== undefined) return;
    const mark = await within(STORE_TIMEOUT_MS, "D1", readMark(this.parts.d1(), this.parts.shard));
    // A former life of this object may have flushed these without noting what they counted.
    await this.catchUp(this.counted.throughId, mark);
    this.mark = mark;
    // Nor do we know whether it passed on what it found.
    this.parts.flushed({ throughId: mark, told: true, mapped: [] });
  }

  /** Notes which replayable occurrences are in D1 because of entries `(afterId, throughId]`. */
  private async catchUp(afterId: number, throughId: number): Promise<void> {
    for (let at = afterId; at < throughId; ) {
      const page = this.parts.log.issuesPage(at, { maxBytes: FLUSH_BYTES, maxEntries: FLUSH_ENTRIES });
      const reached = page.entries.filter((e) => e.id <= throughId && e.issues.includes('"replayable"'));
      const ids = reached.flatMap(({ id, issues }) => this.readable(id, issues).flatMap(replayIds));
      this.remember(Math.min(page.throughId, throughId), ids);
      if (page.throughId <= at) return;
      at = page.throughId;
    }
  }

  private remember(throughId: number, ids: string[]): void {
    const fresh = ids.map(hash53).filter((hash) => !this.counted.has(hash));
    if (fresh.length > 0) this.parts.atomically(() => this.counted.keep(throughId, Date.now(), fresh));
  }

  private readable(id: number, issues: string) {
    try {
      return readDeltas(issues);
    } catch (error) {
      this.setAside(id, error);
      return [];
    }
  }

  private setAside(id: number, error: unknown): void {
    const message = rootMessage(error);
    console.error(`issue deltas ${id} of ${this.parts.shard} are set aside: ${message}`);
    this.parts.atomically(() => this.parts.log.quarantineIssues(id, Date.now(), message));
  }

  private healed(): void {
    this.triedSince = Date.now();
    this.failures = 0;
    this.lastError = undefined;
    this.retryAt = 0;
    this.strikes = 0;
    this.width = Math.min(this.width * 2, FLUSH_ENTRIES);
  }

  /** D1 away: wait longer and longer. D1 there, but not for this batch: look for the entry that it minds. */
  private async failed(error: unknown, page: Page | undefined): Promise<void> {
    this.failures += 1;
    this.parts.failed();
    this.lastError = rootMessage(error);
    this.sketches.forget();
    console.error(`flush of issues of ${this.parts.shard} failed ${this.failures} times: ${this.lastError}`);
    const minds = page !== undefined && page.entries > 0 && (await this.takesOthers());
    const now = Date.now();
    // Tries that nobody waited for are no further strike: what ails D1 may pass in a moment.
    const isNextTry = now >= this.retryAt;
    if (isNextTry) this.retryAt = now + backoff(minds ? 1 : this.failures);
    this.schedule.news(now);
    if (!minds || page === undefined) return;
    if (page.entries > 1) {
      this.width = Math.max(Math.floor(page.entries / 2), 1);
      this.strikes = 0;
    } else if (isNextTry && ++this.strikes >= STRIKES) {
      this.strikes = 0;
      this.setAside(page.firstId, error);
    }
  }

  private async takesOthers(): Promise<boolean> {
    const { d1, shard } = this.parts;
    return within(STORE_TIMEOUT_MS, "D1", probe(d1(), shard, Date.now())).then(
      () => true,
      () => false,
    );
  }
}
