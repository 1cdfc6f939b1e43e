/**
 * Entries → bodies within the intake's limits: 1,000 entries and 5 MB a request
 * before compression, 1 MB an entry. An entry that is larger is trimmed here, so
 * that its end is cut and not its tags. Pure.
 */
import type { EventItem } from "../contract.ts";
import { trimmed } from "../sending/trim.ts";

const MAX_ENTRIES = 1_000;
/** Below 5 MB and 1 MB: what they mean by them is not written down. */
const MAX_BODY_BYTES = 4_500_000;
const MAX_ENTRY_BYTES = 900_000;
/** A character is three bytes at most, so most texts need not be measured exactly. */
const MAX_BYTES_PER_CHAR = 3;

export interface Body {
  /** Of the items that are in it. */
  indices: number[];
  bytes: Uint8Array;
}

export function bodiesOf(
  items: readonly EventItem[],
  indices: readonly number[],
  entryOf: (item: EventItem) => object,
): Body[] {
  const encoder = new TextEncoder();
  const bodies: { indices: number[]; texts: string[]; bytes: number }[] = [];
  for (const index of indices) {
    const item = items[index] as EventItem;
    let text = JSON.stringify(entryOf(item));
    if (bytesOf(text) > MAX_ENTRY_BYTES) text = JSON.stringify(entryOf(trimmed(item)));
    const bytes = bytesOf(text) + 1;
    let last = bodies.at(-1);
    if (last === undefined || last.texts.length >= MAX_ENTRIES || last.bytes + bytes > MAX_BODY_BYTES) {
      last = { indices: [], texts: [], bytes: 2 };
      bodies.push(last);
    }
    last.indices.push(index);
    last.texts.push(text);
    last.bytes += bytes;
  }
  return bodies.map(({ indices: of, texts }) => ({ indices: of, bytes: encoder.encode(`[${texts.join(",")}]`) }));
}

function bytesOf(text: string): number {
  const most = text.length * MAX_BYTES_PER_CHAR;
  return most <= MAX_ENTRY_BYTES ? most : new TextEncoder().encode(text).length;
}
