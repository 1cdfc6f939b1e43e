/**
 * Follows one rollout until it has ended. The guard does not depend on it: when
 * Tailrace is away, or whoever watches leaves, the rollout goes on. On a terminal
 * a block that is drawn again, elsewhere a line per change, with --json an object
 * per change.
 */
import type { RolloutAnswer } from "../../workers/api/contract.ts";
import { ApiFailure } from "../api/failures.ts";
import { CliFailure, EXIT } from "../failure.ts";
import type { Output, Streams } from "../output.ts";
import { safeJson } from "../safe-text.ts";
import { coloured, type Paint, plain } from "../tail/render/colour.ts";
import type { Timers } from "../tail/timers.ts";
import type { Follow } from "./arguments.ts";
import { exitCodeOf, isOver } from "./outcome.ts";
import type { Rollouts, Which } from "./platform.ts";
import { Changes } from "./render/changes.ts";
import { lasted } from "./render/figures.ts";
import { painted, statusLines } from "./render/status.ts";
import { Screen } from "./screen.ts";

export interface WatchSurroundings {
  rollouts: Rollouts;
  output: Output;
  streams: Streams;
  timers: Timers;
  /** Ctrl-C. @returns what stops listening for it */
  onInterrupt: (run: () => void) => () => void;
}

/** The guard looks as often. */
const LOOK_EVERY_MS = 2_000;
const LOOK_TIMEOUT_MS = 10_000;
/** Between two tries while Tailrace is away. */
const MAX_WAIT_MS = 15_000;
/** A row of the list may come a moment after the rollout: so often "there is none" is not believed. */
const MAX_NOT_FOUND = 5;

/** @returns the exit code */
export async function watch(which: Which, follow: Follow, surroundings: WatchSurroundings): Promise<number> {
  const one = new Watch(which, follow, surroundings);
  try {
    return await one.run();
  } finally {
    one.release();
  }
}

type End = { tag: "interrupted" } | { tag: "time_is_up" };
type Look = { tag: "seen"; answer: RolloutAnswer } | { tag: "away"; why: string };

class Watch {
  readonly #which: Which;
  readonly #follow: Follow;
  readonly #in: WatchSurroundings;
  readonly #paint: Paint;
  readonly #screen: Screen | undefined;
  readonly #changes = new Changes();
  readonly #abort = new AbortController();
  readonly #ends: Promise<End>;
  readonly #releases: (() => void)[] = [];
  #shown = "";
  #seq = -1;
  #last: RolloutAnswer | undefined;
  #awaySince: number | undefined;
  #misses = 0;

