/** The clock, handed in so that tests can turn it. */
export interface Timers {
  now(): number;
  /** @returns what calls it off */
  after(ms: number, run: () => void): () => void;
}

export const realTimers: Timers = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
