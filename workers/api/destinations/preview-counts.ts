/**
 * Counts what rules would have sent of a stream of events, in any order, by the
 * same code that chooses when it is really sent (`delivery/rules/`). `preview.ts`
 * hands in the events of the last hour. Pure.
 *
 * Whether a failed invocation is explained by an error of its own is known only
 * when all events were seen, so the few that hang on it wait until the end. Where
 * a minute has more than the ceiling, who gets what of it is a matter of order when
 * it is really sent; here each Worker and feed gets its share. The sums are exact.
 */
import type { DestinationRules, Feed, PreviewAnswer } from "../../api/contract/integrations.ts";
import { type EventFeed, tellsError } from "../../delivery/rules/feeds.ts";
import { type CompiledRules, compileRules, eachFeed, sampledOf } from "../../delivery/rules/items.ts";
import { isSent, sampleHash, seedOf } from "../../delivery/rules/sampling.ts";
import type { TailraceEvent } from "../../event/event.ts";
import { hash53 } from "../../util/hash.ts";

export type PreviewEvent = Pick<TailraceEvent, "time" | "kind" | "script" | "invocation_id" | "seq"> &
  Partial<
    Pick<
      TailraceEvent,
      "version_id" | "version_tag" | "outcome" | "status" | "level" | "name" | "fingerprint" | "stack"
    >
  >;

export interface Example {
  time: number;
  script: string;
  feed: Feed;
  invocation: string;
  seq: number;
}

type Counts = PreviewAnswer["feeds"][number];

/** The destination has no id yet: other invocations will be kept, and as many. */
const SEED = seedOf("preview");
const MINUTE_US = 60_000_000;
const EXAMPLES_PER_FEED = 4;
const MAX_EXAMPLES = 10;

export class PreviewCounts {
  readonly #rules: DestinationRules;
  readonly #asked: CompiledRules;
  readonly #takes: CompiledRules["has"];
  readonly #feeds = new Map<Feed, Omit<Counts, "feed">>();
  /** `minute feed script` → items that sampling leaves, for the ceiling. */
  readonly #cells = new Map<string, { minute: number; feed: Feed; script: string; count: number }>();
  readonly #examples = new Map<Feed, Example[]>();
  /** Hashes of invocations with an error that explains a failure. */
  readonly #explained = new Set<number>();
  readonly #pending: PreviewEvent[] = [];

  constructor(takes: readonly Feed[], rules: DestinationRules) {
    this.#rules = rules;
    this.#asked = compileRules(rules);
    const has = (feed: Feed) => takes.includes(feed);
    this.#takes = { errors: has("errors"), logs: has("logs"), traces: has("traces"), notices: has("notices") };
    for (const feed of takes) this.#feeds.set(feed, { candidates: 0, sent: 0, sampled: 0, ceiling: 0, notChosen: 0 });
  }

