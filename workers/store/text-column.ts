/**
 * Text as it lies in a segment's pages: one long string with the bounds of each
 * entry, cut into strings only when somebody asks. Near-unique text (messages,
 * stacks, ids) is mostly searched and seldom shown, and searching one long
 * string is many times as fast as searching each entry. Made by
 * `parquet/decode.ts`; `query/` searches it by `dictIncludes`.
 */
import type { Column, StringColumn } from "../event/batch.ts";

/** Entry e is `text.slice(starts[e], ends[e])`; entries ascend and do not overlap. An entry may occur twice. */
interface Texts {
  text: string;
  starts: Uint32Array;
  ends: Uint32Array;
  ascii: boolean;
}

/** A string column whose dictionary is cut out of a long text on first use. */
class LazyColumn implements StringColumn {
  readonly type = "string";
  readonly index: Int32Array;
  readonly texts: Texts;
  private entries: string[] | undefined;

  constructor(texts: Texts, index: Int32Array) {
    this.texts = texts;
    this.index = index;
  }

  get dict(): string[] {
    this.entries ??= cut(this.texts);
    return this.entries;
  }

  get bytes(): number {
    const { text, starts, ascii } = this.texts;
    const sliced = this.entries === undefined ? 0 : starts.length * SLICE_BYTES;
    return this.index.byteLength + 2 * starts.byteLength + text.length * (ascii ? 1 : 2) + sliced;
  }
}

/** What a string that is a slice of another one takes, and its place in an array. */
const SLICE_BYTES = 32;
/** What a string of its own takes beside its characters. */
const STRING_BYTES = 24;

/** A column over UTF-8 text, entry e at `bytes[starts[e] … ends[e])`, that makes no strings yet. */
export function lazyText(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array, index: Int32Array): StringColumn {
  return new LazyColumn(toTexts(bytes, starts, ends), index);
}

/** The entries as strings. */
export function decodeEntries(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array): string[] {
  return cut(toTexts(bytes, starts, ends));
}

/** 1 per dictionary entry that contains the needle; letters match in either case if `ignoreCase` (as RegExp's `i`). */
export function dictIncludes(column: StringColumn, needle: string, ignoreCase: boolean): Uint8Array {
  if (column instanceof LazyColumn) return textsInclude(column.texts, needle, ignoreCase);
  const { dict } = column;
  const hits = new Uint8Array(dict.length);
  const pattern = ignoreCase ? ignoringCase(needle, "i") : undefined;
  for (let e = 0; e < hits.length; e++) {
    const text = dict[e] as string;
    if (pattern === undefined ? text.includes(needle) : pattern.test(text)) hits[e] = 1;
  }
  return hits;
}

function textsInclude(texts: Texts, needle: string, ignoreCase: boolean): Uint8Array {
  const { starts, ends } = texts;
  const hits = new Uint8Array(starts.length);
  if (needle === "") return hits.fill(1);
  const next = finder(texts, needle, ignoreCase);
  let entry = 0;
  for (let at = next(0); at >= 0; ) {
    while ((ends[entry] as number) <= at) entry++;
    const inside = at >= (starts[entry] as number) && at + needle.length <= (ends[entry] as number);
    if (inside) hits[entry] = 1;
    at = next(inside ? (ends[entry] as number) : at + 1);
  }
  return hits;
}

/** Position of the next occurrence from `at` on, −1 if there is none. */
function finder(texts: Texts, needle: string, ignoreCase: boolean): (at: number) => number {
  if (!ignoreCase) return (at) => texts.text.indexOf(needle, at);
  if (texts.ascii) {
    // Among ASCII letters, lower case is all there is to case; no other letter matches one in RegExp's `i`.
    const text = texts.text.toLowerCase();
    const lower = [...needle].every((c) => c <= "\x7f") ? needle.toLowerCase() : needle;
    return (at) => text.indexOf(lower, at);
  }
  const pattern = ignoringCase(needle, "gi");
  return (at) => {
    pattern.lastIndex = at;
    return pattern.exec(texts.text)?.index ?? -1;
  };
}

/** A literal as a pattern. Without the `u` flag: an ASCII letter matches nothing but its two cases. */
export function ignoringCase(needle: string, flags: "i" | "gi"): RegExp {
  return new RegExp(needle.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"), flags);
}

/** Roughly what a decoded column takes in memory, for caches. */
export function columnBytes(column: Column): number {
  if (column.type !== "string") return column.data.byteLength;
  if (column instanceof LazyColumn) return column.bytes;
  let bytes = column.index.byteLength;
  for (const entry of column.dict) bytes += entry.length + STRING_BYTES;
  return bytes;
}

function cut({ text, starts, ends }: Texts): string[] {
  const entries = new Array<string>(starts.length);
  for (let e = 0; e < entries.length; e++) entries[e] = text.slice(starts[e], ends[e]);
  return entries;
}

/** A BOM is a character like any other here; what is not UTF-8 becomes U+FFFD. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });

function toTexts(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array): Texts {
  const packed = withoutGaps(bytes, starts, ends);
  const { bytes: all, starts: from, ends: to } = packed;
  if (isAscii(all)) return { text: decoder.decode(all), starts: from, ends: to, ascii: true };
  // Entry by entry: a sequence that is cut off must not take from its neighbour.
  const parts = new Array<string>(from.length);
  const newStarts = new Uint32Array(from.length);
  const newEnds = new Uint32Array(from.length);
  let length = 0;
  for (let e = 0; e < parts.length; e++) {
    const part = decodeOne(all, from[e] as number, to[e] as number);
    parts[e] = part;
    newStarts[e] = length;
    length += part.length;
    newEnds[e] = length;
  }
  return { text: parts.join(""), starts: newStarts, ends: newEnds, ascii: false };
}

/** Calling the decoder costs more than this many characters. */
const SHORT_TEXT = 24;

function decodeOne(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= SHORT_TEXT) {
    let at = from;
    while (at < to && (bytes[at] as number) < 0x80) at++;
    if (at === to) return String.fromCharCode(...bytes.subarray(from, to));
  }
  return decoder.decode(bytes.subarray(from, to));
}

/** Entries one right after the other, as text pages have them; dictionary pages have lengths in between. */
function withoutGaps(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array) {
  let length = 0;
  let gaps = false;
  for (let e = 0; e < starts.length; e++) {
    if (starts[e] !== length) gaps = true;
    length += (ends[e] as number) - (starts[e] as number);
  }
  if (!gaps) return { bytes: bytes.subarray(0, length), starts, ends };
  const packed = new Uint8Array(length);
  const newStarts = new Uint32Array(starts.length);
  const newEnds = new Uint32Array(starts.length);
  let at = 0;
  for (let e = 0; e < starts.length; e++) {
    newStarts[e] = at;
    const end = ends[e] as number;
    for (let p = starts[e] as number; p < end; p++) packed[at++] = bytes[p] as number;
    newEnds[e] = at;
  }
  return { bytes: packed, starts: newStarts, ends: newEnds };
}

/** Eight bytes at a time. */
function isAscii(bytes: Uint8Array): boolean {
  let at = 0;
  for (; at < bytes.length && (bytes.byteOffset + at) % 8 !== 0; at++) if ((bytes[at] as number) > 0x7f) return false;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, Math.max(0, (bytes.length - at) >> 3) * 2);
  for (let i = 0; i < words.length; i += 2) {
    if ((((words[i] as number) | (words[i + 1] as number)) & 0x80808080) !== 0) return false;
  }
  for (at += words.length * 4; at < bytes.length; at++) if ((bytes[at] as number) > 0x7f) return false;
  return true;
}
