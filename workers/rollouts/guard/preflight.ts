/**
 * Can the old version come back? Asked before the start, and again before each
 * step. Pure: from what Cloudflare says of both versions (`facts.ts` reads it) to
 * findings in plain words. What refuses cannot be forced: a guard that cannot take
 * back must not begin.
 */
import type { PreflightFinding } from "../../api/contract.ts";
import type { Deployment, Version, VersionBinding, VersionDetail } from "../../cloudflare/contract.ts";
import { VERSION_WINDOW, WINDOW_WARNING } from "./limits.ts";
import { newestText } from "./name.ts";
import { splitText, versionText } from "./words.ts";

export interface Telemetry {
  /** Invocations of the Worker within the last minutes; null: we could not find out. */
  requests: number | null;
  minutes: number;
}

export interface Facts {
  /** Name of the Worker that Tailrace is. */
  self: string;
  script: string;
  /** The version that is asked for. */
  wanted: string;
  /** null: nothing is deployed. */
  live: Deployment | null;
  old: VersionDetail | null;
  /** null: it is not uploaded. */
  new: VersionDetail | null;
  /** Newest first; the newest hundred. */
  versions: readonly Version[];
  tailConsumers: readonly string[];
  telemetry: Telemetry;
  /** Whether the source maps of the versions are here; null: it does not matter, or could not be found out. */
  maps: { old: boolean; new: boolean } | null;
  mode: "act" | "advise";
  /** A rollout that runs, if this one is not that. */
  running: string | null;
  /** start: nothing of ours is live. step: our own split is. */
  phase: "start" | "step";
}

type Check = (facts: Facts) => PreflightFinding | null | undefined | false;

const refuse = (code: string, message: string): PreflightFinding => ({ level: "refuse", code, message });
const warn = (code: string, message: string): PreflightFinding => ({ level: "warn", code, message });
const info = (code: string, message: string): PreflightFinding => ({ level: "info", code, message });

/** In the order in which a person would want to hear of it. */
const CHECKS: readonly Check[] = [
  ({ script, self }) =>
    script === self &&
    refuse(
      "own_worker",
      "This is Tailrace itself: it does not observe itself, so it would guard blindly. Deploy it by hand.",
    ),
  ({ running }) =>
    running !== null &&
    refuse("rollout_running", `Rollout ${running} of this Worker has not ended: abort it, or wait for its end.`),
  ({ live, script }) =>
    live === null &&
    refuse("not_deployed", `${script} has no deployment, so there is no version to come back to: deploy it once.`),
  ({ phase, mode, live }) =>
    phase === "start" &&
    mode === "act" &&
    live !== null &&
    live.versions.filter(({ percent }) => percent > 0).length > 1 &&
    refuse(
      "split_live",
      `Two versions share the traffic already (${splitText(live.versions)}), and which of them is good is not for us to say: bring one to 100 % first.`,
    ),
  ({ old, wanted, phase, mode }) =>
    phase === "start" &&
    mode === "act" &&
    old?.id === wanted &&
    refuse(
      "already_live",
      "This version has all of the traffic already: upload the new one with `wrangler versions upload`.",
    ),
  (facts) =>
    facts.new === null &&
    refuse(
      "not_uploaded",
      `Cloudflare has no version ${facts.wanted} of ${facts.script}: upload it with \`wrangler versions upload\`, or check the id.${facts.phase === "start" ? ` ${newestText(facts.versions)}` : ""}`,
    ),
  ({ old, new: next }) =>
    old !== null &&
    next !== null &&
    old.migrationTag !== next.migrationTag &&
    refuse(
      "migration_differs",
      `The versions have different Durable Object migrations (${tagText(old.migrationTag)} and ${tagText(next.migrationTag)}): a migration cannot be undone, so the old version could not come back. Deploy the migration by itself, at once and with care, then roll out the code.`,
    ),
  windowOfOld,
  windowOfNew,
  notObserved,
  ({ old, new: next }) => bindingsDeleted(old, next),
  ({ old, new: next }) => bindingsChanged(old, next),
  secretsChanged,
  ({ old, new: next, phase }) =>
    phase === "start" &&
    old !== null &&
    next !== null &&
    next.number < old.number &&
    warn(
      "older_version",
      `${versionText(next)} was uploaded before ${versionText(old)}, which is live: this goes back in time. Check the id.`,
    ),
  mapsDiffer,
  ({ telemetry: { requests, minutes } }) =>
    requests === 0 &&
    warn(
      "no_traffic",
      `No invocation was seen in the last ${minutes} minutes: without traffic there is no verdict, and each step is taken back at its time limit.`,
    ),
  ({ telemetry: { requests } }) =>
    requests === null && info("traffic_unknown", "How much traffic there is could not be found out at the moment."),
];

export function preflight(facts: Facts): PreflightFinding[] {
  return CHECKS.map((check) => check(facts)).filter(
    (finding) => finding !== null && finding !== undefined && finding !== false,
  );
}

export const isRefused = (findings: readonly PreflightFinding[]): boolean =>
  findings.some(({ level }) => level === "refuse");

/** Nothing stands in the way, or only what a person has seen and accepts. */
export function mayStart(findings: readonly PreflightFinding[], isForced: boolean): boolean {
  return !isRefused(findings) && (isForced || !findings.some(({ level }) => level === "warn"));
}

