/**
 * An answer that is dear to make and may be some seconds old: while one request
 * makes it anew the others get the last one, so that asking often costs nothing.
 * Of this isolate.
 */
export interface Times {
  /** An answer is reused this long. */
  keepMs: number;
  /** While one request makes it anew, the others get the last one, up to this age. */
  keepWhileMakingMs: number;
  /** Making it takes no longer, or has been cut off. */
  makeMs: number;
}

export function keeping<A extends unknown[], T>(
  { keepMs, keepWhileMakingMs, makeMs }: Times,
  make: (...args: A) => Promise<T>,
): (now: number, ...args: A) => Promise<T> {
  let kept: { answer: T; at: number } | undefined;
  let startedAt = 0;
  return async (now, ...args) => {
    const age = now - (kept?.at ?? 0);
    const isMade = now - startedAt < makeMs;
    if (kept !== undefined && (age < keepMs || (isMade && age < keepWhileMakingMs))) return kept.answer;
    startedAt = now;
    try {
      const answer = await make(...args);
      kept = { answer, at: Date.now() };
      return answer;
    } finally {
      startedAt = 0;
    }
  };
}
