/**
 * When to end, for `npm start` and `npm run dev`: on the first signal in good
 * order, on the second at once, and when the process that started us is gone.
 */
import { PARENT_VARIABLE } from "../lib/toolchain.mjs";

/** npm passes a Ctrl-C on that the terminal has sent us already: the same key press, not a second one. */
const SAME_KEY_PRESS_MS = 400;
/** The promise is two seconds; what hangs longer than this does not deserve to be waited for. */
const PATIENCE_MS = 1_700;
const PARENT_POLL_MS = 250;

/**
 * @param {() => Promise<void>} stop ends everything in good order
 */
export function endWith(stop) {
  let firstAt;
  const end = async (code) => {
    firstAt = Date.now();
    setTimeout(() => process.exit(code), PATIENCE_MS).unref();
    try {
      await stop();
    } catch (error) {
      console.error(`tailrace: stopping: ${error.message}`);
    }
    process.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // Zero: ending on request is what a server is expected to do, and npm prints no error then.
      if (firstAt === undefined) end(0);
      else if (Date.now() - firstAt > SAME_KEY_PRESS_MS) process.exit(130);
    });
  }
  // Under npm, and below start.mjs on an old Node, the parent's end is ours. A shell's background job is neither.
  const parent = process.ppid;
  const isTied = process.env.npm_lifecycle_event !== undefined || process.env[PARENT_VARIABLE] !== undefined;
  if (!isTied) return;
  setInterval(() => {
    if (process.ppid !== parent && firstAt === undefined) end(0);
  }, PARENT_POLL_MS).unref();
}
