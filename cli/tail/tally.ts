/**
 * What was shown and what was not, in plain words. What was not shown is told
 * as it happens, a few seconds' worth at a time: a line per message would be a
 * flood of its own.
 */
import type { NotShown } from "../../workers/api/contract.ts";
import { count } from "../output.ts";
import { safeLine } from "../safe-text.ts";
import type { Events } from "./session.ts";
import type { Timers } from "./timers.ts";

/** Between two lines about what was not shown. */
const TELL_EVERY_MS = 5_000;

type Reason = "rate" | "slow" | "size" | "unsaid";

export class Tally {
  readonly #tell: (text: string) => void;
  readonly #timers: Timers;
  readonly #untold: Map<Reason, NotShown> = new Map();
  #unchecked = 0;
  #cancel: (() => void) | undefined;
  readonly #total = { shown: 0, notShown: 0, unchecked: 0, gone: 0 };
  /** Events a second, as the platform has it. */
  rate = 0;

  constructor(tell: (text: string) => void, timers: Timers) {
    this.#tell = tell;
    this.#timers = timers;
  }

  get shown(): number {
    return this.#total.shown;
  }

  addShown(events: number): void {
    this.#total.shown += events;
  }

  addGone(events: number): void {
    this.#total.gone += events;
  }

  add({
    notShown,
    because = "unsaid" as Reason,
    unchecked = 0,
  }: Pick<Events, "notShown" | "unchecked"> & { because?: Reason | undefined }): void {
    if (notShown !== undefined) {
      this.#total.notShown += notShown.events;
      this.#untold.set(because, sum(this.#untold.get(because), notShown));
    }
    this.#total.unchecked += unchecked;
    this.#unchecked += unchecked;
    if (this.#cancel === undefined) this.#flush();
  }

  /** Says what has not been said yet, and no more on its own. */
  stop(): void {
    this.#cancel?.();
    this.#flush();
    this.#cancel?.();
  }

  /** For the end. */
  summary(): string {
    const { shown, notShown, unchecked, gone } = this.#total;
    const parts = [`${count(shown, "event")} shown`, `${number(notShown)} not shown`];
    if (unchecked > 0) parts.push(`${number(unchecked)} not compared with the filter`);
    parts.push(`${number(gone)} gone while away`);
    return parts.join(", ");
  }

  #flush(): void {
    this.#cancel = undefined;
    if (this.#untold.size === 0 && this.#unchecked === 0) return;
    for (const [reason, notShown] of this.#untold)
      this.#tell(`not shown: ${describe(notShown)}${why(reason, this.rate)}`);
    this.#untold.clear();
    if (this.#unchecked > 0)
      this.#tell(
        `not compared with the filter: ${count(this.#unchecked, "event")}; there were more than could be looked at`,
      );
    this.#unchecked = 0;
    this.#cancel = this.#timers.after(TELL_EVERY_MS, () => this.#flush());
  }
}

function sum(a: NotShown | undefined, b: NotShown): NotShown {
  if (a === undefined) return b;
  const kinds = { ...a.kinds };
  for (const [kind, n] of Object.entries(b.kinds) as [keyof typeof kinds, number][])
    kinds[kind] = (kinds[kind] ?? 0) + n;
  return { events: a.events + b.events, errors: a.errors + b.errors, kinds };
}

/** `1,204 events (1,200 log, 4 exception), of them 4 errors` */
function describe({ events, errors, kinds }: NotShown): string {
  const listed = Object.entries(kinds).filter(([, n]) => n > 0);
  listed.sort(([, a], [, b]) => b - a);
  const which = listed.map(([kind, n]) => `${number(n)} ${safeLine(kind)}`).join(", ");
  const bad = errors === 0 ? "no errors" : `of them ${count(errors, "error")}`;
  return `${count(events, "event")}${which && ` (${which})`}, ${bad}`;
}

function why(reason: Reason, rate: number): string {
  if (reason === "rate") return `: more than ${number(rate)} a second (--rate)`;
  if (reason === "size") return ": more at one moment than is sent at once";
  return reason === "slow" ? ": more than was read here" : "";
}

const number = (n: number): string => n.toLocaleString("en");
