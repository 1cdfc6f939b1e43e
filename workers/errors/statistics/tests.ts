/**
 * Is a 2×2 table more than chance, and how much is it? For `compare.ts`.
 *
 *              with the value   without
 *   issue            a             b
 *   the rest         c             d
 */
import { chiSquareTail, logFactorial } from "./distributions.ts";

export interface Table2 {
  a: number;
  b: number;
  c: number;
  d: number;
}

/** Below this expected count in a cell, the distribution of G is not that of χ² (Cochran, 1954). */
const MIN_EXPECTED = 5;
/** Tables as likely as the one at hand, but for rounding, count as such (as R's fisher.test has it). */
const TIE = 1 + 1e-7;

/** Two-sided: the G-test where counts are large enough, else Fisher's. Counts may be fractions (of weighted samples). */
export function pValue(table: Table2): number {
  return smallestExpected(table) >= MIN_EXPECTED ? gTest(table) : fisherExact(table);
}

function smallestExpected({ a, b, c, d }: Table2): number {
  const total = a + b + c + d;
  return (Math.min(a + b, c + d) * Math.min(a + c, b + d)) / total;
}

/** Likelihood-ratio test of independence (Wilks, 1938; Sokal and Rohlf, Biometry, chapter 17). */
export function gTest({ a, b, c, d }: Table2): number {
  const term = (observed: number, row: number, column: number) =>
    observed > 0 ? observed * Math.log((observed * (a + b + c + d)) / (row * column)) : 0;
  const g = 2 * (term(a, a + b, a + c) + term(b, a + b, b + d) + term(c, c + d, a + c) + term(d, c + d, b + d));
  return chiSquareTail(g);
}

/**
 * Fisher's exact test: how likely is a table with these margins that is no
 * likelier than this one. Fractions are rounded. Time: linear in the smallest margin.
 */
export function fisherExact(table: Table2): number {
  const a = Math.round(table.a);
  const row = a + Math.round(table.b);
  const column = a + Math.round(table.c);
  const total = row + Math.round(table.c) + Math.round(table.d);
  const low = Math.max(0, row + column - total);
  const high = Math.min(row, column);
  const likelihood = (x: number) => logChoose(column, x) + logChoose(total - column, row - x);
  const all = logChoose(total, row);
  const limit = Math.exp(likelihood(a) - all) * TIE;
  let p = 0;
  // The neighbour's probability follows from one's own: no factorials inside the loop.
  let probability = Math.exp(likelihood(low) - all);
  if (probability === 0) return fisherByTerms(low, high, (x) => Math.exp(likelihood(x) - all), limit);
  for (let x = low; x <= high; x++) {
    if (probability <= limit) p += probability;
    probability *= ((row - x) * (column - x)) / ((x + 1) * (total - row - column + x + 1));
  }
  return Math.min(1, p);
}

/** Where the first table is less likely than a double can say, each term is made by itself. */
function fisherByTerms(low: number, high: number, probability: (x: number) => number, limit: number): number {
  let p = 0;
  for (let x = low; x <= high; x++) {
    const of = probability(x);
    if (of <= limit) p += of;
  }
  return Math.min(1, p);
}

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

const Z_95 = 1.959963984540054;

/** Ratio of the odds with its 95 % interval, after Haldane (1956) and Anscombe (1956): half a count more in each cell, so that none is 0. */
export function oddsRatio({ a, b, c, d }: Table2): { ratio: number; interval: [number, number] } {
  const [p, q, r, s] = [a + 0.5, b + 0.5, c + 0.5, d + 0.5];
  const log = Math.log((p * s) / (q * r));
  const error = Math.sqrt(1 / p + 1 / q + 1 / r + 1 / s);
  return { ratio: Math.exp(log), interval: [Math.exp(log - Z_95 * error), Math.exp(log + Z_95 * error)] };
}

/**
 * Cramér's V (1946) of two shares, as if both groups were of one size. The plain
 * V of a table shrinks with the smaller group: an issue of 50 among 20,000 could
 * never stand out, and it would depend on how many of the rest were sampled.
 */
export function effectOfShares(first: number, second: number): number {
  const mean = (first + second) / 2;
  const spread = mean * (1 - mean);
  return spread <= 0 ? 0 : Math.abs(first - second) / (2 * Math.sqrt(spread));
}
