/** `tailrace rollout …`: one function per command. Results go to stdout, what is said about them to stderr. */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Rollout, RolloutAnswer } from "../../workers/api/contract.ts";
import { ApiFailure } from "../api/failures.ts";
import { EXIT, usageFailure } from "../failure.ts";
import type { RolloutRequest, Verb } from "../rollout/arguments.ts";
import { exitCodeOf, isOver, WORDS } from "../rollout/outcome.ts";
import { type AskedPlan, planOf } from "../rollout/plan.ts";
import type { Rollouts, Which } from "../rollout/platform.ts";
import { figure, lasted, versionText } from "../rollout/render/figures.ts";
import { statusLines } from "../rollout/render/status.ts";
import { type WatchSurroundings, watch } from "../rollout/watch.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import { coloured, plain } from "../tail/render/colour.ts";
import { begin } from "./rollout-start.ts";

export interface RolloutSurroundings extends WatchSurroundings {
  cwd: string;
}

/** A take-back that Cloudflare has not confirmed at once is waited for; `--for` with `--watch` waits longer. */
const TAKE_BACK_WAIT_MS = 120_000;
/** A line of a log has room for it. */
const PLAIN_COLUMNS = 400;

/** @returns the exit code */
export function rollout(request: RolloutRequest, surroundings: RolloutSurroundings): Promise<number> {
  switch (request.command) {
    case "rollout start":
      return start(request, surroundings);
    case "rollout status":
      return status(request, surroundings);
    case "rollout list":
      return list(request, surroundings);
    case "rollout steer":
      return steer(request, surroundings);
    case "rollout evidence":
      return evidence(request, surroundings);
  }
}

type Of<C extends RolloutRequest["command"]> = Extract<RolloutRequest, { command: C }>;

function start(request: Of<"rollout start">, surroundings: RolloutSurroundings): Promise<number> {
  const { worker, version } = request;
  return begin({ ...request, script: worker, version, plan: readPlan(request.plan, surroundings.cwd) }, surroundings);
}

