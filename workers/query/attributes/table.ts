/**
 * Invocations and the attributes that their events have, in little memory: each
 * value is kept once, an invocation is a list of small numbers. An invocation has
 * a value if any of its events has it, however often. `sink.ts` fills it,
 * `read.ts` hands out the counts.
 */
import { MAX_ATTRIBUTE_VALUES, MAX_ATTRIBUTES, MAX_COUNTED_CHARS, MAX_PAIRS, MAX_VALUE_CHARS } from "./limits.ts";

/** Of some invocations: how many, the sum of their weights, and of the squares. */
export interface Tally {
  n: number;
  weight: number;
  squares: number;
}

export interface CountedValue {
  value: string;
  issue: Tally;
  rest: Tally;
}

export interface CountedAttribute {
  /** Column. */
  attribute: string;
  /** Those that have it. */
  issue: Tally;
  rest: Tally;
  values: CountedValue[];
  /** Values that were not kept one by one: ids, long texts. */
  others: number;
}

export interface Row {
  id: string;
  hash: number;
  ofIssue: boolean;
  weight: number;
  /** Why it is not counted: it is one of the issue's among the others, or not all of it could be read. */
  spoilt?: "foreign" | "unread";
  pairs: number[];
}

interface Attribute {
  name: string;
  /** What every invocation that has a value which is not kept gets. */
  other: number;
  ids: Map<string, number>;
}

export class InvocationTable {
  readonly rows = new Map<string, Row>();
  private readonly attributes = new Map<string, Attribute>();
  /** Of each number: its attribute, and its value if that was kept. */
  private readonly pairs: { attribute: Attribute; value: string | undefined }[] = [];
  private chars = 0;

  add(row: Row, name: string, value: string): void {
    const attribute = this.attributeOf(name);
    if (attribute === undefined || row.pairs.length >= MAX_PAIRS) return;
    const pair = this.pairOf(attribute, value);
    if (!row.pairs.includes(pair)) row.pairs.push(pair);
  }

  /** Attributes that at least so many invocations of the issue have. */
  common(least: number): Set<string> {
    const counts = new Map<string, number>();
    for (const row of this.rows.values()) {
      if (!row.ofIssue) continue;
      for (const { name } of this.attributesOf(row)) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return new Set([...counts].flatMap(([name, n]) => (n >= least ? [name] : [])));
  }

  private attributeOf(name: string): Attribute | undefined {
    let attribute = this.attributes.get(name);
    if (attribute === undefined && this.attributes.size < MAX_ATTRIBUTES) {
      attribute = { name, other: this.pairs.length, ids: new Map() };
      this.pairs.push({ attribute, value: undefined });
      this.attributes.set(name, attribute);
    }
    return attribute;
  }

  /** A value that is not kept once is never kept, so that what is kept is counted from its first occurrence on. */
  private pairOf(attribute: Attribute, value: string): number {
    const known = attribute.ids.get(value);
    if (known !== undefined) return known;
    const isTooMuch = attribute.ids.size >= MAX_ATTRIBUTE_VALUES || this.chars > MAX_COUNTED_CHARS;
    if (value.length > MAX_VALUE_CHARS || isTooMuch) return attribute.other;
    const pair = this.pairs.push({ attribute, value }) - 1;
    attribute.ids.set(value, pair);
    this.chars += value.length;
    return pair;
  }

  private attributesOf(row: Row): Set<Attribute> {
    return new Set(row.pairs.map((pair) => (this.pairs[pair] as { attribute: Attribute }).attribute));
  }

  /** Jaccard's index of the invocations that have one value and those that have another. */
  similarity(one: ValueName, other: ValueName): number {
    const first = this.find(one);
    const second = this.find(other);
    let both = 0;
    let either = 0;
    for (const { spoilt, pairs } of this.rows.values()) {
      if (spoilt !== undefined) continue;
      const a = pairs.includes(first);
      const b = pairs.includes(second);
      if (a && b) both++;
      if (a || b) either++;
    }
    return either === 0 ? 0 : both / either;
  }

  private find({ attribute, value }: ValueName): number {
    return this.attributes.get(attribute)?.ids.get(value) ?? -1;
  }

  /** The part of a group that could be read, 0..1. */
  readable(ofIssue: boolean): number {
    let read = 0;
    let all = 0;
    for (const row of this.rows.values()) {
      if (row.ofIssue !== ofIssue || row.spoilt === "foreign") continue;
      all++;
      if (row.spoilt === undefined) read++;
    }
    return all === 0 ? 1 : read / all;
  }

  count(): { issue: Tally; rest: Tally; attributes: CountedAttribute[] } {
    const all = both();
    const perPair = this.pairs.map(both);

    const perAttribute = new Map([...this.attributes.values()].map((attribute) => [attribute, both()]));
    for (const row of this.rows.values()) {
      if (row.spoilt !== undefined) continue;
      const side = row.ofIssue ? "issue" : "rest";
      tally(all[side], row.weight);
      for (const pair of row.pairs) tally((perPair[pair] as Both)[side], row.weight);
      for (const attribute of this.attributesOf(row)) tally((perAttribute.get(attribute) as Both)[side], row.weight);
    }
    const attributes = [...perAttribute].map(([{ name, other, ids }, having]): CountedAttribute => {
      const values = [...ids].map(([value, pair]) => ({ value, ...(perPair[pair] as Both) }));
      const unkept = perPair[other] as Both;
      return {
        attribute: name,
        ...having,
        values: values.filter(({ issue, rest }) => issue.n + rest.n > 0),
        others: unkept.issue.n + unkept.rest.n,
      };
    });
    return { ...all, attributes };
  }
}

interface ValueName {
  attribute: string;
  value: string;
}

interface Both {
  issue: Tally;
  rest: Tally;
}

const both = (): Both => ({ issue: { n: 0, weight: 0, squares: 0 }, rest: { n: 0, weight: 0, squares: 0 } });

function tally(into: Tally, weight: number): void {
  into.n++;
  into.weight += weight;
  into.squares += weight * weight;
}
