/** How a rollout comes to be: a person starts one, or somebody else's split is noticed and watched. */
import type {
  Preflight,
  PreflightFinding,
  Rollout,
  RolloutPlan,
  StartRollout,
  VersionName,
} from "../../api/contract.ts";
import type { ApiFailure, CloudflareClient, Deployment, Version } from "../../cloudflare/contract.ts";
import type { GuardFailure, GuardResult } from "../contract.ts";
import { checkQueries } from "../evidence/queries.ts";
import type { Line } from "./book.ts";
import type { Desk } from "./desk.ts";
import { oldOf, readFacts } from "./facts.ts";
import { NOT_CONNECTED_MS, NOT_READ_MS, NOTICED_MS, NOTICED_READS, UNKNOWN_MS } from "./limits.ts";
import { isMessageOfTailrace } from "./live.ts";
import { findVersion, isWholeId } from "./name.ts";
import { keepPage } from "./page.ts";
import { type Facts, isRefused, mayStart, preflight } from "./preflight.ts";
import { newRun, percentOf, type Run, stepAt } from "./run.ts";
import { wantStep } from "./transitions.ts";
import { deployedText, failureText, GUARD, NOT_CONNECTED, SOMEBODY, versionText } from "./words.ts";

const MINUTE_MS = 60_000;
const failure = (code: GuardFailure["code"], message: string): GuardFailure => ({ ok: false, code, message });

interface Checked {
  facts: Facts;
  plan: RolloutPlan;
  preflight: Preflight;
}

/** Changes nothing. */
export async function check(desk: Desk, request: StartRollout): Promise<GuardResult<Checked>> {
  const { book, deps, script, self } = desk;
  const read = deps.readPlan(request.plan);
  if (!read.ok) return failure("bad_request", read.message);
  const { plan } = read;
  const problem = checkQueries(plan.gates.queries, deps.now());
  if (problem !== "") return failure("bad_request", problem);
  const client = await deps.cloudflare();
  if (client === null) return failure("not_connected", NOT_CONNECTED);
  const named = await wholeId(client, script, request.version);
  if (typeof named !== "string") return named;
  const running = book.active?.rollout.id ?? null;
  const asked = { self, script, wanted: named, mode: plan.mode, running, phase: "start" } as const;
  const facts = await readFacts(client, {
    ...asked,
    telemetry: () => deps.telemetry(script),
    ...(plan.gates.issues !== null && { mapped: (versions) => deps.mapped(script, versions) }),
  });
  if (!facts.ok) return unread(facts, script);
  const findings = preflight(facts.value);
  return { ok: true, value: { facts: facts.value, plan, preflight: answer(facts.value, plan, findings) } };
}

const unread = (found: ApiFailure, script: string): GuardFailure =>
  found.kind === "not_found"
    ? failure("not_found", `Cloudflare has no Worker ${script}: ${found.message}`)
    : failure("cloudflare", failureText(found));

/** Of the version that a person means. */
async function wholeId(client: CloudflareClient, script: string, name: string): Promise<string | GuardFailure> {
  if (isWholeId(name)) return name;
  const versions = await client.versions(script);
  if (!versions.ok) return unread(versions, script);
  const found = findVersion(versions.value, name, script);
  return found.ok ? found.id : failure("bad_request", found.message);
}

function answer({ old, new: next, wanted }: Facts, plan: RolloutPlan, findings: PreflightFinding[]): Preflight {
  return { ok: !isRefused(findings), old: nameOf(old, ""), new: nameOf(next, wanted), plan, findings };
}

const nameOf = (version: Version | null | undefined, id: string): VersionName =>
  version ? { id: version.id, tag: version.tag, message: version.message } : { id, tag: "", message: "" };

/** The rollout, with its first step wanted and on disk. */
export async function start(desk: Desk, request: StartRollout, actor: string): Promise<GuardResult<Run>> {
  const { book, deps } = desk;
  const { id = crypto.randomUUID() } = request;
  const begun = book.find(id);
  if (begun !== null) return { ok: true, value: begun };
  const checked = await check(desk, request);
  // While Cloudflare was asked another start may have come.
  const { active } = book;
  if (active !== null) {
    if (active.rollout.id === id) return { ok: true, value: active };
    return failure(
      "rollout_running",
      `Rollout ${active.rollout.id} of this Worker has not ended (${active.rollout.reason}): abort it, or wait for its end.`,
    );
  }
  if (!checked.ok) return checked;
  const { facts, plan, preflight: found } = checked.value;
  const { live, old } = facts;
  if (!mayStart(found.findings, request.force ?? false) || live === null || old === null) {
    const [first] = found.findings.filter(({ level }) => level !== "info");
    const hint = found.ok ? " Start with `force` if you have read it." : "";
    return {
      ...failure("preflight_failed", `${first?.message ?? "There is no version to come back to."}${hint}`),
      preflight: found,
    };
  }
  const now = deps.now();
  const act = plan.mode === "act";
  const percent = percentOf(live.versions, facts.wanted);
  const rollout = blank({
    id,
    script: desk.script,
    plan,
    old: found.old,
    new: found.new,
    actor,
    now,
    isWatched: false,
  });
  const seen: Rollout = act ? rollout : { ...rollout, state: "running", percent, step: stepAt(rollout, percent) };
  // Numbers of intents go on over all rollouts: an answer to the one before is no answer to this one.
  const idle = { ...newRun(seen, live.id), seq: book.run?.seq ?? 0 };
  const step = plan.steps[0]?.percent ?? 100;
  const reason = act
    ? `First step: ${step} %.`
    : percent > 0
      ? "Somebody else's split is watched."
      : "Waits for somebody to send traffic to the new version.";
  const run = act
    ? wantStep(idle, 0, actor, reason)
    : { ...idle, rollout: { ...seen, reason }, stepSince: minuteOf(now), lookedAt: now };
  const text = `${versionText(found.new)} against ${versionText(found.old)}: ${plan.steps.map(({ percent: p }) => `${p} %`).join(", ")}.`;
  const isWarned = found.findings.some(({ level }) => level === "warn");
  const force = isWarned ? " Started although preflight warned." : "";
  const preflightText =
    found.findings.length === 0
      ? "Nothing stands in the way of taking it back."
      : found.findings.map(({ message }) => message).join(" ");
  begin(desk, run, [
    { kind: "started", actor, text: `${text}${force}` },
    { kind: "preflight", actor: GUARD, text: preflightText, findings: found.findings },
  ]);
  return { ok: true, value: book.run as Run };
}

