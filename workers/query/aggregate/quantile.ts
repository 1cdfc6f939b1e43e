/**
 * Quantiles of many groups: every value is kept until there are too many, then
 * all become sketches. Exact ones interpolate between neighbours as
 * `quantile_cont` of SQL does, with a weight of n standing for n equal values.
 */
import { Sketch } from "../../event/sketch.ts";

/** Values per block: growing by blocks never holds old and new at once. */
const BLOCK = 1 << 16;

interface Block {
  values: Float64Array;
  groups: Int32Array;
  /** Absent while all are 1. */
  weights?: Float64Array;
}

/** A budget that all stores of a query share. */
export interface ValueBudget {
  left: number;
}

/** Sketches of both signs: DDSketch has no negative values. */
class SignedSketch {
  private readonly positive = new Sketch();
  private readonly negative = new Sketch();

  add(value: number, weight: number): void {
    if (value < 0) this.negative.add(-value, weight);
    else this.positive.add(value, weight);
  }

  quantile(q: number): number | null {
    const below = this.negative.weight;
    const above = this.positive.weight;
    if (below + above === 0) return null;
    const rank = q * (below + above - 1);
    if (rank < below) return -(this.negative.quantile(below > 1 ? 1 - rank / (below - 1) : 0) ?? 0);
    return this.positive.quantile(above > 1 ? Math.max(0, (rank - below) / (above - 1)) : 0) ?? null;
  }
}

export class ValueStore {
  /** What sketches measure from: their error is a share of the distance to it. Undefined: not known yet. */
  private origin: number | undefined;
  private blocks: Block[] = [];
  private used = BLOCK;
  private sketches: SignedSketch[] | undefined;
  private sorted: { values: Float64Array; weights?: Float64Array; starts: Int32Array } | undefined;
  private readonly budget: ValueBudget;

  /** `farFromZero`: for times. 1 % of the time since 1970 is seven months; of the time since the first one seen, little. */
  constructor(budget: ValueBudget, farFromZero = false) {
    this.budget = budget;
    this.origin = farFromZero ? undefined : 0;
  }

  get exact(): boolean {
    return this.sketches === undefined;
  }

  get bytes(): number {
    // A sketch of durations has some hundred buckets at most.
    return this.blocks.length * BLOCK * 12 + (this.sketches?.length ?? 0) * 4_096;
  }

  add(value: number, weight: number, group: number): void {
    if (Number.isNaN(value)) return;
    this.origin ??= value;
    if (this.sketches !== undefined) {
      this.sketch(group).add(value - this.origin, weight);
      return;
    }
    if (this.used === BLOCK) {
      if (this.budget.left < BLOCK) {
        this.toSketches(this.origin);
        this.sketch(group).add(value - this.origin, weight);
        return;
      }
      this.budget.left -= BLOCK;
      this.blocks.push({ values: new Float64Array(BLOCK), groups: new Int32Array(BLOCK) });
      this.used = 0;
    }
    const block = this.blocks[this.blocks.length - 1] as Block;
    const at = this.used++;
    block.values[at] = value;
    block.groups[at] = group;
    if (block.weights !== undefined) block.weights[at] = weight;
    else if (weight !== 1) {
      block.weights = new Float64Array(BLOCK).fill(1);
      block.weights[at] = weight;
    }
  }

  private sketch(group: number): SignedSketch {
    const sketches = this.sketches as SignedSketch[];
    while (sketches.length <= group) sketches.push(new SignedSketch());
    return sketches[group] as SignedSketch;
  }

  private toSketches(origin: number): void {
    this.sketches = [];
    this.each((value, weight, group) => this.sketch(group).add(value - origin, weight));
    this.budget.left += this.blocks.length * BLOCK;
    this.blocks = [];
  }

  private each(visit: (value: number, weight: number, group: number) => void): void {
    for (let b = 0; b < this.blocks.length; b++) {
      const block = this.blocks[b] as Block;
      const end = b === this.blocks.length - 1 ? this.used : BLOCK;
      for (let i = 0; i < end; i++) {
        visit(block.values[i] as number, block.weights?.[i] ?? 1, block.groups[i] as number);
      }
    }
  }

