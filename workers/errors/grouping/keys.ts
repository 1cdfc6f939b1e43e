/**
 * The algorithm that turns an occurrence into a key: what counts, and in which
 * order. `fingerprint.ts` hashes it. What an algorithm says of an error may never
 * change once it is released: a better one is a new entry in ALGORITHMS, and the
 * older one's keys go along as aliases, so that the past is not regrouped.
 */
import type { SourceFrame, SourceTrace } from "../trace.ts";
import { countedOf } from "./chain.ts";
import type { ErrorFacts } from "./facts.ts";
import { frameName, functionName } from "./names.ts";
import { messageTemplate } from "./template.ts";

export interface Algorithm {
  /** `v1-` is the prefix of its keys. */
  version: number;
  /** What an occurrence counts as; without script and kind, which `fingerprint.ts` adds. */
  parts(facts: ErrorFacts): string[];
}

/**
 * The team's own functions next to the throw that count. More would make new
 * issues of old errors whenever a middleware is added or V8 cuts a stack
 * elsewhere; fewer would put all callers of one helper into one issue.
 */
const COUNTED_FRAMES = 3;
/** Frames of packages that count where there are none of the team's. */
const COUNTED_LIBRARY_FRAMES = 1;
/** Parts of an AggregateError that count. */
const COUNTED_ERRORS = 4;

const V1: Algorithm = { version: 1, parts: partsV1 };

/** Newest first. */
export const ALGORITHMS: readonly Algorithm[] = [V1];

function partsV1(facts: ErrorFacts): string[] {
  const { kind, trace } = facts;
  if (kind === "death") return [facts.type];
  if (kind === "http") return [facts.method ?? "", facts.route ?? "", String(facts.status ?? "")];
  if (kind === "noise") return [facts.noise, facts.type, messageTemplate(facts.message)];
  if (kind === "message" || trace === null) return [facts.type, messageTemplate(facts.message)];
  return ofTrace(trace, facts);
}

function ofTrace(trace: SourceTrace, facts: ErrorFacts): string[] {
  const { error, frames } = countedOf(trace);
  const isOuter = error === trace;
  const type = (isOuter ? facts.type : error.type) || "Error";
  const message = (isOuter ? facts.message : error.message) || "";
  return [type, messageTemplate(message), ...ofErrors(error.errors), "frames", ...namesOf(frames)];
}

/** Of an AggregateError: which kinds of errors it holds, however many and in which order. */
function ofErrors(errors: readonly SourceTrace[]): string[] {
  const kinds = new Set<string>();
  for (const one of errors.slice(0, 4 * COUNTED_ERRORS)) {
    const { error } = countedOf(one);
    kinds.add(`${error.type ?? ""}: ${messageTemplate(error.message ?? "")}`);
  }
  return [...kinds].sort().slice(0, COUNTED_ERRORS);
}

/** Each function once, in order: recursion goes to any depth. */
function namesOf(frames: readonly SourceFrame[]): string[] {
  const names = new Set<string>();
  for (const frame of frames) {
    if (!frame.inApp) continue;
    names.add(frameName(frame));
    if (names.size === COUNTED_FRAMES) break;
  }
  if (names.size > 0) return [...names];
  for (const frame of frames) {
    // By function alone: packages move from folder to folder, and from file to file of a bundle.
    const name = functionName(frame.function);
    if (name !== "") names.add(name);
    if (names.size === COUNTED_LIBRARY_FRAMES) break;
  }
  return [...names];
}