  /** Keeps nothing of the event but a few ids. */
  add(event: PreviewEvent): void {
    if (tellsError(event)) this.#explained.add(hash53(event.invocation_id));
    const hangs = this.#takes.errors && event.kind === "invocation" && event.fingerprint === undefined;
    if (hangs && hasFeed(event, this.#takes, "errors")) this.#pending.push({ ...event });
    else this.#count(event, true);
  }

  addNotice(notice: { at: number; script: string; id: number }, outcome: "sent" | "sampled" | "notChosen"): void {
    const counts = this.#countsOf("notices");
    counts.candidates++;
    if (outcome !== "sent") counts[outcome]++;
    else this.#send("notices", notice.script, { time: notice.at * 1_000, invocation: "", seq: notice.id });
  }

  /** Once, after the last event. @param fraction of all events that was looked at: counts are scaled by it */
  finish(fraction: number): Pick<PreviewAnswer, "feeds" | "byWorker"> & { examples: Example[] } {
    for (const event of this.#pending) this.#count(event, this.#explained.has(hash53(event.invocation_id)));
    const scaled = (n: number) => Math.round(n / fraction);
    const byWorker = this.#applyCeiling(scaled);
    const feeds = [...this.#feeds].map(([feed, counts]) => {
      const [sampled, notChosen] = [scaled(counts.sampled), scaled(counts.notChosen)];
      return { feed, ...counts, sampled, notChosen, candidates: counts.sent + counts.ceiling + sampled + notChosen };
    });
    const examples = [...this.#examples.values()].flat().sort((a, b) => b.time - a.time);
    return { feeds, byWorker, examples: examples.slice(0, MAX_EXAMPLES) };
  }

  #count(event: PreviewEvent, explained: boolean): void {
    const asked = this.#asked;
    const chosen: EventFeed[] = [];
    if (asked.worker(event.script) && asked.version(event.version_id, event.version_tag))
      eachFeed(event, asked, explained, (_, feed) => chosen.push(feed));
    for (const feed of chosen) this.#decide(event, feed);
    eachFeed(event, { has: this.#takes, level: () => true }, explained, (_, feed) => {
      // A logged Error that is sent as a log is not also left out as an error.
      if (chosen.includes(feed) || (event.kind === "log" && chosen.length > 0)) return;
      const counts = this.#countsOf(feed);
      counts.candidates++;
      counts.notChosen++;
    });
  }

  #decide(event: PreviewEvent, feed: EventFeed): void {
    const counts = this.#countsOf(feed);
    counts.candidates++;
    const rate = this.#asked.rate?.(sampledOf(event, feed)) ?? 1;
    if (!isSent(sampleHash(event.invocation_id, SEED), rate)) counts.sampled++;
    else this.#send(feed, event.script, { time: event.time, invocation: event.invocation_id, seq: event.seq });
  }

  #send(feed: Feed, script: string, { time, invocation, seq }: Pick<Example, "time" | "invocation" | "seq">): void {
    const minute = Math.floor(time / MINUTE_US);
    const key = `${minute} ${feed} ${script}`;
    const cell = this.#cells.get(key);
    if (cell === undefined) this.#cells.set(key, { minute, feed, script, count: 1 });
    else cell.count++;
    const examples = this.#examples.get(feed) ?? [];
    const oldest = examples[EXAMPLES_PER_FEED - 1];
    if (oldest !== undefined && oldest.time >= time) return;
    examples.push({ time, script, feed, invocation, seq });
    examples.sort((a, b) => b.time - a.time);
    this.#examples.set(feed, examples.slice(0, EXAMPLES_PER_FEED));
  }

  #applyCeiling(scaled: (n: number) => number): PreviewAnswer["byWorker"] {
    const minutes = Map.groupBy(this.#cells.values(), ({ minute }) => minute);
    const workers = new Map<string, number>();
    for (const cells of minutes.values()) {
      const counts = cells.map(({ count }) => scaled(count));
      const sent = share(counts, this.#rules.perMinute ?? Number.POSITIVE_INFINITY);
      for (const [i, { feed, script }] of cells.entries()) {
        const [passed, all] = [sent[i] ?? 0, counts[i] ?? 0];
        const of = this.#countsOf(feed);
        of.sent += passed;
        of.ceiling += all - passed;
        workers.set(script, (workers.get(script) ?? 0) + passed);
      }
    }
    const byWorker = [...workers].map(([script, sent]) => ({ script, sent })).filter(({ sent }) => sent > 0);
    return byWorker.sort((a, b) => b.sent - a.sent || (a.script < b.script ? -1 : 1));
  }

  #countsOf(feed: Feed): Omit<Counts, "feed"> {
    const counts = this.#feeds.get(feed);
    if (counts === undefined) throw new Error(`BUG: the preview of what takes ${[...this.#feeds.keys()]} met ${feed}`);
    return counts;
  }
}

function hasFeed(event: PreviewEvent, has: CompiledRules["has"], wanted: Feed): boolean {
  let found = false;
  eachFeed(event, { has, level: () => true }, false, (_, feed) => {
    found ||= feed === wanted;
  });
  return found;
}

/** Whole numbers in proportion that add up to `most` at most (largest remainders). */
function share(counts: readonly number[], most: number): number[] {
  const all = counts.reduce((sum, n) => sum + n, 0);
  if (all <= most) return [...counts];
  const exact = counts.map((n) => (n * most) / all);
  const whole = exact.map(Math.floor);
  let left = most - whole.reduce((sum, n) => sum + n, 0);
  const byRemainder = exact.map((n, i) => ({ i, rest: n % 1 })).sort((a, b) => b.rest - a.rest);
  for (const { i } of byRemainder) if (left-- > 0) whole[i] = (whole[i] ?? 0) + 1;
  return whole;
}
