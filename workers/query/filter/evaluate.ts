/**
 * A compiled filter over a batch → one byte per row (1: matches). Strings are
 * matched once per dictionary entry, then looked up by row. Called by `scan.ts`
 * for events and by `table.ts` for the rows of an answer. NOT means "does not
 * match", so it holds for rows that lack the field.
 */

import type { Column, ColumnBatch, NumberColumn, StringColumn } from "../../event/batch.ts";
import { isFailure } from "../../event/failure.ts";
import { dictIncludes } from "../../store/text-column.ts";
import { type Node, OUTCOME, STATUS } from "./compile.ts";
import { booleanText, type Matcher } from "./match.ts";

export function evaluate(node: Node, batch: ColumnBatch): Uint8Array {
  const { rows } = batch;
  switch (node.kind) {
    case "all":
      return new Uint8Array(rows).fill(1);
    case "leaf":
      return matchColumn(node.matcher, batch.columns.get(node.column), rows);
    case "failed":
      return matchFailed(batch);
    case "not": {
      const mask = evaluate(node.item, batch);
      for (let row = 0; row < rows; row++) mask[row] = (mask[row] as number) ^ 1;
      return mask;
    }
    case "and": {
      const mask = evaluate(node.items[0] as Node, batch);
      for (let i = 1; i < node.items.length && mask.includes(1); i++) {
        const other = evaluate(node.items[i] as Node, batch);
        for (let row = 0; row < rows; row++) mask[row] = (mask[row] as number) & (other[row] as number);
      }
      return mask;
    }
    case "or": {
      const mask = evaluate(node.items[0] as Node, batch);
      for (let i = 1; i < node.items.length; i++) {
        const other = evaluate(node.items[i] as Node, batch);
        for (let row = 0; row < rows; row++) mask[row] = (mask[row] as number) | (other[row] as number);
      }
      return mask;
    }
  }
}

function matchColumn(matcher: Matcher, column: Column | undefined, rows: number): Uint8Array {
  if (column === undefined) return new Uint8Array(rows);
  return column.type === "string" ? matchStrings(matcher, column) : matchNumbers(matcher, column);
}

function matchStrings(matcher: Matcher, column: StringColumn): Uint8Array {
  const { index } = column;
  const mask = new Uint8Array(index.length);
  const hits = matcher.known?.get(column) ?? matchDictionary(matcher, column);
  if (!hits.includes(1)) return mask;
  for (let row = 0; row < index.length; row++) {
    const at = index[row] as number;
    if (at >= 0) mask[row] = hits[at] as number;
  }
  return mask;
}

function matchDictionary(matcher: Matcher, column: StringColumn): Uint8Array {
  if (matcher.contains !== undefined) return dictIncludes(column, matcher.contains, true);
  const found = candidates(matcher, column);
  // Without a candidate no string need be made.
  if (!found.includes(1)) return found;
  const { dict } = column;
  for (let entry = found.indexOf(1); entry >= 0; entry = found.indexOf(1, entry + 1)) {
    if (!matcher.text(dict[entry] as string)) found[entry] = 0;
  }
  return found;
}

/** Entries of the dictionary that may match. */
export function candidates({ literal }: Matcher, column: StringColumn): Uint8Array {
  if (literal !== undefined) return dictIncludes(column, literal.text, literal.ignoreCase);
  return new Uint8Array(column.dict.length).fill(1);
}

function matchNumbers(matcher: Matcher, column: NumberColumn): Uint8Array {
  const { data, type } = column;
  const known = matcher.known?.get(column);
  if (known !== undefined) return known.slice();
  const mask = new Uint8Array(data.length);
  const hit = type === "boolean" ? booleanMatcher(matcher) : (value: number) => matcher.number(value, type);
  // Columns repeat themselves: the last answer often holds.
  let last = Number.NaN;
  let answer = 0;
  for (let row = 0; row < data.length; row++) {
    const value = data[row] as number;
    if (value !== last) {
      if (Number.isNaN(value)) continue;
      last = value;
      answer = hit(value) ? 1 : 0;
    }
    mask[row] = answer;
  }
  return mask;
}

function booleanMatcher(matcher: Matcher): (value: number) => boolean {
  const yes = matcher.text(booleanText(1));
  const no = matcher.text(booleanText(0));
  return (value) => (value === 1 ? yes : no);
}

/** event/failure.ts, asked once per outcome with and without a failing status. */
function matchFailed(batch: ColumnBatch): Uint8Array {
  const mask = new Uint8Array(batch.rows);
  const outcome = batch.columns.get(OUTCOME);
  const status = batch.columns.get(STATUS);
  const strings = outcome?.type === "string" ? outcome : undefined;
  const index = strings?.index;
  const codes = status !== undefined && "data" in status ? status.data : undefined;
  const outcomes = [undefined, ...(strings?.dict ?? [])];
  const withoutStatus = outcomes.map((o) => isFailure(o, undefined));
  const withStatus = outcomes.map((o) => isFailure(o, 500));
  for (let row = 0; row < mask.length; row++) {
    const at = (index === undefined ? -1 : (index[row] as number)) + 1;
    const failing = codes !== undefined && (codes[row] as number) >= 500;
    if ((failing ? withStatus : withoutStatus)[at]) mask[row] = 1;
  }
  return mask;
}

/** Row numbers of the ones in a mask, of the first `count` of them. */
export function rowsOf(mask: Uint8Array): Int32Array {
  let count = 0;
  for (let row = 0; row < mask.length; row++) count += mask[row] as number;
  const rows = new Int32Array(count);
  let at = 0;
  for (let row = 0; at < count; row++) if (mask[row] === 1) rows[at++] = row;
  return rows;
}