/** Reads for what is only noticed, of this isolate, in the minute that began then. */
const reads = { since: 0, count: 0 };

/** Names of Workers may be made up by whoever may send telemetry: Cloudflare's limit is for the rollouts that run. */
function mayRead(now: number): boolean {
  if (Math.abs(now - reads.since) >= MINUTE_MS) Object.assign(reads, { since: now, count: 0 });
  reads.count += 1;
  return reads.count <= NOTICED_READS;
}

/**
 * Somebody else splits traffic: watched from now on, and never touched. Cheap: one
 * read of Cloudflare, and only when it may be news. Answers for how long nobody
 * need ask again, ms.
 */
export async function watchSplit(desk: Desk): Promise<number> {
  const { book, deps, script, self } = desk;
  if (script === self) return UNKNOWN_MS;
  if (book.active !== null) return NOTICED_MS;
  const client = await deps.cloudflare();
  if (client === null) return NOT_CONNECTED_MS;
  if (!mayRead(deps.now())) return MINUTE_MS;
  const deployments = await client.deployments(script);
  if (!deployments.ok) return deployments.kind === "not_found" ? UNKNOWN_MS : NOT_READ_MS;
  const live = deployments.value[0];
  if (live === undefined || book.hasSeen(live.id)) return NOTICED_MS;
  const versions = live.versions.filter(({ percent }) => percent > 0);
  // What a rollout of ours left behind is known; one version alone is nothing to watch.
  if (versions.length !== 2 || isMessageOfTailrace(live.message)) {
    book.see(live.id);
    return NOTICED_MS;
  }
  const pair = await pairOf(client, script, live);
  if (pair === undefined || book.active !== null) return NOT_READ_MS;
  const read = deps.readPlan({ mode: "advise" });
  if (!read.ok) throw new Error(`BUG: the default plan is refused: ${read.message}`);
  const now = deps.now();
  const [old, next] = pair;
  const rollout = blank({
    id: crypto.randomUUID(),
    script,
    plan: read.plan,
    old: nameOf(old, ""),
    new: nameOf(next, ""),
    actor: SOMEBODY,
    now,
    isWatched: true,
  });
  const percent = percentOf(live.versions, next.id);
  const reason = `${deployedText(live)}. It is watched, and not touched.`;
  const seen: Rollout = { ...rollout, state: "running", percent, step: stepAt(rollout, percent), reason };
  const run = { ...newRun(seen, live.id), stepSince: minuteOf(now), lookedAt: now };
  begin(desk, run, [{ kind: "started", actor: SOMEBODY, text: reason }]);
  book.see(live.id);
  return NOTICED_MS;
}

/** The one that was uploaded first is old. */
async function pairOf(
  client: CloudflareClient,
  script: string,
  live: Deployment,
): Promise<[Version, Version] | undefined> {
  const versions = await client.versions(script);
  if (!versions.ok) return undefined;
  const byId = new Map(versions.value.map((version) => [version.id, version]));
  const oldId = oldOf(live, "", (id) => byId.get(id)?.number ?? 0);
  const old = byId.get(oldId ?? "");
  const next = live.versions
    .map(({ version }) => byId.get(version))
    .find((version) => version !== undefined && version.id !== oldId);
  return old === undefined || next === undefined ? undefined : [old, next];
}

type Beginning = Pick<Rollout, "id" | "script" | "plan" | "old" | "new" | "isWatched"> & { actor: string; now: number };

function blank({ actor, now, plan, ...given }: Beginning): Rollout {
  return {
    ...given,
    plan,
    mode: plan.mode,
    state: "starting",
    step: -1,
    percent: 0,
    verdict: "unknown",
    reason: "",
    startedAt: now,
    startedBy: actor,
    endedAt: null,
    changedAt: now,
  };
}

/**
 * Settings of the Worker stay as they are: counts are taken before sampling
 * (decision 0007), and failures and what reports an error are never sampled away, so the verdict and
 * its issues lose nothing that a `canaryVersions` entry would keep.
 */
function begin(desk: Desk, run: Run, lines: Line[]): void {
  const { book, deps } = desk;
  const { id, script, old, new: next, plan, startedAt, reason } = run.rollout;
  keepPage(desk);
  const title = `${versionText(next)} against ${versionText(old)}. ${reason}`;
  book.write(run, deps.now(), lines, [{ kind: "rollout.started", occasion: "start", title }]);
  const { queries, issues } = plan.gates;
  const decidesIssues = issues !== null;
  deps.feed.begin({ id, script, old: old.id, new: next.id, since: startedAt, queries, decidesIssues });
}

const minuteOf = (now: number) => Math.floor(now / MINUTE_MS) * 60;
