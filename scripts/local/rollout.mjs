/**
 * `npm start -- --rollout bad|good`: a version is uploaded, given to a few
 * visitors through Tailrace, and judged; what the rollout's record says is
 * printed as it comes. Everything goes the way that a team's would: the local
 * edge's API, `tailrace sourcemaps upload`, POST /api/v1/rollouts.
 *
 * `prepareRollout` sets the stage before traffic begins, `tellRollout` plays it;
 * bench/lib/rollout-edge.mjs measures the same two.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bundleDemo, endBuilds } from "../lib/bundle.mjs";
import { ROOT } from "../lib/toolchain.mjs";
import { uploadDemoMaps } from "./demo-maps.mjs";
import { readBuiltDemo } from "./demo-workers.mjs";
import { edgeClient } from "./edge-client.mjs";

const SCRIPT = "shop-storefront";
/** So that nothing but the new version changes: the checkout's second version has bugs of its own. */
const STEADY = [SCRIPT, "shop-checkout"];
const POLL_MS = 500;
/** Of the version that everyone has, so that there is something to compare with. */
const WARM_UP_REQUESTS = 200;
const WARM_UP_MS = 60_000;

/** A disaster is taken back sooner than its error is an issue with a line; that takes seconds more. */
const LINE_MS = 30_000;

export const RELEASES = {
  bad: {
    entry: "v3.ts",
    tag: "v1.6.0",
    message: "Delivery promises on product pages",
    plan: {
      steps: [
        { percent: 5, soakMinutes: 1 },
        { percent: 50, soakMinutes: 1 },
        { percent: 100, soakMinutes: 0 },
      ],
      minSamples: 30,
      stepLimitMinutes: 10,
    },
  },
  good: {
    entry: "v1-patch.ts",
    tag: "v1.4.3",
    message: "Say when few are left",
    plan: {
      steps: [
        { percent: 10, soakMinutes: 1 },
        { percent: 50, soakMinutes: 1 },
        { percent: 100, soakMinutes: 0 },
      ],
      // The demo's traffic is thin: only differences that can be seen in minutes. New issues are not asked
      // for, as a shelf that refuses while it is counted may be one for the first time.
      gates: { errors: { minEffect: 0.02 }, duration: { quantile: 0.9, tolerance: 1, minMs: 100 }, issues: null },
      minSamples: 50,
      stepLimitMinutes: 20,
    },
  },
};

/**
 * The first built versions at 100 %, the release uploaded with its source map, and not deployed.
 * @param {{ stack: import("./stack.mjs").Stack, release: (typeof RELEASES)["bad"] }} given
 */
export async function prepareRollout({ stack, release }) {
  const edge = edgeClient(stack.edge);
  const built = readBuiltDemo();
  for (const script of STEADY) {
    const first = built.versions.find((version) => version.script === script);
    await edge.deploy(script, [{ version_id: first.id, percentage: 100 }], "The version that works");
  }
  const { entry, tag, message } = release;
  const { file } = await bundleDemo(join(ROOT, "demo/storefront/src", entry), SCRIPT, tag);
  await endBuilds();
  const id = await edge.upload(SCRIPT, { file, tag, message });
  const maps = { url: stack.url, token: stack.adminToken, versions: [{ script: SCRIPT, id, file }], build: false };
  const failure = await uploadDemoMaps(maps);
  if (failure !== undefined) throw new Error(`the source map was not uploaded: ${failure}`);
  return { id, script: SCRIPT };
}

/**
 * Starts the rollout once the old version has traffic, and follows it to its end.
 * @param {{ stack: object, release: (typeof RELEASES)["bad"], version: { id: string, script: string },
 *   report: (line: string) => void, signal: AbortSignal }} given
 * @returns {Promise<import("../../workers/api/contract.ts").RolloutAnswer | undefined>} the rollout as it ended; undefined when `signal` came first
 */
export async function tellRollout({ stack, release, version, report, signal }) {
  const api = apiClient(stack, signal);
  await warmUp(api, version.script);
  const began = Date.now();
  const body = { script: version.script, version: version.id, plan: release.plan };
  const rollout = await api("POST", "/api/v1/rollouts", body);
  const at = `${stack.url}/rollouts/${rollout.id}`;
  report(`rollout of ${version.script} ${release.tag} (${release.message}): ${at}`);
  const teller = createTeller(report, began);
  while (!signal.aborted) {
    const answer = await api("GET", `/api/v1/rollouts/${rollout.id}?script=${version.script}`);
    teller(answer);
    const { state, endedAt } = answer.rollout;
    if (endedAt !== null && (namesLine(answer) || state === "promoted" || Date.now() - endedAt > LINE_MS)) {
      report(`${state.replace("_", " ")}: all of the evidence is at ${at}`);
      return answer;
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
  return undefined;
}

const namesLine = ({ issues }) => issues.some(({ frame }) => frame !== null);

/** Prints each line of the record once, and below a decision that ended in action what it rests on. */
export function createTeller(report, began) {
  let told = 0;
  const named = new Set();
  const name = (issue) => {
    const where = issue.frame === null ? "" : `, ${issue.frame}`;
    report(`          new in this version: ${issue.title}${where} (${issue.count} times)`);
    if (issue.frame !== null) named.add(issue.id);
  };
  return ({ events, issues, rollout }) => {
    for (const event of events) {
      if (event.seq <= told) continue;
      told = event.seq;
      const seconds = ((event.at - began) / 1000).toFixed(1).padStart(6);
      report(`${seconds} s  ${event.text}`);
      for (const gate of event.judgement?.gates ?? []) {
        if (gate.verdict === "worse") report(`          ${gate.label}: ${gate.reason}`);
      }
      for (const issue of event.issues ?? []) if (!named.has(issue.id)) name(issue);
    }
    if (rollout.endedAt === null) return;
    for (const issue of issues) if (issue.frame !== null && !named.has(issue.id)) name(issue);
  };
}

async function warmUp(api, script) {
  const query = `/api/v1/query?q=${encodeURIComponent(`script:${script} event_type:fetch | stats count()`)}&from=-1m`;
  for (const deadline = Date.now() + WARM_UP_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    const { rows } = await api("GET", query);
    if (Number(rows[0]?.[0] ?? 0) >= WARM_UP_REQUESTS) return;
  }
}

function apiClient({ url, adminToken }, signal) {
  return async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      signal,
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (response.ok) return answer;
    const findings = answer.error?.details?.findings ?? [];
    const why = [answer.error?.message ?? "", ...findings.map(({ message }) => message)].join(" ");
    throw new Error(`${method} ${path.split("?")[0]}: ${response.status} ${why}`);
  };
}
