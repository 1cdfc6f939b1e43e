/** A seeded source of chance: the same seed, the same visitors in the same order. */
export interface Random {
  /** [0, 1) */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number;
  chance(share: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** By weight. */
  weighted<T extends { weight: number }>(items: readonly T[]): T;
}

/** mulberry32 by Tommy Ettinger: 32 bits of state are plenty for a shop. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    chance: (share) => next() < share,
    pick: (items) => items[Math.floor(next() * items.length)] as (typeof items)[number],
    weighted(items) {
      let point = next() * items.reduce((sum, item) => sum + item.weight, 0);
      for (const item of items) {
        point -= item.weight;
        if (point < 0) return item;
      }
      return items[items.length - 1] as (typeof items)[number];
    },
  };
}
