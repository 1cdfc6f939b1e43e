/**
 * V8's stack text → an error with its frames, causes and parts. `ingest/` hands
 * in what trace items hold, `api/` what somebody pasted; `symbolicate/` gets the
 * result. Never throws and reads every line once: what is no frame is a line of
 * the message, a property that Node's inspect printed, or nothing.
 *
 * A message may hold lines that look like frames. Where the caller knows the
 * message its lines are skipped; else a line counts as a frame only if it names a
 * place as V8 does.
 */
import type { ErrorTrace, Frame } from "../trace.ts";
import { readForeignFrame, readFrame } from "./frame.ts";
import {
  MAX_CAUSES,
  MAX_ERRORS,
  MAX_FRAMES,
  MAX_LINE_CHARS,
  MAX_MESSAGE_CHARS,
  MAX_TEXT_CHARS,
  MAX_TRACES,
} from "./limits.ts";
import { afterCause, afterPart, elidedFrames, isHeader, opensErrors, readHeader } from "./lines.ts";

/** What the caller knows of the error beside its text: the runtime gives stacks without a first line. */
export interface KnownError {
  type?: string | undefined;
  message?: string | undefined;
}

/** An error whose lines are being read. */
interface Open {
  trace: ErrorTrace;
  /** Of its first line: its properties are indented deeper. */
  indent: number;
  depth: number;
  isCause: boolean;
  /** Lines of its message, until the first frame. */
  header: string[] | null;
  headerChars: number;
  /** Indentation of `[errors]: [`, whose elements lie two deeper. */
  list: number;
  /** Frames that Node left out because the cause has them too: where, and how many. */
  elided: { at: number; count: number } | null;
}

export function parseStack(text: string | undefined, known: KnownError = {}): ErrorTrace {
  const reader = new Reader(known);
  const end = Math.min(text?.length ?? 0, MAX_TEXT_CHARS);
  if (text !== undefined && end > 0) {
    let at = afterMessage(text, known);
    reader.begin(at > 0);
    while (at < end) {
      let next = text.indexOf("\n", at);
      if (next < 0 || next > end) next = end;
      reader.line(text, at, next);
      at = next + 1;
    }
    reader.finish();
    if (reader.root.frames.length === 0) addForeignFrames(text, end, reader.root);
  }
  return reader.root;
}

/** Where the frames begin if the text opens with the known message; 0 where it does not. */
function afterMessage(text: string, { type, message }: KnownError): number {
  if (message === undefined || message === "") return 0;
  // What is left of a message when its first line is cut off can look like frames.
  const second = message.indexOf("\n");
  if (second >= 0 && startsWithLines(text, message.slice(second + 1), 0)) return message.length - second;
  const head = text.indexOf(message);
  // In front of it: the name and what Node adds.
  const limit = (type?.length ?? 0) + 128;
  return head >= 0 && head <= limit && startsWithLines(text, message, head) ? head + message.length + 1 : 0;
}

function startsWithLines(text: string, lines: string, at: number): boolean {
  const end = at + lines.length;
  return text.startsWith(lines, at) && (end === text.length || text.charCodeAt(end) === 10);
}

class Reader {
  readonly root: ErrorTrace;
  private readonly open: Open[];
  private current: Open;
  private traces = 1;

  constructor({ type, message }: KnownError) {
    this.root = newTrace();
    this.root.type = type ?? null;
    this.root.message = message ?? null;
    this.current = opened(this.root, 0, 0);
    this.open = [this.current];
  }

  /** `past`: the message is known and was skipped. */
  begin(past: boolean): void {
    if (past) this.current.header = null;
  }

  line(text: string, from: number, to: number): void {
    const { current } = this;
    let start = from;
    while (start < to && isBlank(text.charCodeAt(start))) start++;
    if (start === to) return;
    const indent = start - from;
    if (text.startsWith("at ", start)) {
      if (current.trace.frames.length >= MAX_FRAMES) {
        current.trace.omitted++;
        return;
      }
      const frame = readFrame(cut(text, start, to));
      if (frame !== null) {
        this.closeHeader();
        current.trace.frames.push(frame);
        return;
      }
    }
    this.other(cut(text, start, to).trimEnd(), indent);
  }

  finish(): void {
    this.closeHeader();
    for (const one of this.open) restoreElided(one);
  }

  /** A line that is no frame. */
  private other(line: string, indent: number): void {
    const { current } = this;
    const cause = afterCause(line);
    if (cause !== undefined && this.startsCause(line, indent)) {
      this.openCause(cause, indent);
      return;
    }
    if (opensErrors(line) && indent > 0) {
      this.ownerOf(indent).list = indent;
      return;
    }
    const part = afterPart(line);
    if (part !== undefined) {
      this.openPart(this.ownerOf(indent), part, indent);
      return;
    }
    const list = this.listAt(indent);
    if (list !== undefined && isHeader(line)) {
      this.openPart(list, line, indent);
      return;
    }
    const elided = elidedFrames(line);
    if (elided > 0) {
      current.elided ??= { at: current.trace.frames.length, count: elided };
      return;
    }
    // What closes a list or an object of inspect's.
    if (this.open.length > 1 && CLOSING.has(line)) this.closeHeader();
    else this.addToHeader(line);
  }

  /** In a message `cause: …` is a word like any other; behind frames, or with brackets around it, it is not. */
  private startsCause(line: string, indent: number): boolean {
    if (line.startsWith("[") || this.current.trace.frames.length > 0) return true;
    return indent === 0 && (line.startsWith("Caused by: ") || line.startsWith("caused by: "));
  }

