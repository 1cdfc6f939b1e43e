/**
 * Regular expressions on much text, before `evaluate.ts` needs the answers: in
 * slices, with a pause after each. Time per character is bounded, but by the
 * size of the expression: `(a?){400}a{400}[bc]` takes 0.3 s for one text of
 * 32 KB, and without pauses no other request would run, nor the clock, on which
 * the limit of wall time depends. `scan.ts` and `run.ts` call this.
 */
import type { Column, ColumnBatch, NumberColumn, StringColumn } from "../../event/batch.ts";
import { hasRegex, type Node } from "./compile.ts";
import { candidates, evaluate } from "./evaluate.ts";
import type { Matcher } from "./match.ts";

/** At worst some 40 ms (8 ns a step). Batches below this are matched at once by `evaluate.ts`. */
const STEPS_WITHOUT_PAUSE = 5_000_000;
/** Of a number or a time as text. */
const NUMBER_CHARS = 24;

/** Lets others run; throws when the query may not go on. */
export type Pause = () => Promise<void>;

export async function matchSlowly(node: Node, batch: ColumnBatch, pause: Pause): Promise<void> {
  if (!hasRegex(node)) return;
  if (node.kind === "not") await matchSlowly(node.item, batch, pause);
  else if (node.kind === "leaf") await matchLeaf(node.matcher, batch.columns.get(node.column), pause);
  else if ("items" in node) {
    // Where nothing is left to match, `evaluate` will not ask: it goes through the items in this order.
    const quick = node.kind === "and" ? node.items.filter((item) => !hasRegex(item)) : [];
    if (quick.some((item) => !evaluate(item, batch).includes(1))) return;
    for (const item of node.items) await matchSlowly(item, batch, pause);
  }
}

async function matchLeaf(matcher: Matcher, column: Column | undefined, pause: Pause): Promise<void> {
  const { steps, known } = matcher;
  if (steps === undefined || known === undefined || column === undefined || known.has(column)) return;
  const meter = new Meter(steps, pause);
  if (column.type === "string") known.set(column, await matchTexts(matcher, column, meter));
  else if (column.type !== "boolean" && column.data.length * NUMBER_CHARS * steps > STEPS_WITHOUT_PAUSE)
    known.set(column, await matchNumbers(matcher, column, meter));
}

class Meter {
  private done = 0;
  constructor(
    private readonly stepsPerChar: number,
    private readonly pause: Pause,
  ) {}

  /** Call before each text; to be awaited only when it is not undefined. */
  spend(chars: number): Promise<void> | undefined {
    this.done += chars * this.stepsPerChar;
    if (this.done < STEPS_WITHOUT_PAUSE) return undefined;
    this.done = 0;
    return this.pause();
  }
}

async function matchTexts(matcher: Matcher, column: StringColumn, meter: Meter): Promise<Uint8Array> {
  const found = candidates(matcher, column);
  if (!found.includes(1)) return found;
  const { dict } = column;
  for (let entry = found.indexOf(1); entry >= 0; entry = found.indexOf(1, entry + 1)) {
    const text = dict[entry] as string;
    const pause = meter.spend(text.length);
    if (pause !== undefined) await pause;
    if (!matcher.text(text)) found[entry] = 0;
  }
  return found;
}

async function matchNumbers(matcher: Matcher, column: NumberColumn, meter: Meter): Promise<Uint8Array> {
  const { data, type } = column;
  const shown = type === "time" ? "time" : "number";
  const mask = new Uint8Array(data.length);
  for (let row = 0; row < data.length; row++) {
    const value = data[row] as number;
    if (Number.isNaN(value)) continue;
    if (row > 0 && value === data[row - 1]) {
      mask[row] = mask[row - 1] as number;
      continue;
    }
    const pause = meter.spend(NUMBER_CHARS);
    if (pause !== undefined) await pause;
    mask[row] = matcher.number(value, shown) ? 1 : 0;
  }
  return mask;
}
