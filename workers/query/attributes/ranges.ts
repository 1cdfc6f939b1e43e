/**
 * Numbers that hardly repeat (the size of a cart, of a body) say something by
 * their magnitude: 1, 2, 5, 10, 20 … are the bounds. A range is an attribute of
 * its own beside the number, so that either may stand out.
 */
const SUFFIX = " (range)";
const STEPS = [1, 2, 5];
/** Beyond it, a number is an id or a time. */
const MAX_MAGNITUDE = 1e9;
const MIN_MAGNITUDE = 1e-6;

/** Undefined: no range would say more than the number. */
export function rangeOf(name: string, value: number): [name: string, value: string] | undefined {
  const size = Math.abs(value);
  if (!(size >= MIN_MAGNITUDE && size < MAX_MAGNITUDE)) return undefined;
  const [low, high] = boundsOf(size);
  return [name + SUFFIX, value < 0 ? `-${high}..-${low}` : `${low}..${high}`];
}

function boundsOf(size: number): [number, number] {
  const power = Math.floor(Math.log10(size));
  const bounds = [power - 1, power, power + 1].flatMap((p) => STEPS.map((step) => Number(`${step}e${p}`)));
  const next = bounds.findIndex((bound) => bound > size);
  return [bounds[next - 1] as number, bounds[next] as number];
}

/** The column and the bounds (the lower included, the upper not) of an attribute that is a range. */
export function readRange(name: string, value: string): { column: string; low: number; high: number } | undefined {
  const match = name.endsWith(SUFFIX) ? /^(-?[\d.e+-]+?)\.\.(-?[\d.e+-]+)$/.exec(value) : null;
  if (match === null) return undefined;
  return { column: name.slice(0, -SUFFIX.length), low: Number(match[1]), high: Number(match[2]) };
}