const tagText = (tag: string | null) => (tag === null ? "none" : `\`${tag}\``);

function windowOfOld({ old, versions }: Facts) {
  if (old === null) return null;
  const place = versions.findIndex(({ id }) => id === old.id);
  if (place === -1) {
    return refuse(
      "version_window",
      `${versionText(old)}, the old version, is not among the newest ${VERSION_WINDOW}, the only ones that Cloudflare can deploy: it could not come back. Upload its code again and deploy that first.`,
    );
  }
  const left = VERSION_WINDOW - 1 - place;
  if (place + 1 < WINDOW_WARNING) return null;
  return warn(
    "version_window",
    `${versionText(old)}, the old version, is number ${place + 1} of the ${VERSION_WINDOW} that Cloudflare can deploy: ${left === 0 ? "with the next upload" : `after ${left} more uploads`} it could not come back. Upload nothing meanwhile.`,
  );
}

function windowOfNew({ new: next, versions }: Facts) {
  if (next === null || versions.some(({ id }) => id === next.id)) return null;
  return refuse(
    "not_deployable",
    `${versionText(next)} is not among the newest ${VERSION_WINDOW} versions, the only ones that Cloudflare can deploy: upload it again.`,
  );
}

function notObserved({ tailConsumers, self, script, telemetry }: Facts) {
  if (tailConsumers.includes(self)) return null;
  const todo = `Add \`tail_consumers = [{ service = "${self}" }]\` to the wrangler.toml of ${script} and deploy it.`;
  if ((telemetry.requests ?? 0) > 0)
    return info(
      "not_observed",
      `Cloudflare does not name Tailrace among the tail consumers of ${script}, though its telemetry arrives some other way. ${todo}`,
    );
  return refuse("not_observed", `Tailrace does not see this Worker: it is not among its tail consumers. ${todo}`);
}

/** Without any on both sides stacks are as they are in the bundles: that can be compared. */
function mapsDiffer({ maps }: Facts) {
  if (maps === null || maps.old === maps.new) return null;
  const still = "Failures are compared all the same.";
  if (maps.old)
    return warn(
      "no_source_map",
      `No source map of this version is here: new issues cannot be told from old ones, and the evidence names no line of the source. Upload it first (\`tailrace deploy --gradual\` does). ${still}`,
    );
  return info(
    "no_source_map",
    `The source map of this version is here and that of the old one is not: in this rollout new issues cannot be told from old ones. ${still}`,
  );
}

const isSecret = ({ type }: VersionBinding) => type.startsWith("secret");
const plain = (version: VersionDetail) => version.bindings.filter((binding) => !isSecret(binding));
const names = (bindings: readonly VersionBinding[]) =>
  bindings.map(({ name, type }) => `\`${name}\` (${type})`).join(", ");

function bindingsDeleted(old: VersionDetail | null, next: VersionDetail | null) {
  if (old === null || next === null) return null;
  const kept = new Set(next.bindings.map(({ name }) => name));
  const gone = plain(old).filter(({ name }) => !kept.has(name));
  if (gone.length === 0) return null;
  return warn(
    "binding_deleted",
    `The new version is without bindings that the old one needs: ${names(gone)}. Do not delete what they lead to before this rollout has ended, or the old version cannot come back.`,
  );
}

function bindingsChanged(old: VersionDetail | null, next: VersionDetail | null) {
  if (old === null || next === null) return null;
  const before = new Map(plain(old).map((binding) => [binding.name, binding]));
  const changed = plain(next).filter(({ name, type, target }) => {
    const was = before.get(name);
    // Plain values differ by design; what state lies in must not by accident.
    return (
      was !== undefined && (was.type !== type || (type !== "plain_text" && type !== "json" && was.target !== target))
    );
  });
  if (changed.length === 0) return null;
  return warn(
    "binding_changed",
    `Bindings lead elsewhere in the new version: ${names(changed)}. While both have traffic they write to different places, and what the new one wrote stays there when it is taken back.`,
  );
}

/** Values are never shown, so only names, and versions that a changed secret made, can be compared. */
function secretsChanged({ old, new: next, versions }: Facts) {
  if (old === null || next === null) return null;
  const secrets = (version: VersionDetail) => new Set(version.bindings.filter(isSecret).map(({ name }) => name));
  const [before, after] = [secrets(old), secrets(next)];
  const removed = [...before].filter((name) => !after.has(name));
  const added = [...after].filter((name) => !before.has(name));
  const [low, high] = [Math.min(old.number, next.number), Math.max(old.number, next.number)];
  const byChange = versions.some(
    ({ number, triggeredBy }) => triggeredBy === "secret" && number > low && number <= high,
  );
  if (removed.length === 0 && added.length === 0 && !byChange) return null;
  const what = [
    removed.length > 0 && `removed ${removed.map((name) => `\`${name}\``).join(", ")}`,
    added.length > 0 && `added ${added.map((name) => `\`${name}\``).join(", ")}`,
    byChange && "a value was changed in between",
  ].filter((part) => part !== false);
  return warn(
    "secret_changed",
    `Secrets differ between the versions (${what.join("; ")}). The old version comes back with the values it was made with: keep what they are for valid until this rollout has ended.`,
  );
}
