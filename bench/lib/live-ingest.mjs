/**
 * Ingest of one Worker's events over HTTP until they are sealed, in four stacks
 * that take turns with the same load: nobody watches, 100 watch that Worker, 100
 * do so with a filter of their own each, 1,000 watch another one. Viewers are in processes of their own, and read all
 * that they are sent; each ratio is the median of the turns' own ratios.
 */
import { bodies } from "../items.mjs";
import { loops } from "./http.mjs";
import { startViewers } from "./live-viewers.mjs";
import { median, seconds } from "./numbers.mjs";
import { benchStack } from "./stack.mjs";

const SCRIPT = "storefront";
const VIEWERS = 100;
/** Matches nearly everything, and no two are the same. */
const OWN_FILTER = "-@user.id:u-#";
const VIEWERS_OF_ANOTHER = 1_000;
const ITEMS_PER_BODY = 500;
const SENDERS = 4;
const HOUR_MS = 3_600_000;
const WARM_UPS = 2;

/** @param {{ items: number, turns: number }} size */
export async function measureIngestWatched({ items, turns }) {
  const stacks = [];
  const start = async (count, script, q) => {
    const bench = await benchStack();
    const viewers = count === 0 ? undefined : await startViewers(bench);
    stacks.push({ bench, viewers });
    await viewers?.open(count, { script, q });
    return { bench, viewers };
  };
  try {
    const alone = await start(0);
    const watched = await start(VIEWERS, SCRIPT);
    const distinct = await start(VIEWERS, SCRIPT, OWN_FILTER);
    const beside = await start(VIEWERS_OF_ANOTHER, "another");
    const found = [];
    for (let turn = -WARM_UPS; turn < turns; turn++) {
      const loads = [
        ...bodies({
          seed: 500 + turn,
          count: items,
          perBody: ITEMS_PER_BODY,
          from: Date.now() - HOUR_MS,
          spanMs: HOUR_MS,
          script: SCRIPT,
        }),
      ];
      const rates = {};
      for (const [name, { bench }] of inTurn({ alone, watched, distinct, beside }, turn))
        rates[name] = await rate(bench.api, loads);
      if (turn < 0) continue;
      const to = (name) => rates[name] / rates.alone;
      found.push({ ...rates, ofWatched: to("watched"), ofDistinct: to("distinct"), ofBeside: to("beside") });
    }
    const of = (key) => median(found.map((turn) => turn[key]));
    const tally = await watched.viewers.tally();
    if (tally.open !== VIEWERS) throw new Error(`only ${tally.open} of ${VIEWERS} viewers are left`);
    return {
      ...{ alone: of("alone"), watched: of("watched"), beside: of("beside") },
      ...{ ofWatched: of("ofWatched"), ofDistinct: of("ofDistinct"), ofBeside: of("ofBeside") },
      seen: tally.events,
      notShown: tally.notShown + tally.unchecked,
    };
  } finally {
    for (const { bench, viewers } of stacks) {
      viewers?.stop();
      await bench.stop();
    }
  }
}

/** Each is first, second and last as often as the others. */
function inTurn(stacks, turn) {
  const list = Object.entries(stacks);
  const first = ((turn % list.length) + list.length) % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}

/** Events per second from the first byte to the last segment in the catalog. */
async function rate(api, loads) {
  const started = performance.now();
  let events = 0;
  await loops(SENDERS, async (n) => {
    const load = loads[n];
    if (load === undefined) return false;
    const { accepted } = await api.ingest(load.body);
    if (accepted !== load.items) throw new Error(`only ${accepted} of ${load.items} items were kept`);
    events += load.events;
    return true;
  });
  await api.seal();
  return events / seconds(started);
}
