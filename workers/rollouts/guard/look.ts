/**
 * One look of the guard, every few seconds: what came in, what is live, what
 * follows from both, and a step towards it.
 *
 *   take-back wanted? act ─▶ telemetry ─▶ act, or read what is live ─▶ judge ─▶ decide ─▶ act
 *
 * Each part writes what it found before the next one waits for anything; a
 * person's command may come at every `await`, and is respected after it.
 */
import type { Judgement } from "../../api/contract.ts";
import type { Evidence } from "../contract.ts";
import { act, apply, clientOf, readLive } from "./act.ts";
import type { Book } from "./book.ts";
import { decide, namesOf } from "./decide.ts";
import type { Desk } from "./desk.ts";
import {
  DARK_LOOKS,
  FRESH_WATCH_MS,
  LIVE_LOOKS,
  LOOK_MS,
  SLOW_LOOK_MS,
  UNHEARD_ADVICE_MS,
  WATCHED_LIVE_LOOKS,
} from "./limits.ts";
import { overwritten, whoseIsLive } from "./live.ts";
import { bucketFor, keepPage } from "./page.ts";
import { visibleStep } from "./retry.ts";
import { isEnded, isOurPair, percentOf, type Run } from "./run.ts";
import { cameLate, ended, followed, held, replaced, somebodyActed, wantTakeBack } from "./transitions.ts";
import { GUARD, versionText } from "./words.ts";

/** Looks in a row without telemetry after which a paused rollout is looked at less often. */
const QUIET_LOOKS = 30;

/** ms until the next look; null: there is nothing to look at. */
export function interval(run: Run | null): number | null {
  if (run === null) return null;
  if (run.intent !== null) return LOOK_MS;
  if (isEnded(run)) return run.aftercare > 0 ? LOOK_MS : null;
  if (run.rollout.isWatched || (run.rollout.mode === "advise" && run.rollout.step < 0)) return SLOW_LOOK_MS;
  return run.rollout.state === "paused" && run.quiet >= QUIET_LOOKS ? SLOW_LOOK_MS : LOOK_MS;
}

export async function look(desk: Desk): Promise<void> {
  const { run } = desk.book;
  if (run !== null) await (isEnded(run) ? afterwards(desk) : watch(desk));
}

async function watch(desk: Desk): Promise<void> {
  const { book, deps } = desk;
  if (book.run?.intent?.kind === "take_back") {
    await act(desk);
    if (book.active === null) return;
  }
  await deps.feed.look(deps.now());
  if (book.active === null) return;
  if (book.active.intent === null) await lookAtLive(desk);
  else if (book.active.intent.kind === "step" && !mustNotGoOn(desk)) await act(desk);
  if (book.active === null) return;
  // Now, not before: a step that has just gone live is judged by what comes after it.
  const evidence = deps.feed.evidence();
  const judgement = judged(desk, evidence);
  observe(desk, evidence, judgement);
  const { rollout, stepSince, visibleMs } = book.active;
  if (rollout.mode === "advise" && rollout.step < 0 && visibleMs >= UNHEARD_ADVICE_MS)
    return apply(
      desk,
      ended(
        book.active,
        "stopped",
        deps.now(),
        GUARD,
        "Nobody sent the new version any traffic for a week: there is nothing to advise on.",
      ),
    );
  deps.feed.settle((known) => deps.settle(rollout.plan, known, stepSince));
  await decide(desk, evidence, judgement);
}

/** A step is wanted of a version that is worse by now: it is taken back instead. */
function mustNotGoOn(desk: Desk): boolean {
  const { rollout } = desk.book.active as Run;
  return rollout.step >= 0 && judged(desk, desk.deps.feed.evidence()).verdict === "worse";
}

function judged({ book, deps }: Desk, evidence: Evidence): Judgement {
  const { rollout, stepSince } = book.active as Run;
  const next = rollout.plan.steps[rollout.step + 1]?.percent ?? 100;
  return deps.judge(rollout.plan, evidence, next, stepSince);
}

/** What was seen, into the state: time that counts, the verdict, and who must be told that there is nothing to see. */
function observe({ book, deps }: Desk, { sight }: Evidence, judgement: Judgement): void {
  const run = book.active as Run;
  const now = deps.now();
  const blind = run.apiTrouble === "" ? sight.blind : [...sight.blind, run.apiTrouble];
  const newest = Math.max(sight.newestOld ?? 0, sight.newestNew ?? 0);
  const step = blind.length > 0 ? 0 : visibleStep(run.lookedAt, now, interval(run) ?? LOOK_MS);
  const dark = blind.length > 0 ? run.dark + 1 : 0;
  const told = dark >= DARK_LOOKS ? [held(run, "dark", `It waits: ${blind[0]}`)] : [];
  const rollout = { ...run.rollout, verdict: judgement.verdict };
  const quiet = newest > run.newest ? 0 : run.quiet + 1;
  const seen = {
    ...run,
    rollout,
    judgement,
    blind,
    dark,
    quiet,
    newest,
    visibleMs: run.visibleMs + step,
    lookedAt: now,
  };
  book.write(seen, now, [], told);
  mark(book, judgement, now);
}

