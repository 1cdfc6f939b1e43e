/**
 * The filters of a hub's viewers, each once however many use it, and the look-ups
 * of their issues. A filter that a viewer brings is compiled when it is first
 * asked for, and forgotten with its last audience.
 */
import { type QueryError, QueryFailure } from "../query/errors.ts";
import { resolveIssues } from "../query/issues.ts";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import { compileInto, type LiveFilter, type ReadFilter, readFilter } from "./filter.ts";
import { ISSUES_FRESH_MS, ISSUES_RANGE_MS, ISSUES_RETRY_MS, ISSUES_TIMEOUT_MS, RECENT_FILTERS } from "./limits.ts";

export class Filters {
  private readonly byText = new Map<string, LiveFilter>();
  /** Asked for a moment ago: hundreds come again at once with the same one. */
  private readonly recent = new Map<string, LiveFilter>();

  constructor(private readonly db: D1Database) {}

  /** Ready to be compared with, or what is wrong with it. */
  async open(q: string, now: number): Promise<ReadFilter> {
    const read = this.peek(q, now);
    if (!read.ok || read.filter.node !== undefined) return read;
    const error = await this.resolve(read.filter, now);
    return error === undefined ? read : { ok: false, error };
  }

  /** Without waiting: `node` may be missing. */
  peek(q: string, now: number): ReadFilter {
    const known = this.byText.get(q) ?? this.recent.get(q);
    if (known !== undefined) return { ok: true, filter: known };
    const read = readFilter(q, now);
    if (read.ok) {
      this.recent.set(q, read.filter);
      if (this.recent.size > RECENT_FILTERS) this.recent.delete(this.recent.keys().next().value as string);
    }
    return read;
  }

  /** It has an audience. Returns the one that is used by others already, if there is. */
  use(filter: LiveFilter): LiveFilter {
    const known = this.byText.get(filter.q);
    if (known?.node !== undefined) return known;
    this.byText.set(filter.q, filter);
    return filter;
  }

  forget(filter: LiveFilter): void {
    this.byText.delete(filter.q);
  }

  /** Makes those ready that are not, as after an eviction. D1 that does not answer holds pushes up once, not each of them. */
  async ready(now: number): Promise<void> {
    const waiting = [...this.byText.values()].filter(
      ({ node, resolvedAt }) => node === undefined && now - resolvedAt > ISSUES_RETRY_MS,
    );
    if (waiting.length > 0) await Promise.all(waiting.map((filter) => this.resolve(filter, now)));
  }

  /** Looks issues up again where the last time is long ago. Nobody waits for it. */
  refresh(now: number): void {
    for (const filter of this.byText.values()) {
      if (!filter.hasIssues || filter.node === undefined || now - filter.resolvedAt < ISSUES_FRESH_MS) continue;
      void this.resolve(filter, now);
    }
  }

  /** Never throws; what was known stays when the look-up fails. */
  private async resolve(filter: LiveFilter, now: number): Promise<QueryError | undefined> {
    filter.resolvedAt = now;
    try {
      const range = { from: (now - ISSUES_RANGE_MS) * 1_000, to: now * 1_000 };
      const resolved = await within(ISSUES_TIMEOUT_MS, "issues", resolveIssues(this.db, filter.query, range));
      return compileInto(filter, resolved.filter);
    } catch (error) {
      if (error instanceof QueryFailure) return error.error;
      return { code: "unavailable", message: `Issues cannot be looked up (${rootMessage(error)}). Try again.` };
    }
  }
}
