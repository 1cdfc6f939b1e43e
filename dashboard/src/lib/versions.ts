/**
 * A version's colour and name. The colour comes from the id's hash, so it is
 * the same on every page and machine; when two versions of one Worker, or of
 * Workers that are shown together, would share it, the one that was seen later
 * takes the next free one, which this browser remembers. A name always stands
 * beside the colour.
 */

/** `--v0` … `--v9` in styles/tokens.css. */
export const PALETTE_SIZE = 10;
const STORE_KEY = "tailrace.versions";
/** Remembered colours; the oldest go first. */
const MAX_REMEMBERED = 300;

export function hashSlot(id: string): number {
  let h = 2166136261;
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 16777619);
  h ^= h >>> 15;
  return (h >>> 0) % PALETTE_SIZE;
}

const slots = new Map<string, number>();

function load(): void {
  try {
    for (const [id, slot] of JSON.parse(localStorage.getItem(STORE_KEY) ?? "[]") as [string, number][]) {
      if (Number.isInteger(slot) && slot >= 0 && slot < PALETTE_SIZE) slots.set(id, slot);
    }
  } catch {
    // Unreadable or blocked storage: colours come from the hash alone.
  }
}
load();

/** Colours of these versions; of no more than there are. */
export function coloursOf(ids: Iterable<string>): Set<number> {
  const used = new Set<number>();
  for (const id of ids) {
    if (used.size === PALETTE_SIZE) break;
    used.add(slots.get(id) ?? hashSlot(id));
  }
  return used;
}

/** Colours that two lines of one chart should not have: told apart side by side, and hardly at a glance. */
const ALIKE: readonly (readonly [number, number])[] = [
  [0, 5],
  [0, 8],
  [1, 9],
  [2, 6],
  [2, 8],
  [3, 7],
  [4, 9],
];

/** These, and those that look much like one of them. */
function andAlike(slots: ReadonlySet<number>): Set<number> {
  const all = new Set(slots);
  for (const [a, b] of ALIKE) {
    if (slots.has(a)) all.add(b);
    if (slots.has(b)) all.add(a);
  }
  return all;
}

/** The next one that nobody has; undefined when all are taken. */
function freeFrom(start: number, isTaken: (slot: number) => boolean): number | undefined {
  for (let i = 0; i < PALETTE_SIZE; i++) {
    const slot = (start + 3 * i) % PALETTE_SIZE;
    if (!isTaken(slot)) return slot;
  }
  return undefined;
}

/**
 * Makes the colours of one Worker's versions differ while there are enough of
 * them, and then from those `beside` them. Hand them in order of first seen.
 */
export function assignColours(ids: string[], beside: ReadonlySet<number> = new Set()): void {
  const taken = new Set<number>();
  let changed = false;
  for (const id of ids) {
    if (id === "") continue;
    const before = slots.get(id);
    const wanted = before ?? hashSlot(id);
    const alike = andAlike(taken);
    const slot =
      freeFrom(wanted, (s) => alike.has(s) || beside.has(s)) ??
      freeFrom(wanted, (s) => taken.has(s) || beside.has(s)) ??
      freeFrom(wanted, (s) => taken.has(s)) ??
      wanted;
    taken.add(slot);
    if (slot !== before) {
      slots.set(id, slot);
      changed = true;
    }
  }
  if (!changed) return;
  for (const id of slots.keys()) {
    if (slots.size <= MAX_REMEMBERED) break;
    slots.delete(id);
  }
  try {
    localStorage.setItem(STORE_KEY, JSON.stringify([...slots]));
  } catch {
    // See load().
  }
}

/** CSS variable of a version's colour; a Worker without versions gets grey. */
export function colourVar(id: string | null | undefined): string {
  return id ? `--v${slots.get(id) ?? hashSlot(id)}` : "--faint";
}

/** A uuid's first group is what wrangler's own lists are told apart by. */
export function shortId(id: string): string {
  return id.length > 12 ? id.slice(0, 8) : id;
}

export interface VersionName {
  tag: string;
  message: string;
}

/** Tags and messages by id, from whatever answer told them: answers of `stats … by version` hold ids alone. */
const names = new Map<string, VersionName>();
const MAX_NAMES = 2000;

export function rememberName(id: string, tag: string, message = ""): void {
  if (id === "" || (tag === "" && message === "")) return;
  const known = names.get(id);
  if (known === undefined && names.size >= MAX_NAMES) names.clear();
  names.set(id, { tag, message: message || (known?.message ?? "") });
}

export const nameOf = (id: string): VersionName | undefined => names.get(id);
