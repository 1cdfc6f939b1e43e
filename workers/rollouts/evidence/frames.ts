/**
 * The line that an issue is about: the top frame of the team's own code in the
 * newest stack that the version left, led to its source where there is a map.
 */
import { sql } from "drizzle-orm";
import type { NewIssue } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { fingerprints, fingerprintVersions } from "../../db/schema.ts";
import { MapStore } from "../../errors/maps/lookup.ts";
import { parseStack } from "../../errors/stack/parse.ts";
import { symbolicate } from "../../errors/symbolicate/symbolicate.ts";
import { readInvocation } from "../../query/index.ts";
import { MAX_STACKS } from "./limits.ts";

export type Frame = Pick<NewIssue, "frame" | "isMapped">;

/** What is read of an Exemplar (errors/delta.ts). */
interface Exemplar {
  invocationId: string;
  seq: number;
  time: number;
  type: string;
  message: string;
  stack?: string;
}
type Trace = Awaited<ReturnType<typeof symbolicate>>["trace"];

export async function topFrame(env: Env, script: string, version: string, issue: number, now: number): Promise<Frame> {
  const [rows] = await runBatch<[{ exemplar: string }]>(env.DB, [
    sql`SELECT fv.exemplar FROM ${fingerprints} AS f JOIN ${fingerprintVersions} AS fv ON fv.fingerprint = f.fingerprint
      WHERE f.issue_id = ${issue} AND fv.version_id = ${version} ORDER BY fv.last_seen DESC LIMIT ${MAX_STACKS}`,
  ]);
  const exemplars = rows.map(({ exemplar }) => JSON.parse(exemplar) as Exemplar);
  const best = exemplars.find(({ stack }) => stack !== undefined) ?? exemplars[0];
  if (best === undefined) return { frame: null, isMapped: false };
  const { type, message } = best;
  const parsed = parseStack(best.stack ?? (await stackOfEvent(env, best, now)), { type, message });
  const { trace } = await symbolicate(parsed, { script, version }, new MapStore(env), { context: false });
  return frameOf(trace);
}

/** The exemplar was made without its text; the event itself has it. */
async function stackOfEvent(env: Env, { invocationId, seq, time }: Exemplar, now: number): Promise<string | undefined> {
  const found = await readInvocation(env, invocationId, { around: time }, { now });
  const stack = found.ok ? found.answer.events.find((event) => event.seq === seq)?.stack : undefined;
  return typeof stack === "string" && stack !== "" ? stack : undefined;
}

/** Of the error itself, else of what caused it. */
function frameOf(trace: Trace): Frame {
  for (let one: Trace | null = trace; one !== null; one = one.cause) {
    const own = one.frames.find((f) => f.inApp && f.mapped) ?? one.frames.find((f) => f.inApp && f.line !== null);
    if (own === undefined) continue;
    const place = [own.file, own.line, own.column].filter((part) => part !== null).join(":");
    return { frame: own.function === null ? place : `${place} in ${own.function}`, isMapped: own.mapped };
  }
  return { frame: null, isMapped: false };
}
