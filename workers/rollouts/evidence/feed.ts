/**
 * What the guard knows of a rollout: pulls the counts of every invocation from
 * the Worker's Ingesters, a cursor per shard, and keeps them by minute, class
 * and arm. The guard calls `look`, then `evidence`, every 2 s.
 *
 *   Ingesters ──unsealedRollups──▶ pull.ts ──▶ sum.ts ──▶ store.ts (cells and cursors in one transaction)
 *
 * Nothing is written for it while events come in: what it reads lies in the
 * Ingesters' logs anyway. What was sealed before it came is lost to both arms
 * alike, and counted; one that does not answer makes it blind.
 */
import type { QueryGate } from "../../api/contract.ts";
import type { WireSketch } from "../../event/sketch.ts";
import { type Cell, type Evidence, MINUTE_PARTS, type QueryCell, type Settlement, type Sight } from "../contract.ts";
import { fold } from "./fold.ts";
import { IssueWatch } from "./issues.ts";
import { LOOK_TIMEOUT_MS, SETTLE_EVERY_MS } from "./limits.ts";
import { type PointCounts, pointsOf } from "./points.ts";
import { type Answer, Puller } from "./pull.ts";
import { QueryWatch } from "./queries.ts";
import { nameOf, ShardList } from "./shards.ts";
import { sightOf, silence } from "./sight.ts";
import { EvidenceStore, type Head, hitsFrom } from "./store.ts";
import { add, type Counted, cellKey, type Entry, NOTHING_LEFT_OUT, partOf } from "./sum.ts";

export interface Rollout {
  id: string;
  script: string;
  /** Ids of versions. */
  old: string;
  new: string;
  /** When it began, ms. */
  since: number;
  queries?: readonly QueryGate[];
  /** Whether new issues decide; where they do not, nothing waits for them. */
  decidesIssues?: boolean;
}

export class Feed {
  private readonly store: EvidenceStore;
  private readonly shards: ShardList;
  private readonly puller: Puller;
  private isOpen = false;
  private head: Head | undefined;
  private counted: Counted | undefined;
  private queryCells: readonly QueryCell[] = [];
  private issues: IssueWatch;
  private queries: QueryWatch;
  private blind: readonly string[] = [];
  private looking: Promise<void> | undefined;
  private foldedAt = 0;
  private settledAt = 0;
  /** Time of the last look. */
  private seenAt = 0;

  constructor(
    storage: DurableObjectStorage,
    private readonly env: Env,
  ) {
    this.issues = new IssueWatch(env);
    this.queries = new QueryWatch(env);
    this.store = new EvidenceStore(storage);
    this.shards = new ShardList(() => env.DB);
    this.puller = new Puller((shard) => env.INGESTER.getByName(shard));
  }

  /** A guard that is only asked something has no need of a day of minutes in memory. */
  private wake(): void {
    if (!this.isOpen) this.open(this.store.latest());
  }

  /** Again with the same id: nothing happens. */
  begin({ queries = [], decidesIssues = true, ...rollout }: Rollout): void {
    this.wake();
    if (this.head?.subject.id === rollout.id) return;
    const known = this.store.head(rollout.id);
    const head = known ?? {
      subject: { ...rollout, changes: [] },
      queries,
      decidesIssues,
      cursors: {},
      objects: [],
      leftOut: NOTHING_LEFT_OUT,
      newest: { old: null, new: null },
      askedThrough: Math.floor(rollout.since / 60_000) * 60,
    };
    if (known === undefined) this.store.begin(head);
    this.open(head);
  }

  private open(head: Head | undefined): void {
    this.isOpen = true;
    this.head = head;
    this.counted = head === undefined ? undefined : this.store.counted(head);
    this.queryCells = head === undefined ? [] : this.store.queryCells(head.subject.id);
    // What is under way is of another rollout.
    this.issues = new IssueWatch(this.env);
    this.queries = new QueryWatch(this.env);
    this.blind = [];
    this.shards.forget();
  }

  /** The split is another from then on, ms: what comes in later is compared with its like only. Answers where its cells begin (Situation.stepSince). */
  splitChanged(at: number): number {
    this.wake();
    const minute = Math.floor(at / 60_000) * 60;
    const { head } = this;
    if (head === undefined) return minute;
    const changes = [...head.subject.changes, at].sort((a, b) => a - b).slice(-MAX_CHANGES);
    this.head = { ...head, subject: { ...head.subject, changes } };
    this.store.begin(this.head);
    return minute + (partOf(minute, at, changes).part ?? 0) / MINUTE_PARTS;
  }

