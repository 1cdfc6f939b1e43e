/**
 * Query gates: of the invocations of each minute, how many have an event that
 * matches. `feed.ts` asks every 15 s; minutes that may still change are asked
 * for again and replaced, so that nothing is counted twice. With the matches
 * goes the number of invocations as it was at that moment: one that runs ahead
 * of the other would make both versions look better than they are.
 */
import type { QueryGate } from "../../api/contract.ts";
import { checkFilter, countMatches, type Matches } from "../../query/index.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import { type Arm, MAX_QUERY_GATES, type QueryCell } from "../contract.ts";
import { OPEN_MINUTES, QUERIES_MS, QUERY_MINUTES, QUERY_WAIT_MS, STALE_MS } from "./limits.ts";
import { type Counted, partOf, type Subject } from "./sum.ts";

const MINUTE_S = 60;

/** What is wrong with a plan's query gates, in words; "" when nothing is. */
export function checkQueries(gates: readonly QueryGate[], now: number): string {
  if (gates.length > MAX_QUERY_GATES) return `At most ${MAX_QUERY_GATES} query gates.`;
  if (new Set(gates.map(({ name }) => name)).size < gates.length) return "Two query gates have the same name.";
  for (const { name, filter } of gates) {
    const problem = checkFilter(filter, now);
    if (problem !== "") return `Query gate ${name}: ${problem}`;
  }
  return "";
}

/** What was asked for: the minutes `[since, until)` in seconds, and all that is known of them now. */
export interface Answered {
  since: number;
  until: number;
  cells: readonly QueryCell[];
  /** Minutes before are final. */
  through: number;
}

export class QueryWatch {
  private askedAt = Number.NEGATIVE_INFINITY;
  private answeredAt: number | undefined;
  private problem = "";
  private running: Promise<Answered | undefined> | undefined;

  constructor(private readonly env: Env) {}

  /** What hides the gates at present; "" when nothing does. */
  doubt(now: number): string {
    if (this.answeredAt !== undefined && now - this.answeredAt <= STALE_MS) return "";
    return `Query gates cannot be answered${this.problem === "" ? " yet" : `: ${this.problem}`}.`;
  }

  /** Undefined when it is not due, or failed. Never rejects. `through`: seconds, minutes before are answered for good. */
  refresh(
    gates: readonly QueryGate[],
    through: number,
    subject: Subject,
    counted: () => Counted | undefined,
    now: number,
  ): Promise<Answered | undefined> {
    if (this.running !== undefined) return this.running;
    if (gates.length === 0 || Math.abs(now - this.askedAt) < QUERIES_MS) return Promise.resolve(undefined);
    this.askedAt = now;
    this.running = this.ask(gates, through, subject, counted, now).finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async ask(
    gates: readonly QueryGate[],
    through: number,
    subject: Subject,
    counted: () => Counted | undefined,
    now: number,
  ): Promise<Answered | undefined> {
    const end = (Math.floor(now / 60_000) + 1) * MINUTE_S;
    const until = Math.min(end, through + QUERY_MINUTES * MINUTE_S);
    try {
      const cells: QueryCell[] = [];
      for (const gate of gates) cells.push(...(await this.askOne(gate, through, until, subject, counted, now)));
      this.problem = "";
      // Behind by more than one question: the next look goes on.
      if (until < end) this.askedAt = Number.NEGATIVE_INFINITY;
      else this.answeredAt = now;
      const final = Math.min(until, end - OPEN_MINUTES * MINUTE_S);
      return { since: through, until, cells, through: Math.max(final, through) };
    } catch (error) {
      this.problem = rootMessage(error);
      return undefined;
    }
  }

  private async askOne(
    gate: QueryGate,
    since: number,
    until: number,
    { script, old, new: fresh, changes }: Subject,
    counted: () => Counted | undefined,
    now: number,
  ): Promise<QueryCell[]> {
    const placeOf = (version: string, at: number) => {
      const minute = Math.floor(at / 60_000) * MINUTE_S;
      return `${minute} ${partOf(minute, at, changes).part ?? 0} ${version === fresh ? "new" : "old"}`;
    };
    const question = { filter: gate.filter, script, versions: [old, fresh], from: since * 1_000, to: until * 1_000 };
    const result = await within(QUERY_WAIT_MS, "query", countMatches(this.env, { ...question, placeOf }, { now }));
    if (!result.ok) throw new Error(result.error.message);
    return merged(gate.name, result.answer, counted()?.cells.values() ?? [], since, until);
  }
}

/**
 * Matches beside the invocations of the same minute, part and arm, of all classes
 * together. A match that weighs ten is evidence of one, not of ten that happened
 * to agree: both counts are made smaller alike, so that rates stay what they are
 * and certainty does not grow by sampling.
 */
function merged(
  gate: string,
  { places, weight }: Matches,
  cells: Iterable<Counted["cells"] extends ReadonlyMap<string, infer C> ? C : never>,
  since: number,
  until: number,
): QueryCell[] {
  const all = new Map<string, number>();
  for (const { minute, part, arm, n, left, collateral } of cells) {
    if (minute < since || minute >= until) continue;
    const place = `${minute} ${part ?? 0} ${arm}`;
    all.set(place, (all.get(place) ?? 0) + n + left + collateral);
  }
  const scale = 1 / Math.max(weight, 1);
  return [...new Set([...all.keys(), ...places.keys()])].map((place) => {
    const [minute, part, arm] = place.split(" ") as [string, string, Arm];
    const hits = (places.get(place) ?? 0) * scale;
    // Events may be here a moment before their counts are.
    const n = Math.max((all.get(place) ?? 0) * scale, hits);
    return { gate, minute: Number(minute), ...(part === "0" ? {} : { part: Number(part) }), arm, n, hits };
  });
}