/** What was asked for, with what the file says. */
export function readPlan(asked: AskedPlan, cwd: string): ReturnType<typeof planOf> {
  if (asked.file === undefined) return planOf(asked);
  let text: string;
  try {
    text = readFileSync(resolve(cwd, asked.file), "utf8");
  } catch (error) {
    throw usageFailure(
      `--plan ${asked.file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return planOf(asked, text);
}

async function status(request: Of<"rollout status">, surroundings: RolloutSurroundings): Promise<number> {
  const { rollouts, output } = surroundings;
  const { target, worker, follow } = request;
  const which = target === undefined ? await theOneThatRuns(worker, surroundings) : await rollouts.find(target, worker);
  if (which === undefined) return EXIT.ok;
  if (follow.watch) return watch(which, follow, surroundings);
  const answer = await rollouts.read(which);
  if (follow.json) output.say(safeJson(answer));
  else show(answer, follow, surroundings);
  return exitCodeOf(answer.rollout);
}

function show(answer: RolloutAnswer, follow: { colour?: boolean }, { output, streams, timers }: RolloutSurroundings) {
  const isTerminal = streams.out.isTTY === true;
  const paint = (follow.colour ?? isTerminal) ? coloured : plain;
  const columns = isTerminal ? (streams.out.columns ?? 80) : PLAIN_COLUMNS;
  for (const line of statusLines(answer, { paint, columns, now: timers.now() })) output.say(line);
}

/** Undefined when that cannot be said: then what there is has been printed. */
async function theOneThatRuns(
  worker: string | undefined,
  { rollouts, output }: RolloutSurroundings,
): Promise<Which | undefined> {
  const script = worker === undefined ? {} : { script: worker };
  const running = (await rollouts.list({ state: "running", ...script })).rollouts;
  const [first, second] = running;
  if (first !== undefined && second === undefined) return { id: first.id, script: first.script };
  if (first === undefined) output.note("No rollout runs. What there was: tailrace rollout list");
  else {
    output.note("Several rollouts run; name the Worker:");
    for (const one of running) output.say(rowOf(one));
  }
  return undefined;
}

async function list(request: Of<"rollout list">, { rollouts, output }: RolloutSurroundings): Promise<number> {
  const { worker, state, limit, json } = request;
  const answer = await rollouts.list({ script: worker, state, limit });
  if (json) output.say(safeJson(answer));
  else if (answer.rollouts.length === 0) output.note("There are no such rollouts.");
  else for (const one of answer.rollouts) output.say(rowOf(one));
  return EXIT.ok;
}

function rowOf(one: Rollout): string {
  const { id, script, state, percent, startedAt, endedAt, startedBy } = one;
  const at = new Date(startedAt).toISOString().slice(0, 16).replace("T", " ");
  const took = endedAt === null ? `at ${figure(percent)} %` : `after ${lasted(endedAt - startedAt)}`;
  const names = `${safeLine(script)}  ${versionText(one.new)}`;
  return `${at} UTC  ${WORDS[state].padEnd(10)}  ${took.padEnd(14)}  ${names}  by ${safeLine(startedBy)}  ${safeLine(id)}`;
}

async function steer(request: Of<"rollout steer">, surroundings: RolloutSurroundings): Promise<number> {
  const { rollouts, output } = surroundings;
  const { verb, target, worker, follow } = request;
  const which = await rollouts.find(target, worker);
  const done = await steered(which, request, rollouts);
  const known = { id: done.id, script: done.script };
  if (!follow.json || !follow.watch) output.say(follow.json ? safeJson(done) : saidOf(done));
  if (follow.watch) return watch(known, follow, surroundings);
  if (verb !== "abort" || isOver(done)) return EXIT.ok;
  output.note("Waiting for Cloudflare to confirm that all traffic is with the old version again.");
  const code = await watch(known, { ...follow, forMs: TAKE_BACK_WAIT_MS }, surroundings);
  return code === EXIT.stopped || code === EXIT.takenBack ? EXIT.ok : code;
}

/**
 * A command whose answer is lost is sent again, and must not do twice what it
 * says: a promotion names its step, and a "no" to what is so already is a "yes".
 */
async function steered(which: Which, request: Of<"rollout steer">, rollouts: Rollouts): Promise<Rollout> {
  const { verb, reason } = request;
  const percent = request.percent ?? (verb === "promote" ? await nextStep(which, rollouts) : undefined);
  const command = { ...(reason === undefined ? {} : { reason }), ...(percent === undefined ? {} : { percent }) };
  try {
    return await rollouts.command(which, verb, command);
  } catch (error) {
    if (!(error instanceof ApiFailure) || (error.status !== 400 && error.status !== 409)) throw error;
    const { rollout } = await rollouts.read(which);
    const isSo: Record<Verb, boolean> = {
      promote: rollout.percent === percent,
      pause: rollout.state === "paused",
      resume: rollout.state === "running",
      abort: rollout.state === "aborted" || rollout.state === "rolled_back",
    };
    if (!isSo[verb]) throw error;
    return rollout;
  }
}

/** Undefined at the last step: the platform says what is the matter. */
async function nextStep(which: Which, rollouts: Rollouts): Promise<number | undefined> {
  const { rollout } = await rollouts.read(which);
  return rollout.plan.steps[rollout.step + 1]?.percent;
}

const saidOf = ({ script, state, percent, reason }: Rollout) =>
  `${safeLine(script)}: ${WORDS[state]}, ${figure(percent)} % with the new version. ${safeLine(reason)}`;

async function evidence(request: Of<"rollout evidence">, surroundings: RolloutSurroundings): Promise<number> {
  const { rollouts, output, cwd } = surroundings;
  const { target, worker, file, json } = request;
  const which = await rollouts.find(target, worker);
  const text = json ? `${JSON.stringify(await rollouts.evidence(which), null, 2)}\n` : await rollouts.markdown(which);
  if (file !== undefined) {
    writeFileSync(resolve(cwd, file), text);
    output.note(`Written to ${file}.`);
    return EXIT.ok;
  }
  for (const line of text.trimEnd().split("\n")) output.say(safeLine(line));
  return EXIT.ok;
}
