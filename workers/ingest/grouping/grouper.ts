/**
 * Where occurrences belong: stack → source (`errors/symbolicate/`) → fingerprint
 * (`errors/grouping/`). `intake.ts` asks in two steps:
 *   `prepare`  begins to read the source maps that are not in memory, if any
 *   `group`    answers at once, with raw frames where a map is still missing
 * In between the invocation is held back for a moment, so that most errors have
 * their true fingerprint from the start; those that did not wait long enough are
 * led to their issue later (`errors/issues/regroup.ts`).
 *
 * What was found out is kept for a minute at most, so that new maps and rules
 * take effect. Nothing here may cost an event: whatever throws leaves it as it is.
 */
import type { Classified } from "../../errors/grouping/classify.ts";
import type { Grouping } from "../../errors/grouping/facts.ts";
import { fingerprintOf } from "../../errors/grouping/fingerprint.ts";
import { type CompiledRules, NO_RULES } from "../../errors/grouping/rules.ts";
import { messageTemplate } from "../../errors/grouping/template.ts";
import { parseStack } from "../../errors/stack/parse.ts";
import {
  type MapState,
  type PlaceMaps,
  type Symbolicated,
  symbolicate,
  symbolicateCached,
  unsymbolicated,
} from "../../errors/symbolicate/symbolicate.ts";
import type { ErrorTrace, SourceTrace } from "../../errors/trace.ts";
import type { InvocationFields, OwnFields } from "../../event/event.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { factsOf, usedBy } from "./facts.ts";
import { FloodGate } from "./flood.ts";
import type { Occurrence } from "./occurrences.ts";

/** How soon a better map and changed rules take effect. */
const KEPT_MS: Record<MapState, number> = {
  none: 55_000,
  mapped: 55_000,
  partly: 55_000,
  // An upload follows its deployment by seconds.
  missing: 15_000,
  failed: 5_000,
};
/** Stacks grouped raw because there was no time, so that a flood of them is parsed once a second. */
const RAW_KEPT_MS = 1_000;
/** After a map that did not come in time nobody waits for any. */
const NO_WAITING_MS = 5_000;
/** A look-up whose request has ended may never answer: the next one begins anew. */
const ABANDONED_MS = 6_000;
/** Look-ups under way; each holds a parsed stack of a few KB. */
const MAX_PENDING = 256;
/** Different stacks, and what they take: some 200 B a frame. */
const MAX_TRACES = 2_000;
const MAX_TRACE_BYTES = 8_000_000;
const FRAME_BYTES = 300;
/** Different errors: stacks, kinds, types and templates. */
const MAX_GROUPINGS = 5_000;
const MAX_GROUPING_BYTES = 4_000_000;
const GROUPING_BYTES = 400;
const MINUTE_MS = 60_000;
/** Stacks that are found by their first characters: hashing all of a long text takes longer than comparing it. */
const MAX_LATELY = 400;
/** Of the texts of an error whose last message or whole stack is remembered: 1 MB for stacks, 3 MB for messages, twice that beyond Latin-1. */
const MAX_LATELY_CHARS = 1_500;
/** The frame that threw, and some of its caller: what tells stacks apart. */
const HEAD_CHARS = 80;

/** All errors beyond what a Worker may have of different ones. */
const OVERFLOW_TITLE = "Too many different errors at once: further ones are counted together";

/** A stack, and what is known of its frames. */
export interface Known {
  /** Stands for the trace in keys. */
  id: number;
  trace: SourceTrace;
  state: MapState;
  /** ms */
  until: number;
  /** What was asked last: an error mostly differs from the one before in the numbers of its message, if at all. */
  last: Asked | undefined;
}

interface Asked extends Classified {
  message: string;
  template: string;
  rules: CompiledRules;
  remembered: Remembered;
}

/** A stack that was met a moment ago. */
interface Lately {
  script: string;
  version: string | undefined;
  stack: string;
  known: Known;
}

interface Remembered {
  grouping: Grouping;
  /** In which the flood gate let it through last. */
  minute: number;
  /** ms */
  until: number;
}

/** Occurrences of one invocation, on the way to their groups. */
export interface Found {
  fields: InvocationFields;
  events: readonly OwnFields[];
  occurrences: readonly Occurrence[];
}

/** An occurrence that knows where it belongs. */
export interface Grouped {
  occurrence: Occurrence;
  grouping: Grouping;
}

export class Grouper {
  private readonly maps: PlaceMaps;
  private readonly now: () => number;
  private readonly traces = new BoundedCache<Known>(MAX_TRACES, MAX_TRACE_BYTES);
  private readonly groupings = new BoundedCache<Remembered>(MAX_GROUPINGS, MAX_GROUPING_BYTES);
  /** By the first characters of the stack. */
  private readonly lately = new Map<string, Lately>();
  private groupedBy: CompiledRules = NO_RULES;
  private readonly pending = new Map<string, { done: Promise<void>; since: number }>();
  private readonly gate = new FloodGate();
  private noWaitingUntil = 0;
  private nextId = 0;
  private complained = false;

