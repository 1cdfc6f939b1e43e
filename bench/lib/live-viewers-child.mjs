/**
 * Viewers in a process of their own, so that reading does not compete with the
 * load's own thread: `live-viewers.mjs` starts it and asks for what it wants over
 * IPC. Ends with its parent.
 */
import { LiveViewer } from "../../test/support/live-viewer.ts";

/** Handshakes at once. */
const OPENING = 50;

let viewers = [];

const SUMMED = ["frames", "chars", "events", "matched", "notShown", "unchecked"];

const DO = {
  /** @param {{ url: string, tokens: string[], count: number, script: string | null, q?: string, rate?: number }} wanted `#` in the filter: the viewer's number */
  async open({ url, tokens, count, q = "", ...options }) {
    for (let n = 0; n < count; n += OPENING) {
      const some = Array.from({ length: Math.min(OPENING, count - n) }, (_, i) =>
        LiveViewer.open(url, { ...options, q: q.replaceAll("#", n + i), token: tokens[(n + i) % tokens.length] }),
      );
      viewers.push(...(await Promise.all(some)));
    }
    await Promise.all(viewers.map((viewer) => viewer.greeted));
    return viewers.length;
  },

  /** What all of them have heard since they opened. */
  tally() {
    const sum = { at: Date.now(), open: viewers.filter((viewer) => viewer.isOpen).length, wrong: 0 };
    for (const key of SUMMED) sum[key] = viewers.reduce((total, { tally }) => total + tally[key], 0);
    sum.wrong = viewers.reduce((total, { tally }) => total + tally.wrong.length, 0);
    return sum;
  },

  async close() {
    const closing = viewers.map((viewer) => viewer.close());
    viewers = [];
    await Promise.all(closing);
  },
};

process.on("message", async ({ id, verb, argument }) => {
  try {
    process.send({ id, answer: await DO[verb](argument) });
  } catch (error) {
    process.send({ id, error: String(error) });
  }
});
process.on("disconnect", () => process.exit(0));
