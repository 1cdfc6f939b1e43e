/**
 * Carries out what is wanted (`Run.intent`), whatever Cloudflare answers.
 *
 *   wanted, on disk ─▶ read what is live ─▶ ours already: done
 *                                        ─▶ somebody else's: stop
 *                                        ─▶ as expected: "asked" on disk ─▶ post ─▶ read again, whatever the answer
 *
 * No answer is believed, neither a failure nor a success: only what Cloudflare
 * lists as live. The object may be lost between any two arrows; the next look
 * begins at the left with what is on disk. What was asked for without a clear no
 * is looked up several times before it counts as not made. A take-back is then
 * tried again until it works; a step of the guard is dropped, to be decided anew
 * by the evidence of that moment.
 */
import type { RolloutEvent } from "../../api/contract.ts";
import type { ApiFailure, ApiResult, CloudflareClient, Deployment, DeployRequest } from "../../cloudflare/contract.ts";
import { rootMessage } from "../../util/error-message.ts";
import type { Line } from "./book.ts";
import type { Desk } from "./desk.ts";
import { MAX_ANSWERS, MISSING_READS, REFUSED_LOOKS, SETTLE_LOOKS, START_TRIES, TOLD_TRIES } from "./limits.ts";
import { deploymentMessage, overwritten, whoseIsLive } from "./live.ts";
import { backOff } from "./retry.ts";
import { type Intent, isSameSplit, type Run } from "./run.ts";
import { type Change, dropIntent, ended, held, reached, replaced, somebodyActed, withReason } from "./transitions.ts";
import { failureText, GUARD, NOT_CONNECTED, percentText, splitText } from "./words.ts";

/** Cloudflare said no, and did nothing. All else may have been done. */
const CLEAR_NO = ["unauthorized", "refused", "not_found", "rate_limited"];
/** Trying again changes nothing. */
const FINAL_NO = ["refused", "not_found"];

type Request = NonNullable<RolloutEvent["request"]>;
type Answer = NonNullable<RolloutEvent["answer"]>;

/** One step further towards what is wanted. Never throws for what Cloudflare does. */
export async function act(desk: Desk): Promise<void> {
  const intent = desk.book.run?.intent ?? null;
  if (intent === null) return;
  if (intent.wait > 0) return patch(desk, { wait: intent.wait - 1 });
  const client = await clientOf(desk);
  if (!isWanted(desk, intent) || client === null) return;
  const deployments = await readLive(desk, client);
  if (deployments === null || !isWanted(desk, intent)) return;
  if (settle(desk, deployments) === "post") await post(desk, client);
  // What ours replaced is put back at once.
  const next = desk.book.run?.intent;
  if (next?.kind === "take_back" && next.seq !== intent.seq && next.posts === 0) await act(desk);
}

/** Null, and the reason is noted, when there is no account, or D1 could not say. */
export async function clientOf(desk: Desk): Promise<CloudflareClient | null> {
  try {
    const client = await desk.deps.cloudflare();
    if (client === null) trouble(desk, NOT_CONNECTED, null);
    return client;
  } catch (error) {
    trouble(desk, `The account's credentials could not be read: ${rootMessage(error)}`, null);
    return null;
  }
}

/** Newest first; null, and it is noted, when Cloudflare does not say. */
export async function readLive(desk: Desk, client: CloudflareClient): Promise<Deployment[] | null> {
  const { book, deps, script } = desk;
  const answer = await client.deployments(script);
  const { run } = book;
  if (run === null) return null;
  if (answer.ok) {
    if (run.apiTrouble !== "" || run.missing > 0) book.write({ ...run, apiTrouble: "", missing: 0 }, deps.now());
    return answer.value;
  }
  const missing = answer.kind === "not_found" ? run.missing + 1 : 0;
  if (missing >= MISSING_READS) {
    apply(
      desk,
      ended(
        run,
        "stopped",
        deps.now(),
        GUARD,
        `Cloudflare has no Worker ${script} any more: nothing is left to guard, and nothing was touched.`,
      ),
    );
    return null;
  }
  book.write({ ...run, missing }, deps.now());
  trouble(desk, failureText(answer), answer);
  return null;
}

