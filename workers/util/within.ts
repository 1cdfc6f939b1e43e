/**
 * A bound on how long we wait for another system. What was asked for may still
 * happen afterwards: callers must be able to bear that. `what` begins the
 * message; without it the caller says who it was.
 */
export async function within<T>(ms: number, what: string | undefined, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const message = `${what === undefined ? "" : `${what}: `}no answer within ${ms} ms`;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