  constructor(which: Which, follow: Follow, surroundings: WatchSurroundings) {
    this.#which = which;
    this.#follow = follow;
    this.#in = surroundings;
    const { out } = surroundings.streams;
    const isTerminal = out.isTTY === true && !follow.json;
    this.#paint = (follow.colour ?? isTerminal) ? coloured : plain;
    if (isTerminal) this.#screen = new Screen(out);
    this.#ends = new Promise((end) => {
      this.#releases.push(surroundings.onInterrupt(() => end({ tag: "interrupted" })));
      if (follow.forMs !== undefined)
        this.#releases.push(surroundings.timers.after(follow.forMs, () => end({ tag: "time_is_up" })));
    });
  }

  release(): void {
    for (const release of this.#releases.splice(0)) release();
    this.#abort.abort();
  }

  async run(): Promise<number> {
    let misses = 0;
    for (;;) {
      const look = await Promise.race([this.#look(), this.#ends]);
      if (look.tag === "interrupted" || look.tag === "time_is_up") return this.#leave(look.tag);
      if (look.tag === "away") this.#away(look.why, ++misses);
      else {
        misses = 0;
        this.#seen(look.answer);
        if (isOver(look.answer.rollout)) return exitCodeOf(look.answer.rollout);
      }
      const waitMs = misses === 0 ? LOOK_EVERY_MS : Math.min(MAX_WAIT_MS, LOOK_EVERY_MS * 2 ** (misses - 1));
      const end = await this.#wait(waitMs);
      if (end !== undefined) return this.#leave(end.tag);
    }
  }

  async #look(): Promise<Look> {
    try {
      const signal = this.#abort.signal;
      const answer = await this.#in.rollouts.read(this.#which, { tries: 1, timeoutMs: LOOK_TIMEOUT_MS, signal });
      if (answer?.rollout === undefined) return { tag: "away", why: "an answer that is not one of Tailrace's" };
      this.#misses = 0;
      return { tag: "seen", answer };
    } catch (error) {
      if (!(error instanceof CliFailure)) throw error;
      if (this.#isFinal(error)) throw new CliFailure(`${error.message} The rollout goes on without us.`);
      return { tag: "away", why: error instanceof ApiFailure ? `${error.status} ${error.code}` : "no answer" };
    }
  }

  /** What asking again would not change. */
  #isFinal(error: CliFailure): boolean {
    if (!(error instanceof ApiFailure)) return false;
    if (error.status === 404) return ++this.#misses >= MAX_NOT_FOUND;
    return error.status < 500 && error.status !== 408 && error.status !== 429;
  }

  #seen(answer: RolloutAnswer): void {
    const now = this.#in.timers.now();
    if (this.#awaySince !== undefined) {
      this.#note(`-- ${this.#in.rollouts.url} is back after ${lasted(now - this.#awaySince)}`);
      this.#awaySince = undefined;
    }
    this.#last = answer;
    if (this.#follow.json) this.#json(answer);
    else if (this.#screen !== undefined) this.#draw(answer, now);
    else for (const line of this.#changes.lines(answer, now)) this.#in.output.say(line);
  }

  #draw(answer: RolloutAnswer, now: number): void {
    const columns = (this.#in.streams.out.columns ?? 80) - 1;
    this.#screen?.draw(statusLines(answer, { paint: this.#paint, columns, now }));
  }

  #json(answer: RolloutAnswer): void {
    // Its chart, and the record from the beginning, are asked for with `status --json`; here a line is a change.
    const { points: _, ...rest } = answer;
    const { rollout, blind } = answer;
    const events = answer.events.filter(({ seq }) => seq > this.#seq);
    this.#seq = Math.max(this.#seq, ...events.map(({ seq }) => seq));
    const shown = safeJson([rollout.state, rollout.step, rollout.percent, rollout.verdict, this.#seq, blind]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#in.output.say(safeJson({ ...rest, events }));
  }

  #away(why: string, misses: number): void {
    // A single lost answer is nothing.
    if (misses < 2 || this.#awaySince !== undefined) return;
    this.#awaySince = this.#in.timers.now();
    this.#note(`-- ${this.#in.rollouts.url} cannot be reached (${why}). The rollout goes on without us; trying again`);
  }

  #leave(why: End["tag"]): number {
    const { forMs = 0 } = this.#follow;
    const { id, script } = this.#which;
    const name = script ?? id;
    const state = this.#last === undefined ? "" : ` at ${this.#last.rollout.percent} %`;
    // Below all that was drawn: nothing comes after it.
    this.#in.output.note(
      why === "interrupted"
        ? `-- the rollout goes on${state} without you. To see it: tailrace rollout status ${name} --watch. To take it back: tailrace rollout abort ${name}`
        : `-- after ${lasted(forMs)} the rollout still runs${state}: it goes on. To see it: tailrace rollout status ${name} --watch`,
    );
    return EXIT.stillRunning;
  }

  #note(text: string): void {
    if (this.#screen !== undefined) this.#screen.say(painted("warn", text, this.#paint));
    else this.#in.output.note(text);
  }

  #wait(ms: number): Promise<End | undefined> {
    let cancel = () => {};
    const waited = new Promise<undefined>((done) => {
      cancel = this.#in.timers.after(ms, () => done(undefined));
    });
    return Promise.race([waited, this.#ends]).finally(() => cancel());
  }
}
