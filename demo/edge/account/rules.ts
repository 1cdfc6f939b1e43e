/**
 * What Cloudflare refuses to deploy, as pure functions. The codes are
 * Cloudflare's where wrangler or the documentation names one; the two that are
 * not named anywhere (10206, 10209) are the edge's own.
 */
import { type Refusal, refuse, type Share, type VersionRecord } from "./types.ts";

/** Older versions stay visible, but cannot be deployed. */
export const DEPLOYABLE_VERSIONS = 100;
const MAX_VERSIONS = 2;
/** Percentages are typed by people: a hundredth is as exact as they get. */
const SUM_TOLERANCE = 0.005;

export const NO_SUCH_SCRIPT = 10007;
export const NO_SUCH_VERSION = 10222;
export const BAD_UPLOAD = 10021;
const BAD_DEPLOYMENT = 10206;
const TOO_OLD = 10209;
const MIGRATION_DIFFERS = 10211;
const SECRETS_CHANGED = 10220;

export interface Facts {
  /** All of the script, newest first. */
  versions: readonly VersionRecord[];
  live: readonly Share[];
  migrationTag: string | null;
  force: boolean;
  canRun(version: VersionRecord): boolean;
}

/** @returns why it may not be deployed, or the shares in order */
export function checkDeployment(asked: unknown, facts: Facts): { shares: Share[] } | { refusal: Refusal } {
  const shares = readShares(asked);
  if (typeof shares === "string") return refuse(400, BAD_DEPLOYMENT, shares);
  const found: VersionRecord[] = [];
  for (const { version_id } of shares) {
    const position = facts.versions.findIndex((version) => version.id === version_id);
    const version = facts.versions[position];
    if (version === undefined) return refuse(404, NO_SUCH_VERSION, `Version ${version_id} does not exist.`);
    if (position >= DEPLOYABLE_VERSIONS) {
      const limit = `only the latest ${DEPLOYABLE_VERSIONS} versions can be deployed`;
      return refuse(400, TOO_OLD, `Version ${version_id} is too old: ${limit}.`);
    }
    found.push(version);
  }
  return refused(found, shares, facts) ?? { shares };
}

function refused(found: VersionRecord[], shares: Share[], facts: Facts): { refusal: Refusal } | undefined {
  for (const version of found) {
    if (version.migrationTag !== facts.migrationTag) {
      const tags = `${version.migrationTag ?? "none"}, and the Worker is at ${facts.migrationTag ?? "none"}`;
      const message = `Version ${version.id} cannot be deployed: its Durable Object migration tag is ${tags}.`;
      return refuse(400, MIGRATION_DIFFERS, message);
    }
    if (!facts.canRun(version)) {
      const message = `Local edge: the code of version ${version.id} is of an earlier build and cannot run any more.`;
      return refuse(400, BAD_DEPLOYMENT, message);
    }
  }
  const changed = facts.force ? [] : secretsChanged(found, shares, facts);
  if (changed.length === 0) return undefined;
  const message = `Secrets have been changed since this version was deployed. The following secrets have changed: ${changed.join(", ")}`;
  return refuse(400, SECRETS_CHANGED, message);
}

/** Going back to one older version, while what is live has other secrets. */
function secretsChanged(found: VersionRecord[], shares: Share[], facts: Facts): string[] {
  const [target] = found;
  if (shares.length !== 1 || target === undefined) return [];
  const live = facts.versions.filter(({ id }) => facts.live.some((share) => share.version_id === id));
  const newer = live.find((version) => version.number > target.number);
  if (newer === undefined) return [];
  const [now, then] = [secretsOf(newer), secretsOf(target)];
  const names = new Set([...now.keys(), ...then.keys()]);
  return [...names].filter((name) => now.get(name) !== then.get(name)).sort();
}

function secretsOf(version: VersionRecord): Map<string, string> {
  const secrets = version.bindings.filter(({ type }) => type === "secret_text");
  return new Map(secrets.map(({ name, text }) => [name, String(text)]));
}

function readShares(asked: unknown): Share[] | string {
  const { strategy, versions } = (asked ?? {}) as { strategy?: unknown; versions?: unknown };
  if (strategy !== "percentage") return 'strategy must be "percentage".';
  if (!Array.isArray(versions) || versions.length === 0) return "versions must name one or two versions.";
  if (versions.length > MAX_VERSIONS) return `A deployment has at most ${MAX_VERSIONS} versions.`;
  const shares = versions.map((share: Partial<Share> | null) => ({
    version_id: String(share?.version_id),
    percentage: share?.percentage as number,
  }));
  const isShare = ({ percentage }: Share) => typeof percentage === "number" && percentage >= 0 && percentage <= 100;
  if (!shares.every(isShare)) return "percentage must be a number from 0 to 100.";
  if (new Set(shares.map(({ version_id }) => version_id)).size !== shares.length) return "A version is named twice.";
  const sum = shares.reduce((total, { percentage }) => total + percentage, 0);
  return Math.abs(sum - 100) > SUM_TOLERANCE ? `Percentages must add up to 100, not ${sum}.` : shares;
}
