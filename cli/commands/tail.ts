/**
 * `tailrace tail`: what Workers do, as it happens. Events go to stdout, as lines
 * for people or as NDJSON; everything about the stream itself (connected, lost,
 * not shown) to stderr, so that a pipe has events only.
 */
import { type EventJson, type FieldValuesAnswer, inReadingOrder } from "../../workers/api/contract.ts";
import type { ApiClient } from "../api/client.ts";
import { CliFailure, EXIT } from "../failure.ts";
import { type Output, type Streams, seconds } from "../output.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import type { TailRequest } from "../tail/arguments.ts";
import type { Connect } from "../tail/connection.ts";
import { CODES, coloured, type Paint, plain } from "../tail/render/colour.ts";
import { EventLines } from "../tail/render/event-lines.ts";
import { type Events, LiveSession, type Ready } from "../tail/session.ts";
import { Sink } from "../tail/sink.ts";
import { Tally } from "../tail/tally.ts";
import type { Timers } from "../tail/timers.ts";

export interface TailSurroundings {
  api: ApiClient;
  output: Output;
  streams: Streams;
  connect: Connect;
  timers: Timers;
  random: () => number;
  /** Ctrl-C. @returns what stops listening for it */
  onInterrupt: (run: () => void) => () => void;
}

/** Of asking which Workers are known. */
const ASK_TIMEOUT_MS = 5_000;
/** Workers that were seen in this time are known. */
const KNOWN_SINCE = "-7d";
const MAX_NAMED = 12;

/** @returns the exit code */
export function tail(request: TailRequest, surroundings: TailSurroundings): Promise<number> {
  return new Promise((done, fail) => {
    const watch = new Watch(request, surroundings, (end) => (typeof end === "number" ? done(end) : fail(end)));
    watch.start();
  });
}

class Watch {
  readonly #request: TailRequest;
  readonly #in: TailSurroundings;
  readonly #over: (end: number | Error) => void;
  readonly #sink: Sink;
  readonly #session: LiveSession;
  readonly #tally: Tally;
  readonly #lines: EventLines | undefined;
  /** Of stderr. */
  readonly #paint: Paint;
  readonly #cancels: (() => void)[] = [];
  #wasConnected = false;
  #whyAway = "";
  #isOver = false;

