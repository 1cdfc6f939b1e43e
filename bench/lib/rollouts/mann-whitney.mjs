/**
 * Kayenta's judge of one metric (NetflixACAJudge-v1.0 and its
 * MannWhitneyClassifier in spinnaker/kayenta): the metric's points of both
 * versions, one a minute, by the Wilcoxon rank-sum test with a confidence
 * interval of 98 %; "High", which fails a canary that has this metric only, when
 * the lower end is above a quarter of the Hodges–Lehmann estimate and the mean is
 * no smaller than the baseline's.
 */
const ALPHA = 0.02;
const TOLERANCE = 0.25;
/** Up to here R, whose test it is, counts exactly. */
const EXACT_BELOW = 50;
/** Of the normal distribution, at 1 − ALPHA / 2. */
const Z = 2.3263478740408408;

export function isHigher(control, experiment) {
  const m = experiment.length;
  const n = control.length;
  if (mean(experiment) < mean(control)) return false;
  const differences = new Float64Array(m * n);
  let at = 0;
  let positive = 0;
  for (const a of experiment) {
    for (const b of control) {
      differences[at++] = a - b;
      if (a > b) positive++;
    }
  }
  const rank = lowerRank(m, n);
  // The lower end is above 0 only if fewer than `rank` differences are not.
  if (differences.length - positive >= rank) return false;
  differences.sort();
  const middle = differences.length >> 1;
  const estimate =
    differences.length % 2 === 1 ? differences[middle] : (differences[middle - 1] + differences[middle]) / 2;
  return differences[rank - 1] > TOLERANCE * Math.abs(estimate);
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

const ranks = new Map();

/** Which of the ordered differences is the interval's lower end: at least 1. */
function lowerRank(m, n) {
  const key = `${m},${n}`;
  let rank = ranks.get(key);
  if (rank === undefined) {
    rank = Math.max(1, m < EXACT_BELOW && n < EXACT_BELOW ? exactQuantile(m, n) : normalQuantile(m, n));
    ranks.set(key, rank);
  }
  return rank;
}

const normalQuantile = (m, n) => Math.floor((m * n) / 2 - Z * Math.sqrt((m * n * (m + n + 1)) / 12));

/** Smallest u with P(U ≤ u) ≥ ALPHA / 2; counts of U are the coefficients of a Gaussian binomial. */
function exactQuantile(m, n) {
  const counts = new Float64Array(m * n + 1);
  counts[0] = 1;
  for (let i = 1; i <= m; i++) {
    for (let u = m * n; u >= n + i; u--) counts[u] -= counts[u - n - i];
    for (let u = i; u <= m * n; u++) counts[u] += counts[u - i];
  }
  const all = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (let u = 0; u <= m * n; u++) {
    below += counts[u];
    if (below / all >= ALPHA / 2) return u;
  }
  return m * n;
}
