/**
 * The stack of one occurrence, or of what stands for a version, led back to the
 * source when somebody looks at it: a source map that came late shows at once,
 * whatever has been regrouped since. The raw text is the event's, or the
 * exemplar's where events are gone already.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { fingerprints, fingerprintVersions, issues } from "../../db/schema.ts";
import type { Exemplar } from "../../errors/delta.ts";
import { hasMaps, MapStore } from "../../errors/maps/lookup.ts";
import { uploadCommand } from "../../errors/maps/upload-command.ts";
import { parseStack } from "../../errors/stack/parse.ts";
import { type MapState, symbolicate } from "../../errors/symbolicate/symbolicate.ts";
import type { SourceFrame, SourceTrace } from "../../errors/trace.ts";
import { readInvocation } from "../../query/index.ts";
import type { EventJson, StackAnswer, StackFrame, StackTrace, VersionName } from "../contract.ts";
import { type Failure, fail } from "../errors.ts";
import { queryFailure } from "../query-failure.ts";

/** Exemplars among which one with a stack is looked for, the latest first. */
const MAX_EXEMPLARS = 20;

export interface RawStack {
  script: string;
  version: VersionName;
  raw: string;
  type: string | undefined;
  message: string | undefined;
}

export interface StackQuestion {
  /** The exemplar of this version; the latest when absent. */
  version?: string | undefined;
  /** This occurrence. */
  invocation?: string | undefined;
  seq?: number | undefined;
}

type Found = { ok: true; stack: RawStack } | { ok: false; failure: Failure };
type Options = { now: number; signal: AbortSignal };
const refuse = (failure: Failure): Found => ({ ok: false, failure });

export async function findStack(env: Env, id: number, question: StackQuestion, options: Options): Promise<Found> {
  if (question.invocation === undefined) return exemplarOf(env, id, question.version, options);
  const found = await readInvocation(env, question.invocation, {}, options);
  if (!found.ok) return refuse(queryFailure(found.error));
  const ofIssue = found.answer.events.filter((event) => event.issue === id);
  const event = question.seq === undefined ? ofIssue[0] : ofIssue.find((e) => e.seq === question.seq);
  if (event !== undefined) return { ok: true, stack: stackOf(event) };
  return refuse(
    fail("not_found", `This invocation has no such event of issue ${id}. It may be older than the retention.`),
  );
}

interface ExemplarRow {
  id: string;
  tag: string;
  message: string;
  exemplar: string;
}

async function exemplarOf(env: Env, id: number, version: string | undefined, options: Options): Promise<Found> {
  const only = version === undefined ? sql`TRUE` : sql`fv.version_id = ${version}`;
  const [[issue], rows] = await runBatch<[{ script: string }, ExemplarRow]>(env.DB, [
    sql`SELECT script FROM ${issues} WHERE id = ${id}`,
    sql`SELECT fv.version_id AS id, fv.version_tag AS tag, fv.version_message AS message, fv.exemplar
      FROM ${fingerprints} AS f JOIN ${fingerprintVersions} AS fv ON fv.fingerprint = f.fingerprint
      WHERE f.issue_id = ${id} AND ${only} ORDER BY fv.last_seen DESC LIMIT ${MAX_EXEMPLARS}`,
  ]);
  if (issue === undefined) return refuse(fail("not_found", `There is no issue ${id}.`));
  const exemplars = rows.map(({ exemplar, ...name }) => ({ ...name, exemplar: JSON.parse(exemplar) as Exemplar }));
  const best = exemplars.find((e) => e.exemplar.stack !== undefined) ?? exemplars[0];
  if (best === undefined)
    return refuse(
      fail("not_found", `Issue ${id} has no occurrence${version === undefined ? "" : " in this version"}.`),
    );
  const { exemplar, ...name } = best;
  const { stack, type, message, invocationId, seq, time } = exemplar;
  if (stack !== undefined)
    return { ok: true, stack: { script: issue.script, version: name, raw: stack, type, message } };
  // The row was made without the text; the event itself has it.
  const found = await readInvocation(env, invocationId, { around: time }, options);
  const event = found.ok ? found.answer.events.find((e) => e.seq === seq) : undefined;
  if (event !== undefined) return { ok: true, stack: stackOf(event) };
  return { ok: true, stack: { script: issue.script, version: name, raw: "", type, message } };
}

function stackOf(event: EventJson): RawStack {
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  const { attributes } = event;
  // A logged Error's own words are beside what the console call said.
  const ofLog = event.kind === "log";
  return {
    script: event.script,
    version: {
      id: text(event.version_id) ?? "",
      tag: text(event.version_tag) ?? "",
      message: text(event.version_message) ?? "",
    },
    raw: text(event.stack) ?? "",
    type: text(ofLog ? attributes["error.type"] : event.name),
    message: text(ofLog ? attributes["error.message"] : undefined) ?? text(event.message),
  };
}

/** Never fails: where no map helps, frames stay as they were printed, and the hint says what would. */
export async function showStack(env: Env, stack: RawStack): Promise<StackAnswer> {
  const { script, version, raw, type, message } = stack;
  const known = { ...(type === undefined ? {} : { type }), ...(message === undefined ? {} : { message }) };
  const parsed = parseStack(raw === "" ? undefined : raw, known);
  const where = { script, version: version.id };
  const { trace, state } = await symbolicate(parsed, where, new MapStore(env), { context: true });
  const others = state === "missing" && version.id !== "" && (await hasMaps(env, script, [version.id])).size > 0;
  return { version, trace: traceOf(trace), raw, sourceMap: state, ...hintOf(state, stack, others) };
}

function traceOf({ type, message, frames, omitted, cause, errors }: SourceTrace): StackTrace {
  return {
    ...{ type, message, omitted },
    frames: frames.map(frameOf),
    cause: cause === null ? null : traceOf(cause),
    errors: errors.map(traceOf),
  };
}

function frameOf({ raw, inApp, mapped, context, ...place }: SourceFrame): StackFrame {
  return {
    ...{ function: place.function, file: place.file, line: place.line, column: place.column, inApp, mapped },
    ...{ isAsync: raw.isAsync, isConstructor: raw.isConstructor },
    raw: { function: raw.function, file: raw.file, line: raw.line, column: raw.column },
    ...(context === undefined ? {} : { context }),
  };
}

/** What to do about it, in plain words, and the command for it. `others`: the version has maps, of files that the stack does not name. */
export function hintOf(
  state: MapState,
  { script, version, raw }: Pick<RawStack, "script" | "version" | "raw">,
  others = false,
): Pick<StackAnswer, "hint" | "command"> {
  const hint = wordsOf(state, version.id !== "", raw !== "", others);
  const helps = version.id !== "" && (state === "partly" || state === "missing");
  return { hint, command: helps ? uploadCommand(script, version.id) : "" };
}

function wordsOf(state: MapState, hasVersion: boolean, hasStack: boolean, others: boolean): string {
  switch (state) {
    case "mapped":
      return "";
    case "none":
      return hasStack ? "" : "It came without a stack: there are no lines to show.";
    case "partly":
      return "Some frames are of files that have no source map in this version, or not in its map. Their maps can be added.";
    case "missing":
      if (others)
        return "The source maps of this version are of other files than those that the stack names: upload the directory that was deployed, so that files are called in it as in the stack.";
      return hasVersion
        ? "There is no source map of this version. Upload it, and the source shows here."
        : "The event does not say which version of the Worker it is of, so no source map can be chosen for it.";
    case "failed":
      return "The source map of this version cannot be read at the moment, so the lines are those of the bundle. Try again.";
  }
}