/** What the live deployment means for what is wanted. `post`: it is still to be made. */
function settle(desk: Desk, deployments: readonly Deployment[]): "post" | "done" {
  const { book, deps } = desk;
  const { run, intent } = wantedOf(desk);
  const live = whoseIsLive(run, deployments);
  if (live.who === "nobody") {
    apply(
      desk,
      ended(run, "stopped", deps.now(), GUARD, "The Worker has no deployment any more: nothing is left to guard."),
    );
    return "done";
  }
  if (live.who === "somebody") {
    apply(desk, somebodyActed(run, live.deployment, deps.now()));
    return "done";
  }
  const lost = live.who === "ours" ? overwritten(run, deployments) : undefined;
  if (live.who !== "stale" && lost !== undefined) {
    apply(desk, replaced(run, live.deployment, lost, deps.now()));
    return "done";
  }
  if (live.who !== "stale" && isSameSplit(live.deployment.versions, intent.versions)) {
    apply(desk, reached(run, intent, live.deployment, deps.now()));
    return "done";
  }
  if (live.who === "ours")
    book.write({ ...run, expected: live.deployment.id, past: [...run.past, run.expected] }, deps.now());
  if (intent.unsure !== null) {
    if (intent.unsure + 1 < SETTLE_LOOKS) patch(desk, { unsure: intent.unsure + 1 });
    else notMade(desk, "Cloudflare did not make it.", null);
    return "done";
  }
  if (live.who === "stale") {
    trouble(desk, "Cloudflare shows a deployment that was replaced already.", null);
    return "done";
  }
  return "post";
}

async function post(desk: Desk, client: CloudflareClient): Promise<void> {
  const { book, deps, script } = desk;
  const { run, intent } = wantedOf(desk);
  if (intent.kind === "step" && intent.actor === GUARD && run.rollout.state === "paused") {
    book.write(withReason(dropIntent(run, 0, ""), "Paused."), deps.now());
    return;
  }
  patch(desk, { posts: intent.posts + 1, unsure: 0 });
  const request = requestOf(run, intent);
  const answer = await client.deploy(script, request);
  note(desk, intent, { request: { versions: request.versions, expected: run.expected }, answer: answerOf(answer) });
  if (!isWanted(desk, intent)) return;
  const isClear = !answer.ok && CLEAR_NO.includes(answer.kind);
  if (isClear) patch(desk, { unsure: null });
  const deployments = await readLive(desk, client);
  if (!isWanted(desk, intent)) return;
  if (deployments !== null && settle(desk, deployments) === "done") return;
  // Still to be made, or nobody knows: a clear no is believed then.
  if (isClear) await refused(desk, client, answer);
}

async function refused(desk: Desk, client: CloudflareClient, failure: ApiFailure): Promise<void> {
  const { book, deps, script } = desk;
  const { intent } = wantedOf(desk);
  if (!FINAL_NO.includes(failure.kind)) return notMade(desk, failureText(failure), failure);
  if (intent.kind === "take_back") {
    const versions = await client.versions(script);
    if (!isWanted(desk, intent)) return;
    const { run } = wantedOf(desk);
    if (versions.ok && !versions.value.some(({ id }) => id === run.rollout.old.id)) {
      const text = `The old version cannot come back: Cloudflare can deploy only the newest 100, and it is not among them any more. ${failureText(failure)} Upload its code again and deploy it by hand.`;
      apply(desk, ended(run, "failed", deps.now(), GUARD, text));
      return;
    }
    return notMade(desk, failureText(failure), failure);
  }
  const { run } = wantedOf(desk);
  if (run.rollout.state === "starting")
    apply(desk, ended(run, "failed", deps.now(), GUARD, `It could not begin. ${failureText(failure)}`));
  else
    book.write(
      withReason(dropIntent(run, REFUSED_LOOKS, failureText(failure)), failureText(failure)),
      deps.now(),
      [],
      [held(run, "refused", failureText(failure))],
    );
}

/** Certain by now, as far as one can be: it is tried again, or decided again. */
function notMade(desk: Desk, why: string, failure: ApiFailure | null): void {
  const { book, deps } = desk;
  const { run, intent } = wantedOf(desk);
  const failures = intent.failures + 1;
  const hasLoose = run.hasLoose || intent.unsure !== null;
  const wait = backOff(failures, failure?.retryAfterMs ?? null, deps.random());
  const what = `${intent.kind === "take_back" ? "Taking back" : `Going to ${percentText(intent.versions.at(-1)?.percent ?? 0)}`} is not done`;
  const text = `${what}: ${why}`;
  if (intent.kind === "take_back") {
    const told = failures >= TOLD_TRIES ? [held(run, "take_back", `It cannot be taken back yet: ${why}`)] : [];
    const next = { ...run, hasLoose, intent: { ...intent, unsure: null, failures, wait, trouble: why } };
    book.write(withReason(next, `${text} It is tried again.`), deps.now(), [], told);
  } else if (run.rollout.state === "starting" && failures >= START_TRIES) {
    apply(desk, ended({ ...run, hasLoose }, "failed", deps.now(), GUARD, `It could not begin. ${why}`));
  } else if (run.rollout.state === "starting" || (intent.actor !== GUARD && failures < START_TRIES)) {
    const next = { ...run, hasLoose, intent: { ...intent, unsure: null, failures, wait, trouble: why } };
    book.write(withReason(next, `${text} It is tried again.`), deps.now());
  } else {
    const line: Line = { kind: "notice", actor: GUARD, text: `${text} Whether to go on is decided anew.` };
    const stepFailures = run.stepFailures + 1;
    const later = backOff(stepFailures, failure?.retryAfterMs ?? null, deps.random());
    const next = withReason({ ...dropIntent(run, later, why), stepFailures }, line.text);
    book.write(next, deps.now(), stepFailures > MAX_ANSWERS ? [] : [line]);
  }
}

