/**
 * The rows of the issues list: pages by cursor as one scrolls. A refresh reads
 * again what is loaded and puts it in place, so that what is selected (by id)
 * and the place in the list stay. A change made here shows at once.
 */
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { IssueSummary, IssuesAnswer } from "../../../workers/api/contract.ts";
import type { ApiFailure, Range } from "../api/client.ts";
import { type IssueParams, issuesApi } from "../api/issues.ts";
import { assignColours, rememberName } from "../lib/versions.ts";
import { asFailure } from "./resource.ts";

const PAGE_ISSUES = 100;
/** Beyond this one should filter, and the list says so. */
export const MAX_ISSUES = 2000;
/** A refresh of more pages than these reads the first ones only. */
const REFRESH_PAGES = 3;

export type ListMeta = Pick<IssuesAnswer, "from" | "to" | "bucketMs" | "states" | "noise">;

function learn(issues: IssueSummary[]): void {
  const byScript = new Map<string, Map<string, number>>();
  for (const { script, firstVersion, lastVersion, firstSeen, lastSeen } of issues) {
    const seen = byScript.get(script) ?? new Map<string, number>();
    byScript.set(script, seen);
    for (const [v, t] of [[firstVersion, firstSeen] as const, [lastVersion, lastSeen] as const]) {
      rememberName(v.id, v.tag, v.message);
      seen.set(v.id, Math.min(seen.get(v.id) ?? t, t));
    }
  }
  for (const seen of byScript.values()) assignColours([...seen].sort((a, b) => a[1] - b[1]).map(([id]) => id));
}

export class IssueList {
  /** Moves whenever something changed. */
  readonly changed = signal(0);
  issues: IssueSummary[] = [];
  meta: ListMeta | undefined;
  done = false;
  loading = false;
  error: ApiFailure | undefined;

  private next: string | undefined;
  /** A refresh was wanted while an answer was on its way. */
  private stale = false;
  private readonly abort = new AbortController();
  /** Answers to questions that were asked before a change was made here are thrown away. */
  private generation = 0;

  constructor(
    private readonly params: IssueParams,
    private readonly range: Range,
  ) {}

  dispose(): void {
    this.abort.abort();
  }

  get full(): boolean {
    return this.issues.length >= MAX_ISSUES;
  }

  async more(): Promise<void> {
    if (this.loading || this.done || this.full || this.error !== undefined) return;
    await this.ask(async (generation) => {
      const answer = await this.page(this.next);
      if (generation !== this.generation) return;
      const known = new Set(this.issues.map((i) => i.id));
      this.issues = [...this.issues, ...answer.issues.filter((i) => !known.has(i.id))];
      this.settle(answer);
    });
  }

  async refresh(): Promise<void> {
    if (this.loading) {
      this.stale = true;
      return;
    }
    this.stale = false;
    await this.ask(async (generation) => {
      let answer = await this.page(undefined);
      const first = answer;
      const rows = [...answer.issues];
      for (let n = 1; n < REFRESH_PAGES && rows.length < this.issues.length && answer.next !== undefined; n++) {
        answer = await this.page(answer.next);
        rows.push(...answer.issues);
      }
      if (generation !== this.generation) return;
      const known = new Set(rows.map((i) => i.id));
      const older = answer.next === undefined ? [] : this.issues.slice(rows.length).filter((i) => !known.has(i.id));
      this.issues = [...rows, ...older];
      const cursor = older.length > 0 ? this.next : answer.next;
      this.settle({ ...first, next: cursor });
    });
    if (this.stale) await this.refresh();
  }

  /** Shows a change before the server has said what it thinks of it; `keep` false takes the row out. */
  change(ids: Set<number>, part: Partial<IssueSummary>, keep: (issue: IssueSummary) => boolean): void {
    this.generation++;
    this.issues = this.issues
      .map((i) => (ids.has(i.id) ? { ...i, ...part } : i))
      .filter((i) => !ids.has(i.id) || keep(i));
    this.changed.value++;
  }

  private page(cursor: string | undefined): Promise<IssuesAnswer> {
    return issuesApi.list(this.params, this.range, PAGE_ISSUES, cursor, this.abort.signal);
  }

  private settle(answer: IssuesAnswer): void {
    learn(answer.issues);
    this.meta = answer;
    this.next = answer.next;
    this.done = answer.next === undefined;
  }

  private async ask(work: (generation: number) => Promise<void>): Promise<void> {
    this.loading = true;
    this.changed.value++;
    try {
      await work(this.generation);
      this.error = undefined;
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.error = asFailure(error);
    }
    this.loading = false;
    this.changed.value++;
  }
}

/** A new question's list takes the place of the old one once its first page is there. */
export function useIssueList(params: IssueParams, range: Range, refresh: number) {
  const key = JSON.stringify([params, range]);
  const [shown, setShown] = useState<{ key: string; list: IssueList }>();
  const next = useRef<IssueList | null>(null);
  useEffect(() => {
    const list = new IssueList(params, range);
    next.current?.dispose();
    next.current = list;
    void list.more().then(() => {
      if (next.current !== list) return;
      next.current = null;
      setShown((old) => {
        old?.list.dispose();
        return { key, list };
      });
    });
  }, [key]);
  useEffect(() => {
    if (shown?.key === key && next.current === null) void shown.list.refresh();
  }, [refresh]);
  useEffect(() => () => next.current?.dispose(), []);
  return { list: shown?.list, fresh: shown?.key === key };
}
