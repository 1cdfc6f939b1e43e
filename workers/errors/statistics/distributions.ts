/**
 * Tails and factorials for `tests.ts`, exact to some 12 digits, also where a
 * probability is 1e-200: comparisons by the hundred are corrected for, so it is
 * the far tail that decides.
 */

/** Above it Stirling's series is exact to a double's digits. */
const STIRLING_FROM = 16;
const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

const SMALL = new Float64Array(STIRLING_FROM);
for (let n = 1; n < STIRLING_FROM; n++) SMALL[n] = (SMALL[n - 1] as number) + Math.log(n);

/** ln n!, of a whole number. Abramowitz and Stegun 6.1.41. */
export function logFactorial(n: number): number {
  if (n < STIRLING_FROM) return SMALL[n] as number;
  const r = 1 / (n * n);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r / 1680))) / n;
  return (n + 0.5) * Math.log(n) - n + HALF_LOG_2PI + series;
}

/** Terms of the continued fraction that leave no error above 1e-14 from 2 on. */
const FRACTION_TERMS = 80;

/** 1 − erf(x) for x ≥ 0. Abramowitz and Stegun 7.1.6 (series) and 7.1.14 (continued fraction). */
export function erfc(x: number): number {
  if (x < 2) {
    let term = x;
    let sum = x;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let t = x;
  for (let k = FRACTION_TERMS; k >= 1; k--) t = x + k / 2 / t;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * t);
}

/** P(χ² ≥ x) with one degree of freedom. */
export const chiSquareTail = (x: number): number => (x <= 0 ? 1 : erfc(Math.sqrt(x / 2)));
