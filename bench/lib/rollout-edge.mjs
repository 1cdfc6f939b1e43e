/**
 * From a bad version being posted to all of the traffic being back, end to end:
 * real requests through the local edge, tails, evidence, verdict, Cloudflare's
 * API, and the edge's own propagation. The same release and the same steps that
 * `npm start -- --rollout bad` shows; the plan is the default one, but that it
 * begins at 5 %.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { startTraffic } from "../../demo/traffic/index.ts";
import { edgeClient } from "../../scripts/local/edge-client.mjs";
import { prepareRollout, RELEASES, tellRollout } from "../../scripts/local/rollout.mjs";
import { quantile } from "./numbers.mjs";
import { benchStack } from "./stack.mjs";

const POLL_MS = 100;
/** Twice the floor: one that takes longer has failed. */
const GIVE_UP_MS = 120_000;
const STEPS = [
  { percent: 5, soakMinutes: 5 },
  { percent: 50, soakMinutes: 5 },
  { percent: 100, soakMinutes: 0 },
];

/**
 * @param {{ rate: number, runs: number }} size `rate`: requests/s of the shop
 * @returns {Promise<{ seconds: number[], p50: number, max: number, rate: number, share: number }>} share: of the bad version's requests that fail
 */
export async function measureRolloutEdge({ rate, runs }) {
  const bench = await benchStack({ demo: true });
  const traffic = startTraffic({ shopUrl: bench.stack.shopUrl.replace("localhost", "127.0.0.1"), rate, seed: 1 });
  const seconds = [];
  const shares = [];
  try {
    for (let run = 0; run < runs; run++) {
      const { took, share } = await once(bench.stack);
      seconds.push(took);
      shares.push(share);
    }
  } finally {
    await traffic.stop();
    await bench.stop();
  }
  const share = shares.reduce((sum, one) => sum + one, 0) / shares.length;
  return { seconds, p50: quantile(seconds, 0.5), max: Math.max(...seconds), rate, share };
}

async function once(stack) {
  const release = { ...RELEASES.bad, plan: { steps: STEPS } };
  const version = await prepareRollout({ stack, release });
  const signal = AbortSignal.timeout(GIVE_UP_MS);
  const told = tellRollout({ stack, release, version, report: () => {}, signal });
  const [back, answer] = await Promise.all([trafficBack(stack, version, signal), told]);
  if (answer?.rollout.state !== "rolled_back")
    throw new Error(`the bad version was not taken back: ${JSON.stringify(answer?.rollout)}`);
  const errors = answer.judgement?.gates.find(({ id }) => id === "errors:request");
  return { took: back, share: errors?.new.value ?? Number.NaN };
}

/** Seconds from the edge's own record of the split until it no longer gives the version to whoever asks for it by name. */
async function trafficBack(stack, { id, script }, signal) {
  const edge = edgeClient(stack.edge);
  const has = (deployment) => deployment.versions.some((share) => share.version_id === id && share.percentage > 0);
  let posted;
  while (posted === undefined) {
    const [live] = await edge.deployments(script);
    if (has(live)) posted = Date.parse(live.created_on);
    await sleep(POLL_MS, undefined, { signal });
  }
  while (has((await edge.deployments(script))[0])) await sleep(POLL_MS, undefined, { signal });
  const headers = { "Cloudflare-Workers-Version-Overrides": `${script}="${id}"` };
  const shop = stack.shopUrl.replace("localhost", "127.0.0.1");
  const release = `Storefront ${RELEASES.bad.tag.slice(1)}`;
  while ((await (await fetch(shop, { headers, signal })).text()).includes(release)) await sleep(POLL_MS);
  return (Date.now() - posted) / 1000;
}

/** Rows and note for report.mjs. */
export function rolloutEdgeRows({ p50, max, rate, seconds }, lower) {
  const name = `bad version posted → traffic fully back, local edge, at ${rate} requests/s`;
  lower(`${name}, median of ${seconds.length}`, `${p50.toFixed(1)} s`, "limit", p50, 60, 15);
  lower(`${name}, worst of ${seconds.length}`, `${max.toFixed(1)} s`, "limit", max, 60, 15);
}

export const rolloutEdgeNote = ({ share, rate }) =>
  `Bad version → traffic back: the release of \`npm start -- --rollout bad\` at 5 % of ${rate} requests/s (${(100 * share).toFixed(0)} % of its requests fail), the default plan; from the edge's record of the split until the edge gives the version to nobody, also not to who asks for it by name.`;
