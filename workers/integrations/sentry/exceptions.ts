/**
 * An error with its causes and parts → Sentry's list of exceptions: the outermost
 * last, frames from the outermost call in, which is the opposite of how V8 prints
 * them. Ids and parents say what came from what. `event.ts` asks. Pure.
 */
import type { ResolvedFrame, ResolvedTrace } from "../frames.ts";
import { type Budget, MAX_NAME } from "./limits.ts";
import type { Exception, Frame, Mechanism } from "./protocol.ts";
import { clip } from "./text.ts";

/** Of frames kept when there are too many: as many from the outermost end. */
const OUTER_FRAMES = 3;

export function exceptionsOf(trace: ResolvedTrace, mechanism: Mechanism, budget: Budget): Exception[] {
  const found: Exception[] = [];
  const walk = (one: ResolvedTrace, how: Mechanism) => {
    if (found.length >= budget.exceptions) return;
    const id = found.length;
    const isGroup = one.errors.length > 0;
    const numbered = { ...how, exception_id: id, ...(isGroup ? { is_exception_group: true as const } : {}) };
    found.push(exceptionOf(one, numbered, budget));
    const chained = { type: "chained", handled: mechanism.handled, parent_id: id };
    if (one.cause !== null) walk(one.cause, { ...chained, source: "cause" });
    one.errors.forEach((part, i) => {
      walk(part, { ...chained, source: `errors[${i}]` });
    });
  };
  walk(trace, mechanism);
  const alone = found.length === 1 ? found[0] : undefined;
  if (alone !== undefined) alone.mechanism = mechanism;
  return found.reverse();
}

function exceptionOf({ type, message, frames }: ResolvedTrace, mechanism: Mechanism, budget: Budget): Exception {
  const exception: Exception = {
    type: clip(type, MAX_NAME) || "Error",
    value: clip(message, budget.message),
    mechanism,
  };
  if (frames.length > 0) exception.stacktrace = { frames: framesOf(frames, budget) };
  return exception;
}

/** The same stacks come again and again, and those who resolve them hand in the same list. */
const made = new WeakMap<readonly ResolvedFrame[], { budget: Budget; frames: readonly Frame[] }>();

function framesOf(frames: readonly ResolvedFrame[], budget: Budget): readonly Frame[] {
  const known = made.get(frames);
  if (known !== undefined && known.budget === budget) return known.frames;
  const kept =
    frames.length <= budget.frames
      ? frames
      : [...frames.slice(0, budget.frames - OUTER_FRAMES), ...frames.slice(-OUTER_FRAMES)];
  const reversed = kept.map((frame) => frameOf(frame, budget)).reverse();
  made.set(frames, { budget, frames: reversed });
  return reversed;
}

function frameOf(frame: ResolvedFrame, { context, line, attribute }: Budget): Frame {
  const limit = Math.min(MAX_NAME * 2, attribute);
  const made: Frame = { in_app: frame.inApp };
  if (frame.function !== "") made.function = clip(frame.function, limit);
  if (frame.file !== "") made.filename = clip(frame.file, limit);
  if (frame.line > 0) made.lineno = frame.line;
  if (frame.column > 0) made.colno = frame.column;
  if (context === "none" || (context === "own" && !frame.inApp)) return made;
  if (frame.at === "" && frame.pre.length === 0 && frame.post.length === 0) return made;
  const cut = (text: string) => clip(text, line);
  made.pre_context = frame.pre.map(cut);
  made.context_line = cut(frame.at);
  made.post_context = frame.post.map(cut);
  return made;
}
