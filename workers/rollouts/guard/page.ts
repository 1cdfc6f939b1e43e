/** What `read` answers: the rollout, and what its page draws. */
import type { RolloutAnswer, RolloutPoint } from "../../api/contract.ts";
import type { Mark, Page } from "./book.ts";
import type { Desk } from "./desk.ts";
import { MAX_POINTS, PAGE_EVENTS } from "./limits.ts";
import { isEnded, type Run } from "./run.ts";

const MINUTE_MS = 60_000;
/** The feed knows the last quarter of an hour so finely (evidence/points.ts). */
const FINE_MS = 10_000;
const FINE_FOR_MS = 15 * MINUTE_MS;
/** Lengths of intervals that people read easily, in minutes. */
const NICE_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440];

/** Length of the chart's intervals: at most MAX_POINTS of them. */
export function bucketFor(startedAt: number, now: number): number {
  const length = Math.max(now - startedAt, 0);
  if (length < FINE_FOR_MS) return FINE_MS;
  const minutes =
    NICE_MINUTES.find((n) => length / (n * MINUTE_MS) <= MAX_POINTS) ?? Math.ceil(length / MINUTE_MS / MAX_POINTS);
  return minutes * MINUTE_MS;
}

export function readPage({ book, deps }: Desk, id: string): RolloutAnswer | null {
  const run = book.find(id);
  if (run === null) return null;
  const { rollout, judgement, visibleMs, blind } = run;
  const { plan, step } = rollout;
  const soakMinutes = plan.steps[step]?.soakMinutes ?? 0;
  return {
    rollout,
    judgement,
    soak: { ms: visibleMs, ofMs: soakMinutes * MINUTE_MS, limitMs: plan.stepLimitMinutes * MINUTE_MS },
    ...(book.page(id) ?? pageOf({ book, deps }, run)),
    events: book.events(id, PAGE_EVENTS),
    blind,
  };
}

/** Once the page of an ended rollout no longer changes, its evidence need not be kept. */
export function keepPage({ book, deps }: Pick<Desk, "book" | "deps">): void {
  const { run } = book;
  if (run === null || !isEnded(run)) return;
  const { id } = run.rollout;
  if (book.page(id) === null) book.keepPage(id, pageOf({ book, deps }, run));
  deps.feed.forget(id);
}

function pageOf({ book, deps }: Pick<Desk, "book" | "deps">, run: Run): Page {
  const { id, startedAt, endedAt } = run.rollout;
  const bucketMs = bucketFor(startedAt, endedAt ?? deps.now());
  const counts = deps.feed.points(bucketMs, id);
  const marks = book.marks(id);
  const isCurrent = book.run?.rollout.id === id;
  const issues = isCurrent ? deps.feed.evidence().issues.map(({ issue }) => issue) : [];
  return { bucketMs, points: withMarks(counts, marks, bucketMs), issues };
}

/** Each interval with what was known at its end. */
function withMarks(
  counts: readonly Omit<RolloutPoint, "percent" | "difference">[],
  marks: readonly Mark[],
  bucketMs: number,
): RolloutPoint[] {
  let next = 0;
  let known: Mark | undefined;
  return counts.slice(-MAX_POINTS).map((point) => {
    while (next < marks.length && (marks[next] as Mark).t < point.t + bucketMs) known = marks[next++];
    return { ...point, percent: known?.percent ?? 0, difference: known?.difference ?? null };
  });
}