/** Cloudflare cannot be read: what is wanted waits, what is live is unknown. */
function trouble({ book, deps }: Desk, text: string, failure: ApiFailure | null): void {
  const { run } = book;
  if (run === null) return;
  const { intent } = run;
  if (intent === null) {
    const liveIn = Math.max(run.liveIn, backOff(1, failure?.retryAfterMs ?? null, deps.random()));
    book.write({ ...run, apiTrouble: text, liveIn }, deps.now());
    return;
  }
  const failures = intent.failures + 1;
  if (run.rollout.state === "starting" && failures >= START_TRIES && intent.posts === 0) {
    apply({ book, deps }, ended(run, "failed", deps.now(), GUARD, `It could not begin. ${text}`));
    return;
  }
  if (intent.kind === "step" && intent.actor === GUARD && intent.unsure === null) {
    // What the evidence said is of its time: it is asked anew when Cloudflare is back.
    const wait = backOff(1, failure?.retryAfterMs ?? null, deps.random());
    book.write(
      withReason({ ...dropIntent(run, wait, text), apiTrouble: text }, `The next step waits: ${text}`),
      deps.now(),
    );
    return;
  }
  const wait = backOff(failures, failure?.retryAfterMs ?? null, deps.random());
  const next = { ...run, apiTrouble: text, intent: { ...intent, failures, wait, trouble: text } };
  const told =
    intent.kind === "take_back" && failures >= TOLD_TRIES
      ? [held(run, "take_back", `It cannot be taken back yet: ${text}`)]
      : [];
  book.write(withReason(next, `${intent.reason} It waits: ${text}`), deps.now(), [], told);
}

function requestOf({ rollout }: Run, { seq, kind, versions }: Intent): DeployRequest {
  const isBack = kind === "take_back";
  const message = deploymentMessage(rollout.id, seq, isBack ? "taken back" : splitText(versions));
  // A step may wait for what is under way. What is bad may not, whatever secret has changed since.
  return { versions, message, ...(isBack ? { mode: "immediate", force: true } : { mode: "deferred" }) };
}

/** What Cloudflare was asked, and what it said, into the record; a few times for one intent. */
function note(desk: Desk, intent: Intent, { request, answer }: { request: Request; answer: Answer }): void {
  const { book, deps } = desk;
  if (book.run === null || intent.posts >= MAX_ANSWERS) return;
  if (intent.kind === "step" && book.run.stepFailures >= MAX_ANSWERS) return;
  const said = answer.ok ? "said yes" : `said no (${answer.message ?? answer.status})`;
  const text = `Cloudflare was asked for ${splitText(request.versions)} and ${said}.`;
  book.write(book.run, deps.now(), [{ kind: "action", actor: intent.actor, text, request, answer }]);
}

function answerOf(answer: ApiResult<Deployment>): Answer {
  if (answer.ok) return { ok: true, status: 200, deployment: answer.value.id, attempts: answer.attempts };
  return { ok: false, status: answer.status, message: failureText(answer), attempts: answer.attempts };
}

export function apply({ book, deps }: Pick<Desk, "book" | "deps">, { run, lines, told }: Change): void {
  const now = deps.now();
  const isSplit = book.run !== null && book.run.rollout.percent !== run.rollout.percent;
  // What came before and what comes after are not alike.
  const next = isSplit ? { ...run, stepSince: deps.feed.splitChanged(now) } : run;
  book.write(next, now, lines, told);
}

function patch({ book, deps }: Desk, some: Partial<Intent>): void {
  const { run } = book;
  if (run === null || run.intent === null) return;
  book.write({ ...run, intent: { ...run.intent, ...some } }, deps.now());
}

/** A command may have come while Cloudflare was asked. */
const isWanted = ({ book }: Desk, { seq }: Intent): boolean => book.run?.intent?.seq === seq;

function wantedOf({ book }: Desk): { run: Run; intent: Intent } {
  const { run } = book;
  if (run === null || run.intent === null) throw new Error("BUG: nothing is wanted");
  return { run, intent: run.intent };
}