  constructor(request: TailRequest, surroundings: TailSurroundings, over: (end: number | Error) => void) {
    this.#request = request;
    this.#in = surroundings;
    this.#over = over;
    const { connect, timers, random, streams } = surroundings;
    const { out } = streams;
    this.#tally = new Tally((text) => this.#note(text, "warn"), timers);
    this.#paint = streams.err.isTTY === true && request.colour !== false ? coloured : plain;
    const isTerminal = out.isTTY === true;
    const { json = !isTerminal, colour = isTerminal, full, ids, q, sinceMs } = request;
    if (!json) this.#lines = new EventLines({ colour, full, ids, columns: () => out.columns });
    this.#session = new LiveSession({
      ...{ connect, timers, random, q, sinceMs },
      listener: {
        connected: (ready, isAgain) => this.#connected(ready, isAgain),
        events: (message) => this.#show(message),
        resumed: (gone) => this.#resumed(gone),
        lost: (why, waitMs) => this.#lost(why, waitMs),
        problem: (message) => this.#note(`Tailrace says: ${safeLine(message)}`),
        failed: (failure) => this.#end(failure),
      },
    });
    this.#sink = new Sink(out, {
      full: () => this.#session.hold(),
      free: () => this.#session.release(),
      // Whoever closed the pipe has what they wanted.
      gone: () => this.#end(EXIT.ok, "quietly"),
      broken: (error) => this.#end(new CliFailure(`the events cannot be written: ${error.message}`)),
    });
  }

  start(): void {
    const { onInterrupt, timers } = this.#in;
    this.#cancels.push(onInterrupt(() => this.#end(EXIT.ok)));
    const { forMs } = this.#request;
    if (forMs !== undefined) this.#cancels.push(timers.after(forMs, () => this.#timeIsUp(forMs)));
    this.#session.start();
  }

  #connected({ rate, q }: Ready, isAgain: boolean): void {
    this.#tally.rate = rate;
    if (isAgain) {
      this.#note("connected again");
      return;
    }
    this.#wasConnected = true;
    const { worker } = this.#request;
    const whose = worker === null ? "all Workers" : safeLine(worker);
    this.#note(`connected: ${q === "" ? "all events" : safeLine(q)} of ${whose}, up to ${rate} a second`);
    if (worker !== null) void this.#tellIfUnknown(worker);
  }

  #show({ events, notShown, because, unchecked }: Events): void {
    const left = (this.#request.limit ?? Number.POSITIVE_INFINITY) - this.#tally.shown;
    // For people in the order of reading; for programs as they came.
    const ordered = this.#lines === undefined ? events : inReadingOrder(events);
    const shown = ordered.slice(0, left);
    if (shown.length > 0) this.#sink.write(shown.map((event) => this.#format(event)).join(""));
    this.#tally.addShown(shown.length);
    this.#tally.add({ notShown, because, unchecked });
    if (shown.length === left) this.#end(EXIT.ok);
  }

  #format(event: EventJson): string {
    return this.#lines?.format(event) ?? `${safeJson(event)}\n`;
  }

  #resumed(gone: number): void {
    this.#tally.addGone(gone);
    if (gone > 0)
      this.#note(
        `${gone.toLocaleString("en")} events from before, whether they match or not, are gone from the live stream; Explore has them`,
        "warn",
      );
    else if (this.#whyAway !== "") this.#note("nothing was missed");
    this.#whyAway = "";
  }

  #lost(why: string, waitMs: number): void {
    const { url } = this.#in.api;
    const what = this.#wasConnected ? "connection lost" : `${url} cannot be reached`;
    this.#whyAway = why;
    this.#note(`${what} (${why}); trying again in ${seconds(waitMs)}`, "warn");
  }

  async #tellIfUnknown(worker: string): Promise<void> {
    let known: string[];
    try {
      const path = `/api/v1/fields/script/values?from=${KNOWN_SINCE}`;
      const answer = await this.#in.api.call<FieldValuesAnswer>("GET", path, { tries: 1, timeoutMs: ASK_TIMEOUT_MS });
      known = answer.values.map(({ value }) => value);
    } catch (error) {
      // The stream does not depend on it.
      if (error instanceof CliFailure) return;
      throw error;
    }
    if (known.includes(worker) || this.#tally.shown > 0) return;
    const named = known.slice(0, MAX_NAMED).map(safeLine).join(", ");
    const more = known.length > MAX_NAMED ? ", …" : "";
    const others = known.length === 0 ? "Tailrace has not seen any Worker yet." : `Known are ${named}${more}.`;
    this.#note(
      `no Worker ${safeLine(worker)} was seen in the last 7 days. ${others} Waiting for its first event.`,
      "warn",
    );
  }

  #timeIsUp(forMs: number): void {
    if (this.#wasConnected) this.#end(EXIT.ok);
    else
      this.#end(
        new CliFailure(
          `${this.#in.api.url} could not be reached for ${seconds(forMs)}: ${this.#whyAway || "no answer"}`,
        ),
      );
  }

  #end(how: number | Error, quietly?: "quietly"): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const cancel of this.#cancels) cancel();
    this.#session.end();
    if (quietly === undefined) {
      this.#tally.stop();
      if (this.#wasConnected) this.#note(this.#tally.summary());
    }
    this.#over(how);
  }

  /** A line about the stream itself; one that reports a loss stands out. */
  #note(text: string, style: "dim" | "warn" = "dim"): void {
    this.#lines?.interrupted();
    this.#in.output.note(this.#paint(CODES[style], `-- ${text}`));
  }
}