/** What is known at this moment, for the charts. */
function mark(book: Book, judgement: Judgement | null, now: number): void {
  const { rollout } = book.run as Run;
  const size = bucketFor(rollout.startedAt, now);
  const difference = judgement?.gates.find(({ kind }) => kind === "errors")?.difference ?? null;
  book.mark(rollout.id, { t: now - (now % size), percent: rollout.percent, difference });
}

/** Now and then, and not before Cloudflare asks us to come again: is it still ours? */
async function lookAtLive(desk: Desk): Promise<void> {
  const { book, deps } = desk;
  const run = book.active as Run;
  const everyLooks = !run.rollout.isWatched ? LIVE_LOOKS : run.visibleMs < FRESH_WATCH_MS ? 1 : WATCHED_LIVE_LOOKS;
  if (run.liveIn > 0) {
    book.write({ ...run, liveIn: run.liveIn - 1 }, deps.now());
    return;
  }
  book.write({ ...run, liveIn: everyLooks - 1 }, deps.now());
  const client = await clientOf(desk);
  const deployments = client === null ? null : await readLive(desk, client);
  const now = book.active;
  // A command came meanwhile: it reads for itself.
  if (deployments === null || now === null || now.intent !== null) return;
  const live = whoseIsLive(now, deployments);
  if (live.who === "nobody")
    return apply(
      desk,
      ended(now, "stopped", deps.now(), GUARD, "The Worker has no deployment any more: nothing is left to guard."),
    );
  if (live.who === "ours") {
    const lost = overwritten(now, deployments);
    if (lost === undefined) return apply(desk, cameLate(now, live.deployment, deps.now()));
    apply(desk, replaced(now, live.deployment, lost, deps.now()));
    return act(desk);
  }
  if (live.who !== "somebody") return;
  const { rollout } = now;
  const { versions } = live.deployment;
  const percent = percentOf(versions, rollout.new.id);
  const goesOn = percent > 0 ? percent < 100 : rollout.percent === 0;
  if (rollout.mode === "advise" && isOurPair(rollout, versions) && goesOn)
    return apply(desk, followed(now, live.deployment, deps.now()));
  if (rollout.mode === "advise") book.see(live.deployment.id);
  apply(desk, somebodyActed(now, live.deployment, deps.now()));
}

/** The page still fills for a moment, and a deployment that was never confirmed may still appear. */
async function afterwards(desk: Desk): Promise<void> {
  const { book, deps } = desk;
  if (book.run?.intent !== null) return act(desk);
  if (book.run.aftercare === 0) return;
  await deps.feed.look(deps.now());
  const { run } = book;
  if (run === null || !isEnded(run) || run.intent !== null) return;
  const aftercare = run.aftercare - 1;
  book.write({ ...run, aftercare }, deps.now());
  nameLate(desk);
  mark(book, null, deps.now());
  if (run.hasLoose && aftercare % LIVE_LOOKS === 0) await catchLoose(desk);
  if (aftercare === 0 && book.run?.intent === null) keepPage(desk);
}

/** A verdict can be faster than its errors' way to an issue and its source: the record names the line all the same. */
function nameLate({ book, deps }: Desk): void {
  const run = book.run as Run;
  const evidence = deps.feed.evidence();
  const named = namesOf(evidence);
  if (run.rollout.state === "promoted" || named === run.named || named === "") return;
  const issues = evidence.issues.map(({ issue }) => issue);
  // What may be an old error in new clothes is told only where nothing is surely new.
  const sure = issues.filter(({ note }) => note === undefined);
  const what = (sure.length > 0 ? sure : issues)
    .map(({ title, frame }) => (frame === null ? title : `${title} (${frame})`))
    .join("; ");
  const text = `${sure.length > 0 ? "New" : "Perhaps new"} in ${versionText(run.rollout.new)}: ${what}.`;
  book.write({ ...run, named }, deps.now(), [{ kind: "notice", actor: GUARD, text, issues }]);
}

async function catchLoose(desk: Desk): Promise<void> {
  const { book, deps } = desk;
  const client = await clientOf(desk);
  const deployments = client === null ? null : await readLive(desk, client);
  const { run } = book;
  if (deployments === null || run === null || !isEnded(run) || run.intent !== null) return;
  const live = whoseIsLive(run, deployments);
  const { state } = run.rollout;
  if (live.who !== "ours") return;
  const lost = overwritten(run, deployments);
  if (lost !== undefined) {
    apply(desk, replaced(run, live.deployment, lost, deps.now()));
    return act(desk);
  }
  apply(desk, cameLate(run, live.deployment, deps.now()));
  if (percentOf(live.deployment.versions, run.rollout.new.id) === 0) return;
  if (state !== "rolled_back" && state !== "aborted" && state !== "failed") return;
  const late = book.run as Run;
  book.write(wantTakeBack(late, state, GUARD, "A step that came after the end is taken back."), deps.now());
  await act(desk);
}