  /** `q` in 0..1. Null for a group without values. Adds nothing after the first call. */
  quantile(group: number, q: number): number | null {
    if (this.sketches !== undefined) {
      const distance = this.sketches[group]?.quantile(q) ?? null;
      return distance === null ? null : distance + (this.origin ?? 0);
    }
    this.sorted ??= this.sort();
    const { values, weights, starts } = this.sorted;
    const from = starts[group] ?? 0;
    const to = starts[group + 1] ?? from;
    if (to <= from) return null;
    return weights === undefined
      ? quantileCont(values.subarray(from, to), q)
      : weightedQuantile(values, weights, from, to, q);
  }

  /** Values by group (a counting sort), then ascending within it. */
  private sort(): { values: Float64Array; weights?: Float64Array; starts: Int32Array } {
    let groups = 0;
    let total = 0;
    let weighted = false;
    this.each((_, weight, group) => {
      if (group >= groups) groups = group + 1;
      if (weight !== 1) weighted = true;
      total++;
    });
    const starts = new Int32Array(groups + 1);
    this.each((_, __, group) => {
      starts[group + 1] = (starts[group + 1] as number) + 1;
    });
    for (let g = 0; g < groups; g++) starts[g + 1] = (starts[g + 1] as number) + (starts[g] as number);
    const next = starts.slice();
    const values = new Float64Array(total);
    const weights = weighted ? new Float64Array(total) : undefined;
    this.each((value, weight, group) => {
      const at = next[group] as number;
      next[group] = at + 1;
      values[at] = value;
      if (weights !== undefined) weights[at] = weight;
    });
    this.blocks = [];
    if (weights !== undefined)
      for (let g = 0; g < groups; g++) sortPairs(values, weights, starts[g] as number, starts[g + 1] as number);
    return { values, weights, starts };
  }
}

/** Selects in place; the order of `values` changes, what they are does not. */
export function quantileCont(values: Float64Array, q: number): number {
  const rank = q * (values.length - 1);
  const low = Math.floor(rank);
  const a = select(values, low);
  if (rank === low) return a;
  // After selecting, what lies right of `low` is not smaller: its minimum is the neighbour.
  let b = Number.POSITIVE_INFINITY;
  for (let i = low + 1; i < values.length; i++) if ((values[i] as number) < b) b = values[i] as number;
  return a + (b - a) * (rank - low);
}

/** Hoare's selection with the middle as pivot, and sorting when it degenerates. */
function select(values: Float64Array, k: number): number {
  let left = 0;
  let right = values.length - 1;
  let budget = 4 * Math.ceil(Math.log2(values.length + 1)) + 16;
  while (left < right) {
    if (budget-- === 0) {
      values.subarray(left, right + 1).sort();
      break;
    }
    const pivot = values[(left + right) >>> 1] as number;
    let i = left;
    let j = right;
    while (i <= j) {
      while ((values[i] as number) < pivot) i++;
      while ((values[j] as number) > pivot) j--;
      if (i <= j) {
        const swap = values[i] as number;
        values[i] = values[j] as number;
        values[j] = swap;
        i++;
        j--;
      }
    }
    if (k <= j) right = j;
    else if (k >= i) left = i;
    else break;
  }
  return values[k] as number;
}

function sortPairs(values: Float64Array, weights: Float64Array, from: number, to: number): void {
  const order = Array.from({ length: to - from }, (_, i) => from + i);
  order.sort((a, b) => (values[a] as number) - (values[b] as number));
  const v = Float64Array.from(order, (i) => values[i] as number);
  const w = Float64Array.from(order, (i) => weights[i] as number);
  values.set(v, from);
  weights.set(w, from);
}

function weightedQuantile(values: Float64Array, weights: Float64Array, from: number, to: number, q: number): number {
  let total = 0;
  for (let i = from; i < to; i++) total += weights[i] as number;
  const rank = Math.max(0, q * (total - 1));
  const low = Math.floor(rank);
  let seen = 0;
  let a: number | undefined;
  for (let i = from; i < to; i++) {
    seen += weights[i] as number;
    if (a === undefined && seen > low) a = values[i] as number;
    if (seen > low + 1) return (a as number) + ((values[i] as number) - (a as number)) * (rank - low);
  }
  return a ?? (values[to - 1] as number);
}
