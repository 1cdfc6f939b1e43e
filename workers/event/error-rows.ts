/** Which rows of a batch are errors, as destinations that take nothing else see them (`store/seal.ts` notes it, `delivery/source/` reads by it). */
import type { ColumnBatch, StringColumn } from "./batch.ts";
import { clientLeft, isFailure } from "./failure.ts";

/** 1: an exception, an event that is part of an issue, or one of an invocation that failed. */
export function errorRows({ rows, columns }: ColumnBatch): Uint8Array {
  const errors = new Uint8Array(rows);
  const outcome = columns.get("cloudflare.outcome");
  const outcomes = outcome?.type === "string" ? outcome : undefined;
  const status = columns.get("http.response.status_code");
  if (status?.type === "number") {
    for (let row = 0; row < rows; row++) if ((status.data[row] as number) >= 500) errors[row] = 1;
  }
  mark(errors, outcomes, clientLeft, 0);
  mark(errors, outcomes, (text) => isFailure(text, undefined), 1);
  const kind = columns.get("kind");
  mark(errors, kind?.type === "string" ? kind : undefined, (text) => text === "exception", 1);
  const fingerprint = columns.get("tailrace.fingerprint");
  mark(errors, fingerprint?.type === "string" ? fingerprint : undefined, () => true, 1);
  return errors;
}

function mark(rows: Uint8Array, column: StringColumn | undefined, matches: (text: string) => boolean, as: 0 | 1): void {
  if (column === undefined) return;
  const { dict, index } = column;
  const wanted = Uint8Array.from(dict, (text) => (matches(text) ? 1 : 0));
  if (!wanted.includes(1)) return;
  for (let row = 0; row < index.length; row++) if (wanted[index[row] as number] === 1) rows[row] = as;
}