  /** Never rejects, and ends in time: what could not be had is in the sight. */
  look(now: number): Promise<void> {
    this.looking ??= this.lookOnce(now).finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async lookOnce(now: number): Promise<void> {
    this.wake();
    const { head } = this;
    if (head === undefined) return;
    this.seenAt = now;
    const timer = deadline(LOOK_TIMEOUT_MS);
    const blind: string[] = [];
    try {
      const { subject } = head;
      const names = await this.shards.read(subject.script, now);
      const doubt = this.shards.doubt();
      if (doubt !== "") blind.push(doubt);
      const issues = this.issues.refresh(subject, now);
      const silent = await this.pull(names, now, timer.passed, blind);
      // After the counts, so that they are not behind the matches.
      const queries = this.askQueries(now);
      await Promise.race([Promise.all([issues, queries]), timer.passed]);
      const hidden = head.decidesIssues === false ? "" : this.issues.doubt(now);
      const doubts = [silent, hidden, head.queries.length === 0 ? "" : this.queries.doubt(now)];
      blind.push(...doubts.filter((words) => words !== ""));
      this.foldOld(now);
    } catch (error) {
      blind.push(`Telemetry cannot be counted: ${error instanceof Error ? error.message : String(error)}`);
      // Memory may be ahead of the disk.
      this.open(this.store.latest());
    } finally {
      timer.end();
      if (this.head?.subject.id === head.subject.id) this.blind = blind;
    }
  }

  private async pull(names: readonly string[], now: number, late: Promise<void>, blind: string[]): Promise<string> {
    const id = this.head?.subject.id;
    let open = names;
    while (open.length > 0) {
      const answers = await Promise.all(
        open.map((shard) => this.puller.ask(shard, this.head?.cursors[shard] ?? 0, now, late)),
      );
      const { head, counted } = this;
      if (head === undefined || counted === undefined || head.subject.id !== id) return "";
      for (const answer of answers) {
        if (!answer.ok) blind.push(`${nameOf(answer.shard, head.subject.script)} does not answer: ${answer.error}`);
      }
      this.take(head, counted, answers, now);
      open = answers.filter((a) => a.ok && a.page.more && a.page.entries.length > 0).map((a) => a.shard);
    }
    return this.counted === undefined ? "" : silence(this.counted, now);
  }

  private take(head: Head, before: Counted, answers: readonly Answer[], now: number): void {
    const cursors: Record<string, number> = { ...head.cursors };
    const entries: Entry[] = [];
    let gap = 0;
    for (const answer of answers) {
      if (!answer.ok) continue;
      const { shard, page } = answer;
      const known = head.cursors[shard];
      const read = readPage(page, known);
      gap += read.gap;
      for (const entry of read.entries) entries.push(entry);
      cursors[shard] = read.through;
    }
    const moved = answers.some(({ shard }) => cursors[shard] !== head.cursors[shard]);
    if (!moved) return;
    const { leftOut } = before;
    const step = add({ ...before, leftOut: { ...leftOut, gap: leftOut.gap + gap } }, entries, head.subject, now);
    this.save(head, cursors, step, before);
  }

  private save(head: Head, cursors: Head["cursors"], step: ReturnType<typeof add>, before: Counted): void {
    const { leftOut, newest, objects } = step.counted;
    const next: Head = { ...head, cursors, leftOut, newest, objects: [...objects] };
    this.store.save(next, step, before);
    this.head = next;
    this.counted = step.counted;
  }

  private async askQueries(now: number): Promise<void> {
    const asked = this.head;
    if (asked === undefined) return;
    const watch = this.queries;
    const answered = await watch.refresh(asked.queries, asked.askedThrough, asked.subject, () => this.counted, now);
    const { head } = this;
    if (answered === undefined || head?.subject.id !== asked.subject.id || head.askedThrough > answered.since) return;
    const next = { ...head, askedThrough: answered.through };
    this.store.saveQueries(next, answered);
    this.head = next;
    const { since, until } = answered;
    const others = this.queryCells.filter(({ minute }) => minute < since || minute >= until);
    this.queryCells = [...others, ...answered.cells];
  }

  private foldOld(now: number): void {
    const { head, counted } = this;
    if (head === undefined || counted === undefined || Math.abs(now - this.foldedAt) < FOLD_EVERY_MS) return;
    this.foldedAt = now;
    const step = fold(counted, head.subject.changes, now);
    if (step.changed.size > 0) this.save(head, head.cursors, step, counted);
  }

  /** Of the rollout that runs, or ran last. */
  evidence(): Evidence {
    this.wake();
    const { counted } = this;
    if (counted === undefined) {
      return { cells: [], queries: [], issues: [], sight: { blind: [], notes: [], newestOld: null, newestNew: null } };
    }
    const cells: Cell[] = [...counted.cells.values()].sort((a, b) => a.minute - b.minute);
    const { settled } = counted;
    return {
      ...(settled === undefined ? {} : { settled }),
      ...{ cells, queries: this.queryCells, issues: this.issues.list },
      oldIssues: this.issues.oldIssues,
      sight: this.sight(counted),
    };
  }

  private sight(counted: Counted): Sight {
    const sight = sightOf(counted, this.blind);
    // Where they decide nothing, that they are hidden is only said.
    const hidden = this.head?.decidesIssues === false ? this.issues.doubt(this.seenAt) : "";
    const more = [this.shards.note(this.seenAt), hidden].filter((words) => words !== "");
    return { ...sight, notes: [...sight.notes, ...more] };
  }

  /** Now and then: `by` (decide/settle.ts) bets on minutes that are over, once and for all; what nobody needs any more goes with the same write. */
  settle(by: (evidence: Evidence) => Settlement | null): void {
    this.wake();
    const { head, counted, seenAt } = this;
    if (head === undefined || counted === undefined || Math.abs(seenAt - this.settledAt) < SETTLE_EVERY_MS) return;
    this.settledAt = seenAt;
    const settlement = by(this.evidence());
    if (settlement === null) return;
    const { settled, spent } = settlement;
    const cells = new Map(counted.cells);
    const changed = new Set(spent.map(cellKey));
    for (const cell of spent) cells.set(cellKey(cell), { ...cell, duration: NO_SKETCH, cpu: NO_SKETCH });
    this.save(head, head.cursors, { counted: { ...counted, cells, settled }, changed }, counted);
    this.queryCells = this.queryCells.filter(({ minute }) => minute >= hitsFrom(settled));
  }

  /** What the page draws: requests that are compared, and failures. Under a minute only the last quarter of an hour is known. */
  points(bucketMs: number, id?: string): PointCounts[] {
    this.wake();
    const rollout = id ?? this.head?.subject.id;
    if (rollout === undefined) return [];
    if (this.counted !== undefined && rollout === this.head?.subject.id) return pointsOf(this.counted, bucketMs);
    const head = this.store.head(rollout);
    return head === undefined ? [] : pointsOf(this.store.counted(head), bucketMs);
  }

  forget(rollout: string): void {
    this.store.forget(rollout);
    if (this.head?.subject.id !== rollout) return;
    // A look that is under way must not write it again.
    this.open(undefined);
    this.isOpen = false;
  }
}

/** Changes of the split that are remembered: minutes with one have parts. */
const MAX_CHANGES = 200;
const FOLD_EVERY_MS = 60_000;
/** One for all. */
const NO_SKETCH: WireSketch = [];

/** `known`: the last entry that is counted; undefined: the shard is new to us. */
function readPage(
  { entries, more, through }: Extract<Answer, { ok: true }>["page"],
  known: number | undefined,
): { entries: Entry[]; gap: number; through: number } {
  const fresh = entries.filter(({ id }) => id > (known ?? 0));
  const last = fresh.at(-1)?.id ?? known ?? 0;
  // Without: an Ingester of the release before.
  const end = more ? last : Math.max(through || 0, last);
  if (known === undefined || known === 0) return { entries: fresh, gap: 0, through: end };
  return { entries: fresh, gap: Math.max(end - known - fresh.length, 0), through: end };
}

function deadline(ms: number): { passed: Promise<void>; end: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return { passed, end: () => clearTimeout(timer) };
}