  constructor(maps: PlaceMaps, now: () => number) {
    this.maps = maps;
    this.now = now;
  }

  /** Resolves when no map is missing that could be had; undefined when none is. Never rejects. */
  prepare({ fields, occurrences }: Found, waitUntil: (work: Promise<unknown>) => void): Promise<unknown> | undefined {
    let waits: Promise<void>[] | undefined;
    const now = this.now();
    for (const occurrence of occurrences) {
      const { stack } = occurrence;
      if (stack === undefined) continue;
      try {
        occurrence.known = this.metLately(fields, stack, now);
        if (occurrence.known !== undefined) continue;
        const key = traceKey(fields, stack);
        occurrence.known = this.traces.get(key, now);
        if (occurrence.known !== undefined) {
          this.meet(fields, occurrence, occurrence.known);
          continue;
        }
        const wait = this.look(key, fields, occurrence, waitUntil, now);
        if (wait !== undefined) {
          waits ??= [];
          waits.push(wait);
        }
      } catch (error) {
        this.complain(error);
      }
    }
    return waits === undefined ? undefined : Promise.all(waits);
  }

  /** A map did not come in time: for a while nobody waits for any. */
  tooLate(): void {
    this.noWaitingUntil = this.now() + NO_WAITING_MS;
  }

  /** Sets the fingerprint of each event, and says where each occurrence belongs. */
  group(found: Found, rules: CompiledRules): Grouped[] {
    const grouped: Grouped[] = [];
    const now = this.now();
    for (const occurrence of found.occurrences) {
      const grouping = this.groupingOf(found, occurrence, rules, now);
      if (grouping === undefined) continue;
      occurrence.event.fingerprint = grouping.fingerprint;
      grouped.push({ occurrence, grouping });
    }
    return grouped;
  }

  private groupingOf(found: Found, occurrence: Occurrence, rules: CompiledRules, now: number): Grouping | undefined {
    try {
      const remembered = this.grouping(found, occurrence, rules, now);
      const minute = Math.floor(now / MINUTE_MS);
      if (remembered.minute === minute) return remembered.grouping;
      const grouping = this.bounded(found.fields.script, remembered.grouping, occurrence, now);
      if (grouping === remembered.grouping) remembered.minute = minute;
      return grouping;
    } catch (error) {
      this.complain(error);
    }
    try {
      const facts = factsOf(found, occurrence, { trace: null, state: "none" });
      return fingerprintOf(facts, NO_RULES);
    } catch {
      return undefined;
    }
  }

  private bounded(script: string, grouping: Grouping, occurrence: Occurrence, now: number): Grouping {
    const { fingerprint, group } = grouping;
    if (this.gate.admits(script, fingerprint, group, now)) return grouping;
    // Positions of minified code are many, what they belong to are few: its source map will not be waited for.
    if (group !== fingerprint && this.gate.admitsGroup(script, group, now)) {
      return { ...grouping, fingerprint: group, awaitsMap: "" };
    }
    return this.overflow(script, occurrence, now);
  }

  /** Begins to read the maps of a stack; undefined when there is nothing to wait for. */
  private look(
    key: string,
    fields: InvocationFields,
    occurrence: Occurrence,
    waitUntil: (work: Promise<unknown>) => void,
    now: number,
  ): Promise<void> | undefined {
    const pending = this.pending.get(key);
    if (pending !== undefined && now - pending.since < ABANDONED_MS) {
      return now < this.noWaitingUntil ? undefined : pending.done;
    }
    const trace = parsed(occurrence);
    const where = whereOf(fields);
    const cached = symbolicateCached(trace, where, this.maps);
    if (cached !== undefined) {
      occurrence.known = this.keep(key, cached, KEPT_MS[cached.state]);
      return undefined;
    }
    if (now < this.noWaitingUntil || this.pending.size >= MAX_PENDING) {
      this.forgetAbandoned(now);
      return undefined;
    }
    const entry = { done: this.read(key, trace, where), since: now };
    this.pending.set(key, entry);
    const { done } = entry;
    const forget = () => {
      if (this.pending.get(key) === entry) this.pending.delete(key);
    };
    // Goes on when nobody waits any longer: the next error of this kind finds the map in memory.
    waitUntil(done.then(forget));
    return done;
  }

  private async read(key: string, trace: ErrorTrace, where: { script: string; version: string }): Promise<void> {
    try {
      const done = await symbolicate(trace, where, this.maps, { context: false });
      this.keep(key, done, KEPT_MS[done.state]);
    } catch (error) {
      this.complain(error);
    }
  }

  private metLately({ script, version_id: version }: InvocationFields, stack: string, now: number): Known | undefined {
    const met = this.lately.get(stack.slice(0, HEAD_CHARS));
    const isSame = met !== undefined && met.script === script && met.version === version && met.stack === stack;
    return isSame && met.known.until > now ? met.known : undefined;
  }

