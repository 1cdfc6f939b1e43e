/**
 * Many comparisons: of a hundred values that mean nothing, five would stand out
 * at 5 %. Benjamini and Hochberg, "Controlling the false discovery rate" (1995):
 * among what is shown, the expected share of chance is at most q; where nothing
 * is to be found, the chance to show anything at all is at most q. Valid for
 * tests that are independent or positively dependent (Benjamini and Yekutieli,
 * 2001), such as those of a version and its tag.
 */

/** p-values → q-values in the same order. `comparisons`: those that were made, if more than are given (their p-values count as 1). */
export function qValues(pValues: readonly number[], comparisons: number = pValues.length): number[] {
  const order = pValues.map((_, i) => i).sort((x, y) => (pValues[x] as number) - (pValues[y] as number));
  const q = new Array<number>(pValues.length).fill(1);
  let least = 1;
  for (let rank = order.length; rank >= 1; rank--) {
    const i = order[rank - 1] as number;
    least = Math.min(least, ((pValues[i] as number) * Math.max(comparisons, pValues.length)) / rank);
    q[i] = least;
  }
  return q;
}
