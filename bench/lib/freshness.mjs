/** From a request's end to its event in a query answer: through the tail, under light traffic. */
import { connections, send } from "./http.mjs";
import { quantile } from "./numbers.mjs";
import { benchStack } from "./stack.mjs";

/** Light traffic beside the probes, so that group commits and the query meet other work. */
const BACKGROUND_EVERY_MS = 50;
const GIVE_UP_MS = 10_000;

/** @param {{ probes: number }} size */
export async function measureFreshness({ probes }) {
  const bench = await benchStack({ demo: true });
  const agent = connections(4);
  const shop = bench.stack.shopUrl.replace("localhost", "127.0.0.1");
  const background = setInterval(() => send(agent, `${shop}/api/products`).catch(() => {}), BACKGROUND_EVERY_MS);
  const waits = [];
  try {
    for (let n = -3; n < probes; n++) {
      const wait = await probe(bench.api, agent, shop, `probe${process.pid}x${n + 3}`);
      if (n >= 0) waits.push(wait);
    }
  } finally {
    clearInterval(background);
    agent.destroy();
    await bench.stop();
  }
  return { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99) };
}

async function probe(api, agent, shop, marker) {
  await send(agent, `${shop}/api/search?q=${marker}`);
  const ended = performance.now();
  for (;;) {
    const { rows } = await api.query(`kind:invocation url:/${marker}/ | stats count()`, "-5m");
    const now = performance.now();
    if (rows[0]?.[0] > 0) return (now - ended) / 1000;
    if (now - ended > GIVE_UP_MS) throw new Error(`${marker} was not found within ${GIVE_UP_MS} ms`);
  }
}
