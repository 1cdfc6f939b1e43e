/** Ctrl-C, and what a build system sends when a job is stopped. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * The second one ends the process at once: by then nobody listens.
 * @returns what stops listening
 */
export function onInterrupt(run: () => void): () => void {
  for (const signal of SIGNALS) process.once(signal, run);
  return () => {
    for (const signal of SIGNALS) process.off(signal, run);
  };
}