  private meet({ script, version_id: version }: InvocationFields, occurrence: Occurrence, known: Known): void {
    const { stack } = occurrence;
    if (stack === undefined || !isShort(occurrence)) return;
    if (this.lately.size >= MAX_LATELY) this.lately.clear();
    this.lately.set(stack.slice(0, HEAD_CHARS), { script, version, stack, known });
  }

  private keep(key: string, { trace, state }: Symbolicated, keptMs: number): Known {
    const until = this.now() + keptMs;
    const known: Known = { id: this.nextId++, trace, state, until, last: undefined };
    this.traces.set(key, known, 2 * key.length + FRAME_BYTES * (1 + framesOf(trace)), until);
    return known;
  }

  private forgetAbandoned(now: number): void {
    for (const [key, { since }] of this.pending) if (now - since >= ABANDONED_MS) this.pending.delete(key);
  }

  private grouping(found: Found, occurrence: Occurrence, rules: CompiledRules, now: number): Remembered {
    const { stack } = occurrence;
    if (stack !== undefined && occurrence.known === undefined) {
      const key = traceKey(found.fields, stack);
      occurrence.known =
        this.traces.get(key, now) ??
        // The map is not here (yet): what the stack says itself must do.
        this.keep(key, unsymbolicated(parsed(occurrence), "failed"), RAW_KEPT_MS);
    }
    return this.rememberedGrouping(found, occurrence, rules, now);
  }

  private rememberedGrouping(found: Found, occurrence: Occurrence, rules: CompiledRules, now: number): Remembered {
    const { kind, noise, type, message, known } = occurrence;
    if (this.groupedBy !== rules) {
      this.groupings.clear();
      this.groupedBy = rules;
    }
    const usesMore = rules.uses.size > 0;
    const last = known === undefined || usesMore ? undefined : lastOf(known, occurrence, rules, now);
    if (last !== undefined && last.message === message) return last.remembered;
    const template = messageTemplate(message);
    if (last !== undefined && last.template === template) return last.remembered;
    const { fields } = found;
    // Errors without a stack are told apart by what the request was.
    const place =
      known === undefined
        ? [fields.script, fields.entrypoint, fields.method, fields.route, fields.status, fields.outcome].join("\n")
        : `${known.id}`;
    const used = usesMore ? usedBy(rules, found, occurrence) : "";
    const key = `${place}\n${kind}\n${noise}\n${type}\n${template}${used}`;
    const remembered =
      this.groupings.get(key, now) ??
      this.remember(key, fingerprintOf(factsOf(found, occurrence, known ?? NOT_PARSED), rules), now);
    if (known !== undefined && !usesMore && isShort(occurrence)) {
      known.last = { kind, noise, type, message, template, rules, remembered };
    }
    return remembered;
  }

  private remember(key: string, grouping: Grouping, now: number): Remembered {
    const remembered = { grouping, minute: -1, until: now + KEPT_MS.mapped };
    const bytes = GROUPING_BYTES + 2 * (key.length + grouping.title.length + grouping.culprit.length);
    this.groupings.set(key, remembered, bytes, remembered.until);
    return remembered;
  }

  private overflow(script: string, { kind, noise }: Occurrence, now: number): Grouping {
    const key = `overflow\n${script}\n${kind}\n${noise}`;
    const remembered = this.groupings.get(key, now);
    if (remembered !== undefined) return remembered.grouping;
    const facts = { script, kind, noise, type: "", message: OVERFLOW_TITLE, trace: null, versionId: "" };
    return this.remember(key, fingerprintOf({ ...facts, waitsForMap: false }, NO_RULES), now).grouping;
  }

  private complain(error: unknown): void {
    if (!this.complained) console.error("BUG: an error could not be grouped; its event is kept", error);
    this.complained = true;
  }
}

const NOT_PARSED = { trace: null, state: "none" } as const;

function lastOf(
  { last }: Known,
  { kind, noise, type }: Occurrence,
  rules: CompiledRules,
  now: number,
): Asked | undefined {
  const isSame =
    last !== undefined && last.kind === kind && last.noise === noise && last.type === type && last.rules === rules;
  return isSame && last.remembered.until > now ? last : undefined;
}

/** Message and stack may be parts of a longer text, and keep all of that in memory. */
function isShort({ event, message, stack = "" }: Occurrence): boolean {
  return (event.stack ?? stack).length + message.length <= MAX_LATELY_CHARS;
}

/** A map of another version is never asked. */
const traceKey = ({ script, version_id: version }: InvocationFields, stack: string) =>
  `${script}\n${version ?? ""}\n${stack}`;

const whereOf = ({ script, version_id: version }: InvocationFields) => ({ script, version: version ?? "" });

function parsed(occurrence: Occurrence): ErrorTrace {
  occurrence.trace ??= parseStack(occurrence.stack, { type: occurrence.type, message: occurrence.message });
  return occurrence.trace;
}

function framesOf<F>({ frames, cause, errors }: ErrorTrace<F>): number {
  let sum = frames.length + (cause === null ? 0 : framesOf(cause));
  for (const error of errors) sum += framesOf(error);
  return sum;
}
