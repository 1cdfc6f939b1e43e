/** Work on many items, a few at a time, each with a bound on how long we wait for it. */
import { rootMessage } from "./error-message.ts";
import { within } from "./within.ts";

export interface Failure<T> {
  item: T;
  error: string;
}

/** Resolves when all are done or given up; what failed is in the answer, in no order. */
export async function eachWithin<T>(
  items: readonly T[],
  { width, timeoutMs }: { width: number; timeoutMs: number },
  work: (item: T) => Promise<void>,
): Promise<Failure<T>[]> {
  const failures: Failure<T>[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const item = items[next++] as T;
      try {
        await within(timeoutMs, undefined, work(item));
      } catch (error) {
        failures.push({ item, error: rootMessage(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return failures;
}
