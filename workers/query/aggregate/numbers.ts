/** Any column as numbers, for arithmetic: text that is a number counts as one, other text as null. */

import type { Column } from "../../event/batch.ts";

export function numbersOf(column: Column): Float64Array {
  if (column.type !== "string") return column.data;
  const numbers = Float64Array.from(column.dict, (text) => (text.trim() === "" ? Number.NaN : Number(text)));
  return Float64Array.from(column.index, (at) => (at < 0 ? Number.NaN : (numbers[at] as number)));
}
