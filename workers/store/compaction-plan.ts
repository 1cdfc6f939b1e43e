/** Which segments of one Worker and hour are merged together. Pure. */

export interface CompactionInput {
  key: string;
  /** µs. */
  minTime: number;
  rows: number;
  /** Compressed. */
  bytes: number;
  level: number;
  /** Number of attribute columns; what overflows is text of one more. */
  attributes: number;
}

/** Three row groups: reading one column of it is a range or two. */
export const MAX_OUTPUT_ROWS = 196_608;
/**
 * What a merge may hold at once: the cells twice (inputs and result, or result
 * and its sorted copy), the texts once, as dictionaries share them. Beside some
 * 20 MB of the Worker itself this leaves a third of 128 MB for its neighbours.
 * For usual events it is some 100,000 rows (measured: 65 MB live for 120,000 of 63 bytes).
 */
const MAX_DECODED_BYTES = 60_000_000;
/** An index (4 B) or a number (8 B). */
const CELL_BYTES = 5;
/** Texts in memory, in relation to the compressed segment. */
const TEXT_EXPANSION = 5;
/** Of the core columns, as many as usual events fill. */
const CORE_COLUMNS_USED = 24;
/** The hour that still goes on is merged only when it has so many pieces: most of them come later. */
const MIN_PIECES_OF_OPEN_HOUR = 8;
/** With so many pieces a merge pays whatever their sizes. */
const ALWAYS_FROM = 4;

/** Groups of two or more, none over the limits. Segments that are big already are left alone. */
export function planGroups(inputs: readonly CompactionInput[], hourIsOpen: boolean): CompactionInput[][] {
  const small = inputs.filter(
    (input) => input.rows < MAX_OUTPUT_ROWS / 2 && decodedBytes([input]) < MAX_DECODED_BYTES / 2,
  );
  if (hourIsOpen && small.length < MIN_PIECES_OF_OPEN_HOUR) return [];
  const groups: CompactionInput[][] = [];
  let group: CompactionInput[] = [];
  for (const input of small) {
    const next = [...group, input];
    if (rowsOf(next) > MAX_OUTPUT_ROWS || decodedBytes(next) > MAX_DECODED_BYTES) {
      groups.push(group);
      group = [input];
    } else group = next;
  }
  groups.push(group);
  return groups.filter(pays);
}

/**
 * Adding a late crumb to a big segment rewrites it all: two or three are merged
 * only when the biggest is at most twice the others together.
 */
function pays(group: readonly CompactionInput[]): boolean {
  if (group.length < 2) return false;
  if (group.length >= ALWAYS_FROM) return true;
  const biggest = Math.max(...group.map((input) => input.rows));
  return biggest <= 2 * (rowsOf(group) - biggest);
}

function rowsOf(group: readonly CompactionInput[]): number {
  return group.reduce((sum, input) => sum + input.rows, 0);
}

/** Attributes are taken to be the same in all inputs, or nearly: they come from one Worker. */
function decodedBytes(group: readonly CompactionInput[]): number {
  const columns = CORE_COLUMNS_USED + Math.max(...group.map((input) => input.attributes));
  const compressed = group.reduce((sum, input) => sum + input.bytes, 0);
  return 2 * rowsOf(group) * columns * CELL_BYTES + compressed * TEXT_EXPANSION;
}
