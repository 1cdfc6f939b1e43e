/** `npm start` proper: starts the stack and the demo's traffic, says where they are, ends them in good order. */
import { setTimeout as sleep } from "node:timers/promises";
import { endBuilds } from "../lib/bundle.mjs";
import { endWith } from "./shutdown.mjs";
import { startStack } from "./stack.mjs";

/** Tails of the last requests are under way for as long as the Collector's group-commit window; this is several of them. */
const DRAIN_MS = 400;

/** @param {(stack: object) => Promise<() => Promise<void>>} [follow] also watches the sources, until told to end */
export async function launch(options, follow) {
  let stack;
  let traffic;
  const rollout = new AbortController();
  let unfollow;
  let starting = true;
  endWith(async () => {
    rollout.abort();
    await Promise.all([traffic?.stop(), unfollow?.()]);
    // Interrupted while it starts: there is nothing acknowledged yet, and the guard ends workerd.
    if (starting) return;
    if (traffic !== undefined) await sleep(DRAIN_MS);
    await stack?.stop();
  });
  const { port, data, fresh, demo, build, adminToken, verbose } = options;
  const onLog = verbose ? (line) => console.log(line) : undefined;
  stack = await startStack({ port, data, fresh, demo, build, adminToken, onLog });
  starting = false;
  await endBuilds();
  // Read by people, and the first line by scripts.
  console.log(`Tailrace is ready on ${stack.url}`);
  console.log(`  dashboard     ${stack.url}/`);
  console.log(`  live tail     ${stack.url}/live`);
  if (demo) console.log(`  demo shop     ${stack.shopUrl}/`);
  if (demo) console.log(`  rollouts      ${stack.url}/rollouts`);
  console.log(`  log-in token  ${stack.adminToken}`);
  if (demo) console.log(`  for wrangler  ${wranglerEnv(stack.edge)}`);
  if (!stack.healthy) console.log(`  not healthy   see ${stack.url}/healthz`);
  const playing =
    demo && options.rollout !== undefined ? await stage(stack, options.rollout, rollout.signal) : undefined;
  if (demo && options.rate > 0) {
    const { startTraffic } = await import("../../demo/traffic/index.ts");
    traffic = startTraffic({
      shopUrl: `http://127.0.0.1:${port + 1}`,
      rate: options.rate,
      seed: options.seed,
      reviews: true,
      fireCrons: () => nightly(stack),
    });
    console.log(`  traffic       about ${options.rate} requests/s, seed ${options.seed}`);
  }
  unfollow = await follow?.(stack);
  console.log("Ctrl-C ends it; the data stays.");
  await playing?.();
}

/** `--rollout`: the version that works for everyone, before the first visitor. @returns plays the rest */
async function stage(stack, which, signal) {
  const { prepareRollout, RELEASES, tellRollout } = await import("./rollout.mjs");
  const release = RELEASES[which];
  const report = (line) => console.log(line);
  try {
    const version = await prepareRollout({ stack, release });
    console.log(`  rollout       ${release.tag} is uploaded; it begins when the shop has some traffic`);
    return () =>
      tellRollout({ stack, release, version, report, signal }).catch((error) => {
        if (!signal.aborted) console.log(`The rollout cannot be shown: ${error.message}`);
      });
  } catch (error) {
    console.log(`The rollout cannot be shown: ${error.message}`);
    return undefined;
  }
}

/** What makes wrangler deploy to the shop. */
const wranglerEnv = ({ apiUrl, accountId, token }) =>
  `CLOUDFLARE_API_BASE_URL=${apiUrl} CLOUDFLARE_ACCOUNT_ID=${accountId} CLOUDFLARE_API_TOKEN=${token}`;

/** The shop's night comes early, or nobody would ever see its cron. */
async function nightly(stack) {
  for (const { worker, cron } of stack.crons) if (worker.startsWith("shop-")) await stack.fireCron(worker, cron);
}
