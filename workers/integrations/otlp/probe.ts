/**
 * The test of a destination: one log record and one span that say what they are,
 * over the very path that events take. A receiver that takes only one of the two
 * is fine, and told.
 */
import type { EventItem, Failure, Io, TestResult } from "../contract.ts";
import { withAdvice } from "../sending/advice.ts";
import type { Verdict } from "../sending/outcomes.ts";
import { testItem } from "../sending/test-item.ts";
import { encode, post, type Target } from "./exporter.ts";
import type { Signal } from "./records.ts";

export interface Words {
  /** `Honeycomb` */
  name: string;
  /** Where to look for what was sent. */
  look: string;
  /** What to do about a failure, in the service's own terms. */
  advice: Partial<Record<Failure["kind"], string>>;
}

export async function probe(target: Target, { name, look, advice }: Words, io: Io): Promise<TestResult> {
  const [logs, traces] = await Promise.all([probeSignal("logs", target, io), probeSignal("traces", target, io)]);
  const failed = [logs, traces].flatMap((verdict) => (verdict.fate === "delivered" ? [] : [verdict.failure]));
  if (failed.length === 0)
    return { ok: true, message: `${name} took a log record and a span. ${look}${rejections(logs, traces)}` };
  const worst = failed[0] as Failure;
  if (failed.length === 2 || worst.kind !== "misplaced") return { ok: false, failure: withAdvice(worst, advice) };
  const [taken, missing, feeds] =
    logs.fate === "delivered" ? ["a log record", "traces", "errors and logs"] : ["a span", "logs", "traces"];
  return {
    ok: true,
    message: `${name} took ${taken}, but nobody takes ${missing} there (status ${worst.status}): choose only ${feeds} in the rules. ${look}`,
  };
}

/** Taken with a word about what was thrown away: the test record is so plain that this tells of settings. */
function rejections(...verdicts: Verdict[]): string {
  for (const verdict of verdicts) {
    if (verdict.fate === "delivered" && verdict.rejected !== undefined)
      return ` But it threw one away: ${verdict.rejected.message}`;
  }
  return "";
}

async function probeSignal(signal: Signal, target: Target, io: Io): Promise<Verdict> {
  const item: EventItem = testItem(signal === "traces" ? "traces" : "logs", io.now());
  return post(target, signal, await encode(target, signal, [item], io), io);
}
