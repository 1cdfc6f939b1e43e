/**
 * One filter on one field, as functions of a value: `compile.ts` makes them,
 * `evaluate.ts` asks them once per dictionary entry or number. A value is
 * matched by its type in the data, which may differ from segment to segment: an
 * attribute can be a number here and a text there.
 */
import type { Column } from "../../event/batch.ts";
import type { ColumnType } from "../../event/columns.ts";
import { ignoringCase } from "../../store/text-column.ts";
import type { CompareOp, Leaf, Value } from "../language/ast.ts";
import { formatTimeUs } from "../language/time.ts";
import { compileRegex } from "./regex.ts";

export interface Matcher {
  text(value: string): boolean;
  /** Numbers, and times in µs. */
  number(value: number, type: "number" | "time"): boolean;
  /** Set when `text` is a substring search: a search over whole pages does the same, faster. */
  contains?: string;
  /** A text that every match contains: asked before `text` where `text` is slow. */
  literal?: { text: string; ignoreCase: boolean };
  /** Set for regular expressions: steps for one character at worst. */
  steps?: number;
  /** What is known of columns beforehand: per dictionary entry, or per row of a column of numbers (slow-match.ts). */
  known?: WeakMap<Column, Uint8Array>;
}

export function matcherOf(leaf: Leaf): Matcher {
  switch (leaf.kind) {
    case "exists":
      return { text: () => true, number: () => true };
    case "equals":
      return equals(leaf.value);
    case "in":
      return asText((value) => leaf.values.has(value));
    case "contains": {
      const pattern = ignoringCase(leaf.text, "i");
      return { ...asText((value) => pattern.test(value)), contains: leaf.text };
    }
    case "prefix":
      return { ...asText((value) => value.startsWith(leaf.text)), literal: { text: leaf.text, ignoreCase: false } };
    case "compare":
      return compare(leaf.op, leaf.value);
    case "range": {
      const min = compare(">=", leaf.min);
      const max = compare("<=", leaf.max);
      return {
        text: (value) => min.text(value) && max.text(value),
        number: (value, type) => min.number(value, type) && max.number(value, type),
      };
    }
    case "regex": {
      const regex = compileRegex(leaf.source, leaf.ignoreCase, leaf.at);
      const literal = regex.literal === "" ? undefined : { text: regex.literal, ignoreCase: regex.ignoreCase };
      return { ...asText(regex.test), literal, steps: regex.size, known: new WeakMap() };
    }
  }
}

/** A filter on text sees numbers and times as they are shown. */
function asText(test: (value: string) => boolean): Matcher {
  return { text: test, number: (value, type) => test(type === "time" ? formatTimeUs(value) : String(value)) };
}

function equals(value: Value): Matcher {
  const { text } = value;
  return { text: (t) => t === text, number: (n) => n === value.number, literal: { text, ignoreCase: false } };
}

function compare(op: CompareOp, value: Value): Matcher {
  const wanted = value.number;
  const number = wanted === undefined ? () => false : numberTest(op, wanted);
  if (wanted !== undefined && !value.quoted) {
    return { text: (text) => text.trim() !== "" && number(Number(text)), number };
  }
  const other = value.text;
  const text = {
    ">": (t: string) => t > other,
    ">=": (t: string) => t >= other,
    "<": (t: string) => t < other,
    "<=": (t: string) => t <= other,
  }[op];
  return { text, number };
}

function numberTest(op: CompareOp, wanted: number): (value: number) => boolean {
  switch (op) {
    case ">":
      return (value) => value > wanted;
    case ">=":
      return (value) => value >= wanted;
    case "<":
      return (value) => value < wanted;
    case "<=":
      return (value) => value <= wanted;
  }
}

export const booleanText = (value: number) => (value === 1 ? "true" : "false");

/** How a number of a column is shown, and matched by filters on text. */
export function numberText(value: number, type: ColumnType): string {
  return type === "boolean" ? booleanText(value) : type === "time" ? formatTimeUs(value) : String(value);
}
