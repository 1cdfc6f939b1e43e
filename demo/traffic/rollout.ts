/**
 * A release as it goes in life (`npm start -- --rollout`): at first everyone has
 * version 1, then version 2 gets more and more of them, and what is wrong with it
 * shows. It stays as it is in the end: taking it back is the user's, with a PUT to
 * the local edge (demo/README.md) or whatever guards deployments.
 */
const STEPS: readonly { afterMs: number; percent: number }[] = [
  { afterMs: 0, percent: 0 },
  { afterMs: 30_000, percent: 10 },
  { afterMs: 75_000, percent: 50 },
  { afterMs: 150_000, percent: 100 },
];

export interface Version {
  script: string;
  id: string;
  tag: string;
}

/**
 * @param versions of the Workers, older first; those of Workers with one version do not matter
 * @param report one line per step
 * @returns stops it
 */
export async function startRollout(
  shopUrl: string,
  versions: readonly Version[],
  report: (line: string) => void,
): Promise<() => void> {
  const pairs = Map.groupBy(versions, (version) => version.script);
  const deploy = async (percent: number) => {
    const done: string[] = [];
    for (const [script, [older, newer]] of pairs) {
      if (older === undefined || newer === undefined) continue;
      const shares = [share(older, 100 - percent), share(newer, percent)];
      const body = JSON.stringify({ script, versions: shares });
      const { ok } = await fetch(`${shopUrl}/__edge/deployments`, { method: "PUT", body });
      if (ok) done.push(`${script} ${newer.tag}`);
    }
    report(`  deployed      ${done.join(", ")}: ${percent} %`);
  };
  const [first, ...later] = STEPS;
  await deploy(first?.percent ?? 0);
  const timers = later.map(({ afterMs, percent }) => setTimeout(() => deploy(percent).catch(() => {}), afterMs));
  return () => {
    for (const timer of timers) clearTimeout(timer);
  };
}

const share = ({ id }: Version, percentage: number) => ({ version_id: id, percentage });
