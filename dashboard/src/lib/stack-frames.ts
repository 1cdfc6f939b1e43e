/** A stack as one reads it: what to open, what to fold, and the whole as text. Pure. */
import type { StackFrame, StackTrace } from "../../../workers/api/contract.ts";

export type Segment =
  | { kind: "frame"; frame: StackFrame; index: number }
  /** Frames next to one another that are nobody's own code. */
  | { kind: "library"; frames: StackFrame[]; index: number };

/** A single library frame between two of one's own is as short as the line that would stand for it. */
const FOLD_FROM = 2;

export function segments(frames: StackFrame[]): Segment[] {
  const out: Segment[] = [];
  // Without any frame of one's own there is nothing to fold away from.
  const fold = frames.some((f) => f.inApp);
  for (let i = 0; i < frames.length; ) {
    let end = i;
    while (fold && end < frames.length && !(frames[end] as StackFrame).inApp) end++;
    if (end - i >= FOLD_FROM) {
      out.push({ kind: "library", frames: frames.slice(i, end), index: i });
      i = end;
    } else {
      out.push({ kind: "frame", frame: frames[i] as StackFrame, index: i });
      i++;
    }
  }
  return out;
}

/** The frame whose source is shown at once: the first of one's own that has it. */
export function frameToOpen(frames: StackFrame[]): number {
  const own = frames.findIndex((f) => f.inApp && f.context !== undefined);
  return own >= 0 ? own : frames.findIndex((f) => f.context !== undefined);
}

export function traces(trace: StackTrace): StackTrace[] {
  const out = [trace];
  for (const inner of trace.errors) out.push(...traces(inner));
  if (trace.cause !== null) out.push(...traces(trace.cause));
  return out;
}

const culpritOf = (f: StackFrame) => `${f.function ?? "<anonymous>"} (${f.file ?? ""})`;

/**
 * Where it broke: the frame that the issue is named after, in the error of the
 * chain that it is named after; else the first of the team's own.
 */
export function brokenAt(trace: StackTrace, issue: { type: string; culprit: string }): StackFrame | undefined {
  const chain = traces(trace);
  const named = chain.filter((t) => t.type === issue.type);
  const isCulprit = (f: StackFrame) => f.inApp && culpritOf(f) === issue.culprit;
  const all = chain.flatMap((t) => t.frames);
  return (
    named.flatMap((t) => t.frames).find(isCulprit) ??
    all.find(isCulprit) ??
    all.find((f) => f.inApp && f.mapped) ??
    all.find((f) => f.inApp) ??
    all[0]
  );
}

/** `file:line:column`, as editors take it. */
export function placeOf(f: Pick<StackFrame, "file" | "line" | "column">): string {
  if (f.file === null) return "native";
  return [f.file, f.line, f.column].filter((p) => p !== null).join(":");
}

export const frameName = (f: StackFrame): string =>
  `${f.isAsync ? "async " : ""}${f.isConstructor ? "new " : ""}${f.function ?? "<anonymous>"}`;

/** `TypeError: message`; either may be missing. */
export const headline = (t: Pick<StackTrace, "type" | "message">): string =>
  [t.type, t.message].filter((part) => part !== null && part !== "").join(": ") || "Error";

export type StackForm = "source" | "bundled";

function lineOf(f: StackFrame, form: StackForm): string {
  if (form === "source") return `    at ${frameName(f)} (${placeOf(f)})`;
  const marks = `${f.isAsync ? "async " : ""}${f.isConstructor ? "new " : ""}`;
  const place = placeOf(f.raw);
  return f.raw.function === null ? `    at ${marks}${place}` : `    at ${marks}${f.raw.function} (${place})`;
}

export function stackText(trace: StackTrace, form: StackForm, indent = "", label = ""): string {
  const lines = [`${label}${headline(trace)}`, ...trace.frames.map((f) => lineOf(f, form))];
  if (trace.omitted > 0) lines.push(`    … ${trace.omitted} more`);
  const own = lines.map((line) => indent + line.replaceAll("\n", `\n${indent}`)).join("\n");
  const inner = trace.errors.map((e, i) => stackText(e, form, `${indent}  `, `[${i + 1} of ${trace.errors.length}] `));
  const cause = trace.cause === null ? [] : [stackText(trace.cause, form, indent, "Caused by: ")];
  return [own, ...inner, ...cause].join("\n");
}

/** More names than these are a list, not a hint. */
const NAMES_SHOWN = 3;

/** Whose library frames are: the packages, as far as the paths tell. */
export function libraryNames(frames: StackFrame[]): string {
  const names = new Set<string>();
  for (const { file } of frames) {
    const found = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file ?? "")?.[1];
    if (found !== undefined) names.add(found);
  }
  const all = [...names];
  if (all.length === 0) return "";
  return all.slice(0, NAMES_SHOWN).join(", ") + (all.length > NAMES_SHOWN ? " and others" : "");
}
