/**
 * Begins a rollout: preflight first, which is printed before anything is started,
 * then the start, then, if asked for, following it. `tailrace rollout start` and
 * `tailrace deploy --gradual` end here.
 */
import type { Preflight, PreflightFinding, Rollout, RolloutPlan, StartRollout } from "../../workers/api/contract.ts";
import { ApiFailure } from "../api/failures.ts";
import { EXIT } from "../failure.ts";
import type { Output } from "../output.ts";
import type { Follow } from "../rollout/arguments.ts";
import { isOver } from "../rollout/outcome.ts";
import { figure, lasted, versionText } from "../rollout/render/figures.ts";
import { type WatchSurroundings, watch } from "../rollout/watch.ts";
import { safeJson, safeLine } from "../safe-text.ts";

export interface Beginning {
  script: string;
  version: string;
  plan: NonNullable<StartRollout["plan"]>;
  force: boolean;
  isDryRun: boolean;
  follow: Follow;
}

const MINUTE_MS = 60_000;

/** @returns the exit code */
export async function begin(beginning: Beginning, surroundings: WatchSurroundings): Promise<number> {
  const { rollouts, output } = surroundings;
  const { script, plan, force, isDryRun, follow } = beginning;
  const asked: StartRollout = { script, version: beginning.version, plan, force };
  const preflight = await rollouts.preflight(asked);
  // A tag, or a part of the id, may have been given: from here on it is that one version.
  const version = preflight.new.id;
  if (isDryRun && follow.json) output.say(safeJson(preflight));
  else tell(preflight, output);
  const verdict = verdictOf(preflight, force);
  if (isDryRun) {
    output.note(verdict === "go" ? "A dry run: nothing was started." : NOTHING[verdict]);
    return verdict === "go" ? EXIT.ok : EXIT.refused;
  }
  const running = preflight.findings.some(({ code }) => code === "rollout_running");
  if (running) return joinOrRefuse({ script, version, follow }, surroundings);
  if (verdict !== "go") {
    output.error(NOTHING[verdict]);
    return EXIT.refused;
  }
  return started({ script, version, follow }, surroundings, { ...asked, version });
}

const NOTHING = {
  refused: "Nothing was started: what is refused above cannot be forced.",
  warned: "Nothing was started: read the warnings above; --force starts all the same.",
} as const;

function verdictOf({ findings, ok }: Preflight, force: boolean): "go" | "refused" | "warned" {
  if (findings.some(({ level }) => level === "refuse")) return "refused";
  const isWarned = findings.some(({ level }) => level === "warn");
  if (isWarned && !force) return "warned";
  return ok || isWarned ? "go" : "refused";
}

async function started(
  { script, version, follow }: Pick<Beginning, "script" | "version" | "follow">,
  surroundings: WatchSurroundings,
  request: StartRollout,
): Promise<number> {
  const { rollouts, output } = surroundings;
  let rollout: Rollout;
  try {
    rollout = await rollouts.start(request);
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    // Things may change between the two questions.
    if (error.code === "rollout_running") return joinOrRefuse({ script, version, follow }, surroundings);
    if (error.code !== "preflight_failed") throw error;
    tellFindings((error.details as Partial<Preflight> | undefined)?.findings ?? [], output);
    output.error(`Nothing was started: ${error.said}`);
    return EXIT.refused;
  }
  const name = safeLine(rollout.script);
  output.note(`Rollout ${safeLine(rollout.id)} of ${name} has begun: ${safeLine(rollout.reason)}`);
  return follow.watch ? watch(rollout, follow, surroundings) : left(rollout, follow, output);
}

/** One rollout at a time: of the same version it is the one that was wanted (a build that ran again), else it stands in the way. */
async function joinOrRefuse(
  { script, version, follow }: Pick<Beginning, "script" | "version" | "follow">,
  surroundings: WatchSurroundings,
): Promise<number> {
  const { rollouts, output } = surroundings;
  const [running] = (await rollouts.list({ script, state: "running", limit: 1 })).rollouts;
  if (running?.new.id !== version) {
    const which = running === undefined ? "" : `, of version ${versionText(running.new)} (${safeLine(running.id)})`;
    output.error(
      `Nothing was started: a rollout of ${safeLine(script)} runs already${which}. See it: tailrace rollout status ${safeLine(script)}; end it: tailrace rollout abort ${safeLine(script)}`,
    );
    return EXIT.refused;
  }
  output.note(
    `A rollout of this version runs already, with the plan that it was started with: ${safeLine(running.id)}.`,
  );
  return follow.watch ? watch(running, follow, surroundings) : left(running, follow, output);
}

/** Nobody watches it from here. */
function left(rollout: Rollout, follow: Follow, output: Output): number {
  const name = safeLine(rollout.script);
  output.say(follow.json ? safeJson(rollout) : safeLine(rollout.id));
  if (!isOver(rollout))
    output.note(
      `It goes on by itself. To see it: tailrace rollout status ${name} --watch. To take it back: tailrace rollout abort ${name}`,
    );
  return rollout.state === "failed" ? EXIT.failed : EXIT.ok;
}

function tell({ old, new: next, plan, findings }: Preflight, output: Output): void {
  output.note(`New version: ${versionText(next)}`);
  output.note(`Old version: ${versionText(old)}`);
  output.note(`Plan: ${planText(plan)}`);
  tellFindings(findings, output);
}

function tellFindings(findings: readonly PreflightFinding[], output: Output): void {
  const label = { refuse: "refused", warn: "warning", info: "note" } as const;
  for (const { level, message } of findings) output.note(`${label[level] ?? "note"}: ${safeLine(message)}`);
}

function planText({ steps, minSamples, stepLimitMinutes, mode }: RolloutPlan): string {
  const text = steps
    .map(
      ({ percent, soakMinutes }) =>
        `${figure(percent)} %${soakMinutes > 0 ? ` for ${lasted(soakMinutes * MINUTE_MS)}` : ""}`,
    )
    .join(", ");
  const limit = `a step without a verdict is taken back after ${lasted(stepLimitMinutes * MINUTE_MS)}`;
  const advises = mode === "advise" ? "; only advises" : "";
  return `${text}; ${figure(minSamples)} invocations of each version at least; ${limit}${advises}`;
}
