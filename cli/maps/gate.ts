/** Bounds how much is under way at once, in whatever unit: parts on the line, bytes in memory. First come, first served. */
export class Gate {
  readonly #capacity: number;
  #taken = 0;
  readonly #queue: { amount: number; start: () => void }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** What is larger than the whole capacity runs alone. */
  async run<T>(amount: number, work: () => Promise<T>): Promise<T> {
    const taken = Math.min(amount, this.#capacity);
    if (this.#queue.length > 0 || this.#taken + taken > this.#capacity)
      await new Promise<void>((start) => this.#queue.push({ amount: taken, start }));
    else this.#taken += taken;
    try {
      return await work();
    } finally {
      this.#taken -= taken;
      this.#next();
    }
  }

  #next(): void {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (this.#taken + first.amount > this.#capacity) return;
      this.#queue.shift();
      this.#taken += first.amount;
      first.start();
    }
  }
}