  private addToHeader(line: string): void {
    const { current } = this;
    if (current.header === null || current.headerChars > MAX_MESSAGE_CHARS) return;
    // Node shows the source line with a caret before the error itself.
    if (line === "^" || /^\^{2,32}$/.test(line)) {
      current.header = [];
      current.headerChars = 0;
      return;
    }
    current.header.push(line.length > MAX_MESSAGE_CHARS ? line.slice(0, MAX_MESSAGE_CHARS) : line);
    current.headerChars += line.length + 1;
  }

  private closeHeader(): void {
    const { current } = this;
    if (current.header === null) return;
    const lines = current.header;
    current.header = null;
    if (lines.length === 0) return;
    const { type, message } = readHeader(lines.join("\n"));
    // What was said beside the text is certain.
    if (current.trace.type === null && current.trace.message === null) {
      current.trace.type = type;
      current.trace.message = message;
    } else if (current.trace.message === null) current.trace.message = message;
    else current.trace.type ??= type;
  }

  /** The error whose property stands at this indentation. */
  private ownerOf(indent: number): Open {
    this.closeHeader();
    while (this.open.length > 1 && (this.open.at(-1) as Open).indent >= indent) this.pop();
    return this.open.at(-1) as Open;
  }

  private openCause(header: string, indent: number): void {
    this.closeHeader();
    // `Caused by:` is not indented, nor are the causes that `ingest/` writes below each other: of the error before it.
    const follows = this.current.isCause && this.current.indent === indent;
    const owner = indent === 0 || follows ? this.current : this.ownerOf(indent);
    if (owner.trace.cause !== null || owner.depth >= MAX_CAUSES || this.traces >= MAX_TRACES) {
      this.skip();
      return;
    }
    // A cause can be anything; only errors are followed.
    if (header.startsWith("{") || header.startsWith("'") || header.startsWith("undefined")) return;
    owner.trace.cause = this.push(owner, header, indent);
    this.current.isCause = true;
  }

  private openPart(list: Open, header: string, indent: number): void {
    this.closeHeader();
    while (this.open.at(-1) !== list) this.pop();
    this.current = list;
    if (list.trace.errors.length >= MAX_ERRORS || list.depth >= MAX_CAUSES || this.traces >= MAX_TRACES) {
      this.skip();
      return;
    }
    list.trace.errors.push(this.push(list, header, indent));
  }

  private push(owner: Open, header: string, indent: number): ErrorTrace {
    const trace = newTrace();
    this.traces++;
    this.current = opened(trace, indent, owner.depth + 1);
    this.open.push(this.current);
    this.addToHeader(withoutTail(header));
    // `[RangeError: x]` is all that inspect shows of an error without frames.
    if (header.startsWith("[")) this.closeHeader();
    return trace;
  }

  /** Frames that follow belong to an error that is left out. */
  private skip(): void {
    this.current = opened(newTrace(), 0, MAX_CAUSES);
  }

  private pop(): void {
    const closed = this.open.pop();
    if (closed !== undefined) restoreElided(closed);
    this.current = this.open.at(-1) as Open;
    this.current.header = null;
  }

  private listAt(indent: number): Open | undefined {
    for (let i = this.open.length - 1; i >= 0; i--) {
      const one = this.open[i] as Open;
      if (one.list >= 0) return one.list + 2 === indent ? one : undefined;
    }
    return undefined;
  }
}

const CLOSING = new Set(["]", "}", "],", "},", "] {"]);

/** Properties, or the next element, follow. */
const withoutTail = (header: string): string =>
  header.endsWith(" {")
    ? header.slice(0, -2)
    : header.startsWith("[") && header.endsWith("],")
      ? header.slice(0, -1)
      : header;

const newTrace = (): ErrorTrace => ({ type: null, message: null, frames: [], omitted: 0, cause: null, errors: [] });

const opened = (trace: ErrorTrace, indent: number, depth: number): Open => ({
  trace,
  indent,
  depth,
  isCause: false,
  header: [],
  headerChars: 0,
  list: -1,
  elided: null,
});

const isBlank = (code: number): boolean => code === 32 || code === 9 || code === 13;

/** Long lines are cut, but keep their end: a frame has its place there. */
function cut(text: string, from: number, to: number): string {
  if (to - from <= 2 * MAX_LINE_CHARS) return text.slice(from, to);
  return `${text.slice(from, from + MAX_LINE_CHARS)}${text.slice(to - MAX_LINE_CHARS, to)}`;
}

/** Puts back what Node left out of an error because its cause has the same frames. */
function restoreElided({ trace, elided }: Open): void {
  if (elided === null) return;
  const before = trace.frames[elided.at - 1];
  const source = trace.cause?.frames ?? [];
  const from = before === undefined ? -1 : source.findIndex((frame) => samePlace(frame, before));
  const restored = from < 0 ? [] : source.slice(from + 1, from + 1 + elided.count);
  trace.omitted += elided.count - restored.length;
  const room = MAX_FRAMES - trace.frames.length;
  trace.frames.splice(elided.at, 0, ...restored.slice(0, Math.max(0, room)));
}

const samePlace = (a: Frame, b: Frame): boolean =>
  a.file === b.file && a.line === b.line && a.column === b.column && a.function === b.function;

function addForeignFrames(text: string, end: number, trace: ErrorTrace): void {
  let at = 0;
  while (at < end) {
    let next = text.indexOf("\n", at);
    if (next < 0 || next > end) next = end;
    const frame = next - at <= MAX_LINE_CHARS ? readForeignFrame(text.slice(at, next)) : null;
    if (frame !== null) {
      if (trace.frames.length < MAX_FRAMES) trace.frames.push(frame);
      else trace.omitted++;
    }
    at = next + 1;
  }
}
