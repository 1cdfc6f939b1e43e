/** What a person tells a rollout to do. It is on disk, and in the record, before it is carried out. */
import type { RolloutCommand, RolloutState } from "../../api/contract.ts";
import type { GuardFailure, GuardResult, GuardRpc } from "../contract.ts";
import type { Line } from "./book.ts";
import { checkStep } from "./decide.ts";
import type { Desk } from "./desk.ts";
import { isEnded, type Run } from "./run.ts";
import { ended, wantStep, wantTakeBack, withReason } from "./transitions.ts";
import { percentText } from "./words.ts";

export type Verb = Parameters<GuardRpc["command"]>[1];
type Result = GuardResult<Run>;

const failure = (code: GuardFailure["code"], message: string): GuardFailure => ({ ok: false, code, message });

const HOW: Partial<Record<RolloutState, string>> = {
  promoted: "was promoted",
  rolled_back: "was taken back",
  aborted: "was aborted",
  stopped: "stopped",
  failed: "failed",
};

export async function command(
  desk: Desk,
  id: string,
  verb: Verb,
  { reason = "", percent }: RolloutCommand,
  actor: string,
): Promise<Result> {
  const run = desk.book.find(id);
  if (run === null) return failure("not_found", `There is no rollout ${id} of ${desk.script}.`);
  if (isEnded(run))
    return failure("ended", `This rollout ${HOW[run.rollout.state] ?? "has ended"}: ${run.rollout.reason}`);
  const said = reason === "" ? "" : ` ${reason}`;
  if (verb === "abort") return abort(desk, run, actor, said);
  if (run.intent?.kind === "take_back") return failure("ended", "This rollout is being taken back.");
  if (verb === "promote") return promote(desk, run, percent, actor, said);
  return hold(desk, run, verb, actor, said);
}

/** Takes back now, whether or not anything can be seen. What is being taken back already is not taken back twice. */
function abort({ book, deps }: Desk, run: Run, actor: string, said: string): Result {
  const { rollout, intent } = run;
  const now = deps.now();
  const line: Line = { kind: "command", actor, text: `Abort.${said}` };
  if (rollout.mode === "advise") {
    const {
      run: over,
      lines,
      told,
    } = ended(run, "aborted", now, actor, `${actor} ended the watching; the split is left as it is.${said}`);
    book.see(run.expected);
    return { ok: true, value: book.write(over, now, [line, ...lines], told) };
  }
  if (intent?.kind === "take_back")
    return { ok: true, value: book.write({ ...run, intent: { ...intent, wait: 0 } }, now, [line]) };
  return {
    ok: true,
    value: book.write(wantTakeBack(run, "aborted", actor, `${actor} took it back.${said}`), now, [line]),
  };
}

function hold({ book, deps }: Desk, run: Run, verb: "pause" | "resume", actor: string, said: string): Result {
  const { state, percent } = run.rollout;
  // What was not asked of Cloudflare yet is not asked any more.
  const isOnItsWay = run.intent !== null && run.intent.unsure !== null;
  const idle = verb === "pause" && !isOnItsWay ? { ...run, intent: null } : run;
  if (state === "starting") return failure("bad_request", "It is only beginning: try again in a moment, or abort it.");
  const wanted = verb === "pause" ? "paused" : "running";
  if (state === wanted) return { ok: true, value: run };
  const now = deps.now();
  const text =
    verb === "pause"
      ? `Paused at ${percentText(percent)}. ${isOnItsWay ? "A step that is on its way is still made. " : ""}What is worse is still taken back.`
      : `Goes on at ${percentText(percent)}.`;
  const next = withReason({ ...idle, rollout: { ...run.rollout, state: wanted, changedAt: now } }, `${text}${said}`);
  return { ok: true, value: book.write(next, now, [{ kind: "command", actor, text: `${text}${said}` }]) };
}

/** Without waiting for a verdict, but not past preflight: a step that cannot be taken back is nobody's wish. */
async function promote(
  desk: Desk,
  run: Run,
  percent: number | undefined,
  actor: string,
  said: string,
): Promise<Result> {
  const { book, deps } = desk;
  const { rollout } = run;
  const { steps } = rollout.plan;
  if (rollout.mode === "advise")
    return failure("bad_request", "This split is somebody else's and only watched: deploy it with your own tools.");
  if (run.intent !== null)
    return failure("bad_request", `A step is being taken (${run.intent.reason}): try again in a moment.`);
  const step = percent === undefined ? rollout.step + 1 : steps.findIndex((s) => s.percent === percent);
  const wanted = steps[step];
  if (wanted === undefined || wanted.percent <= rollout.percent) {
    const above = steps.map((s) => s.percent).filter((p) => p > rollout.percent);
    return failure(
      "bad_request",
      `It can go on to ${above.map(percentText).join(", ")}: a step of the plan above ${percentText(rollout.percent)}.`,
    );
  }
  const refusal = await checkStep(desk);
  const now = book.active;
  if (now === null || now.rollout.id !== rollout.id) return failure("ended", "This rollout ended meanwhile.");
  if (now.intent !== null || now.rollout.step !== rollout.step || now.rollout.percent !== rollout.percent)
    return failure("bad_request", "Something else was decided meanwhile: look again.");
  if (refusal !== null) return failure("cloudflare", refusal);
  const verdict = { worse: "against the verdict", not_worse: "not worse so far", unknown: "without a verdict" }[
    now.rollout.verdict
  ];
  const text = `${actor} goes on to ${percentText(wanted.percent)}, ${verdict}.${said}`;
  return {
    ok: true,
    value: book.write(wantStep(now, step, actor, text), deps.now(), [{ kind: "command", actor, text }]),
  };
}
