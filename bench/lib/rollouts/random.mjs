/** Seeded random numbers for simulations: the same seed gives the same run on every machine. */

/** sfc32 (Chris Doty-Humphrey, PractRand): uniform in [0, 1). */
export function generator(seed, stream = 0) {
  let a = seed >>> 0;
  let b = stream >>> 0;
  let c = 0x9e3779b9;
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let n = 0; n < 12; n++) next();
  return next;
}

/** Below this λ a table of the distribution starts at 0; the mass beyond ten deviations is below a double's digits. */
const DEVIATIONS = 10;
const GUIDES = 1024;
const tables = new Map();

/** A Poisson number by inversion of its table, which is made once per λ: a few ns each. */
export function poisson(lambda, random) {
  if (!(lambda > 0)) return 0;
  let table = tables.get(lambda);
  if (table === undefined) {
    table = poissonTable(lambda);
    tables.set(lambda, table);
  }
  const u = random();
  let n = table.guide[(u * GUIDES) | 0];
  while (table.cumulative[n] < u) n++;
  return table.first + n;
}

function poissonTable(lambda) {
  const width = DEVIATIONS * Math.sqrt(lambda) + DEVIATIONS;
  const first = Math.max(0, Math.floor(lambda - width));
  const count = Math.ceil(lambda + width) - first + 1;
  const cumulative = new Float64Array(count);
  // From the mode outwards, so that nothing underflows that matters.
  const mode = Math.floor(lambda) - first;
  cumulative[mode] = 1;
  for (let n = mode; n > 0; n--) cumulative[n - 1] = (cumulative[n] * (n + first)) / lambda;
  for (let n = mode; n < count - 1; n++) cumulative[n + 1] = (cumulative[n] * lambda) / (n + 1 + first);
  let sum = 0;
  for (let n = 0; n < count; n++) sum += cumulative[n];
  let below = 0;
  for (let n = 0; n < count; n++) {
    below += cumulative[n] / sum;
    cumulative[n] = below;
  }
  cumulative[count - 1] = 1;
  const guide = new Uint16Array(GUIDES);
  let at = 0;
  for (let g = 0; g < GUIDES; g++) {
    while (cumulative[at] < g / GUIDES) at++;
    guide[g] = at;
  }
  return { first, cumulative, guide };
}
