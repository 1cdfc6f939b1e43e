/**
 * How many different users, routes, colos and countries a fingerprint met.
 * Values arrive as 32-bit hashes (errors/delta.ts). Few are kept as they are;
 * many become a HyperLogLog (Flajolet, Fusy, Gandouet, Meunier, 2007) with 2,048
 * registers: a standard error of 2.3 %. One sketch per fingerprint and Ingester,
 * which alone writes it; readers unite them, and uniting twice changes nothing.
 */
const REGISTER_BITS = 11;
const REGISTERS = 1 << REGISTER_BITS;
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);
/** So many hashes take as much text as the registers do. */
const MAX_EXACT = 256;

export const DIMENSIONS = ["users", "routes", "colos", "countries"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** As JSON: the hashes, or the registers in base64. */
type WireSet = number[] | string;

class DistinctSet {
  private exact: Set<number> | undefined = new Set();
  private registers: Uint8Array | undefined;

  /** True when it was not known. */
  add(hash: number): boolean {
    if (this.exact !== undefined) {
      if (this.exact.has(hash)) return false;
      this.exact.add(hash);
      if (this.exact.size > MAX_EXACT) this.sketch();
      return true;
    }
    return this.raise(hash & (REGISTERS - 1), rankOf(hash));
  }

  /** Takes over all that a stored set knows. */
  unite(wire: WireSet): void {
    if (Array.isArray(wire)) {
      for (const hash of wire) this.add(hash);
      return;
    }
    if (this.registers === undefined) this.sketch();
    const other = Buffer.from(wire, "base64");
    for (let at = 0; at < REGISTERS; at++) this.raise(at, other[at] ?? 0);
  }

  encode(): WireSet {
    if (this.registers !== undefined) return Buffer.from(this.registers).toString("base64");
    return [...(this.exact ?? [])];
  }

  estimate(): number {
    if (this.registers === undefined) return this.exact?.size ?? 0;
    let sum = 0;
    let zeros = 0;
    for (const register of this.registers) {
      sum += 2 ** -register;
      if (register === 0) zeros++;
    }
    const raw = (ALPHA * REGISTERS * REGISTERS) / sum;
    // Few values: counting the empty registers is more exact.
    return Math.round(raw <= 2.5 * REGISTERS && zeros > 0 ? REGISTERS * Math.log(REGISTERS / zeros) : raw);
  }

  private sketch(): void {
    this.registers = new Uint8Array(REGISTERS);
    for (const hash of this.exact ?? []) this.raise(hash & (REGISTERS - 1), rankOf(hash));
    this.exact = undefined;
  }

  private raise(at: number, rank: number): boolean {
    const { registers } = this;
    if (registers === undefined || rank <= (registers[at] as number)) return false;
    registers[at] = rank;
    return true;
  }
}

/** Of the bits that do not choose the register. */
function rankOf(hash: number): number {
  return Math.clz32(hash >>> REGISTER_BITS) - REGISTER_BITS + 1;
}

export class DistinctSketch {
  private readonly sets: Record<Dimension, DistinctSet> = {
    users: new DistinctSet(),
    routes: new DistinctSet(),
    colos: new DistinctSet(),
    countries: new DistinctSet(),
  };

  /** True when something was new. */
  add(dimension: Dimension, hashes: Iterable<number>): boolean {
    let news = false;
    for (const hash of hashes) news = this.sets[dimension].add(hash) || news;
    return news;
  }

  /** `text` as `encode` made it. */
  unite(text: string): void {
    const wire = JSON.parse(text) as Partial<Record<Dimension, WireSet>>;
    for (const dimension of DIMENSIONS) this.sets[dimension].unite(wire[dimension] ?? []);
  }

  encode(): string {
    return JSON.stringify(Object.fromEntries(DIMENSIONS.map((d) => [d, this.sets[d].encode()])));
  }

  estimate(): Record<Dimension, number> {
    const { users, routes, colos, countries } = this.sets;
    return {
      users: users.estimate(),
      routes: routes.estimate(),
      colos: colos.estimate(),
      countries: countries.estimate(),
    };
  }
}

/** Of the union of stored sketches (`fingerprint_sketches.sketch`). */
export function readDistinct(sketches: Iterable<string>): Record<Dimension, number> {
  const all = new DistinctSketch();
  for (const text of sketches) all.unite(text);
  return all.estimate();
}
