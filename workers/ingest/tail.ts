/**
 * The tail handler: `workers/index.ts` hands in what the runtime calls `tail()`
 * with, one call per finished invocation of an observed Worker. Resolves when
 * the events are durable, so that the runtime keeps the isolate that long.
 * Never throws: telemetry that cannot be read is telemetry too.
 */

import { collectorOf } from "./collector.ts";
import { Intake } from "./intake.ts";
import { scriptName } from "./normalize/item.ts";
import type { ItemDefaults } from "./normalize/normalize.ts";
import { loadPolicy } from "./settings-cache.ts";

/**
 * Props that a tail consumer may be given where the runtime leaves a trace item
 * without a script name, version and times: `tails: [{ name, props }]` in
 * Miniflare. In production the items carry all of that, and there are no props.
 */
export type TailProps = ItemDefaults;

/** Own items refused by this isolate: said once. */
let refusals = 0;

export async function handleTail(
  items: readonly unknown[],
  env: Env,
  ctx: Pick<ExecutionContext, "waitUntil">,
  props: TailProps = {},
): Promise<void> {
  // Before anything is awaited: locally, the wall time is what has passed until now.
  const nowMs = Date.now();
  try {
    const others = items.filter((item) => !isOwn(item, env, props));
    if (others.length === 0) return;
    const policy = await loadPolicy(env, ctx);
    const gate = { nowMs, binding: env.WORKER_LIMIT, waitUntil: (work: Promise<unknown>) => ctx.waitUntil(work) };
    const intake = new Intake(collectorOf(env), policy, gate, props);
    for (const item of others) takeItem(intake, item);
    const settled = intake.settled();
    ctx.waitUntil(settled);
    await settled;
  } catch (error) {
    console.error("BUG: the tail handler failed", error);
  }
}

/** Getters of a native item may throw; then what is left of it is kept raw. */
function takeItem(intake: Intake, item: unknown): void {
  let problem: string | undefined;
  try {
    problem = intake.take(item);
  } catch (error) {
    problem = String(error);
  }
  if (problem !== undefined) intake.takeRaw(item, problem);
}

/** Tailrace does not observe itself: each event would make another one. */
function isOwn(item: unknown, env: Pick<Env, "TAILRACE_SCRIPT">, props: TailProps): boolean {
  const script = nameOf(item) ?? props.script;
  if (script === undefined || script !== env.TAILRACE_SCRIPT) return false;
  if (refusals++ === 0) {
    console.warn(`${script} is its own tail consumer: remove it from tail_consumers. Its events are not kept.`);
  }
  return true;
}

function nameOf(item: unknown): string | undefined {
  try {
    return scriptName((item as { scriptName?: unknown } | null | undefined)?.scriptName);
  } catch {
    return undefined;
  }
}
