/**
 * The algorithm that turns an occurrence into a key: what counts, and in which
 * order. `fingerprint.ts` hashes it. What an algorithm says of an error may never
 * change once it is released: a better one is a new entry in ALGORITHMS, and the
 * older one's keys go along as aliases, so that the past is not regrouped.
 */
import type { SourceFrame, SourceTrace } from "../trace.ts";
import { countedOf } from "./chain.ts";
import type { ErrorFacts } from "./facts.ts";
import { frameName, functionName, typeName } from "./names.ts";
import { messageTemplate } from "./template.ts";

export interface Algorithm {
  /** `v1-` is the prefix of its keys. */
  version: number;
  /** What an occurrence counts as; without script and kind, which `fingerprint.ts` adds. */
  parts(facts: ErrorFacts): string[];
}

/**
 * The team's own functions next to the throw that count: the one that threw, and
 * who called it. More would make new issues of old errors whenever a middleware is
 * added or V8 cuts a stack elsewhere; fewer would put all callers of a helper into
 * one issue. Measured: docs/decisions/0017-what-a-fingerprint-is-of.md
 */
const COUNTED_FRAMES = 2;
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
  if (kind === "message" || trace === null) return [typeName(facts.type), messageTemplate(facts.message)];
  return ofTrace(trace, facts);
}

function ofTrace(trace: SourceTrace, facts: ErrorFacts): string[] {
  const { error, frames } = countedOf(trace);
  const isOuter = error === trace;
  const type = typeName((isOuter ? facts.type : error.type) ?? "");
  const message = (isOuter ? facts.message : error.message) || "";
  return [type, messageTemplate(message), ...ofErrors(error.errors), "frames", ...namesOf(frames)];
}

/** Of an AggregateError: which kinds of errors it holds, however many and in which order. */
function ofErrors(errors: readonly SourceTrace[]): string[] {
  const kinds = new Set<string>();
  for (const one of errors.slice(0, 4 * COUNTED_ERRORS)) {
    const { error } = countedOf(one);
    kinds.add(`${typeName(error.type ?? "")}: ${messageTemplate(error.message ?? "")}`);
  }
  return [...kinds].sort().slice(0, COUNTED_ERRORS);
}

/** Each function once, in order: recursion goes to any depth. */
function namesOf(frames: readonly SourceFrame[]): string[] {
  const names = new Set<string>();
  for (let i = 0; i < frames.length && names.size < COUNTED_FRAMES; i++) {
    const frame = frames[i] as SourceFrame;
    if (!frame.inApp) {
      // Behind a package's frames come callers of the package: a framework and its middleware.
      if (names.size > 0 && frame.file !== null) break;
      continue;
    }
    const name = frameName(frame);
    if (names.has(name)) continue;
    // A callback of `map` or `sort` belongs to the function that it stands in.
    if (isAnonymous(name) && isBuiltIn(frames[i + 1])) continue;
    names.add(name);
    // What called a handler without a name is whatever dispatches handlers.
    if (isAnonymous(name)) break;
  }
  return names.size > 0 ? inOrder([...names], frames) : libraryNames(frames);
}

/** Functions that call each other in turn: which of them was on top is chance. */
function inOrder(names: string[], frames: readonly SourceFrame[]): string[] {
  if (names.length < 2) return names;
  const second = frames.findIndex((frame) => frame.inApp && frameName(frame) === names[1]);
  const next = frames[second + 1];
  return next?.inApp && frameName(next) === names[0] ? names.sort() : names;
}

const isAnonymous = (name: string): boolean => name.startsWith("|");
const isBuiltIn = (frame: SourceFrame | undefined): boolean =>
  frame !== undefined && frame.file === null && !frame.raw.isAsync;

/** By function alone: packages move from folder to folder, and from file to file of a bundle. */
function libraryNames(frames: readonly SourceFrame[]): string[] {
  const names = new Set<string>();
  for (const frame of frames) {
    const name = functionName(frame.function);
    if (name !== "") names.add(name);
    if (names.size === COUNTED_LIBRARY_FRAMES) break;
  }
  return [...names];
}
