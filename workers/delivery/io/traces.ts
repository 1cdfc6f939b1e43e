/**
 * Stacks as integrations show them: parsed, led to the source by the maps of the
 * very version (`errors/`), with lines of source around. `io.ts` asks once per
 * error that is sent, and the same few stacks come again and again, so answers
 * are kept per isolate, bounded, and shared: nobody changes them.
 */
import { MapStore } from "../../errors/maps/lookup.ts";
import { parseStack } from "../../errors/stack/parse.ts";
import { type MapState, type Symbolicated, symbolicate, unsymbolicated } from "../../errors/symbolicate/symbolicate.ts";
import type { SourceFrame, SourceTrace } from "../../errors/trace.ts";
import type { ResolvedFrame, ResolvedTrace } from "../../integrations/frames.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import { Kept } from "./kept.ts";

/** How soon a map that came late, or a better one, takes effect. */
const KEPT_MS: Record<MapState, number> = {
  none: 300_000,
  mapped: 300_000,
  partly: 60_000,
  // An upload follows its deployment by seconds.
  missing: 15_000,
  failed: 5_000,
};
const MAX_TRACES = 2_000;
/** A frame with eleven lines of source takes about a KB. */
const MAX_BYTES = 12_000_000;
/** A frame or an error without its texts. */
const OBJECT_BYTES = 200;
/** Of all maps of one stack together: delivery goes on with the raw frames. */
const MAPS_TIMEOUT_MS = 8_000;

/** What the event says of the error beside its stack. */
export interface Known {
  type?: string | undefined;
  message?: string | undefined;
}

/** Of the isolate. */
const traces = new Kept<ResolvedTrace>(MAX_TRACES, MAX_BYTES);

export class Traces {
  readonly #maps: MapStore;
  /** Of this run only: what another request began may never end. */
  readonly #pending = new Map<string, Promise<ResolvedTrace>>();

  constructor(env: Pick<Env, "DB" | "BUCKET">) {
    this.#maps = new MapStore(env);
  }

  /** Never rejects: where no map helps frames stay as V8 printed them. */
  async of(script: string, version: string, stack: string, known: Known = {}): Promise<ResolvedTrace> {
    const text = withoutHead(stack, known);
    const key = `${script}\n${version}\n${text}`;
    const trace = traces.get(key, Date.now()) ?? (await this.#share(key, script, version, text, known));
    // Errors of one stack differ in what they say.
    return { ...trace, type: known.type ?? trace.type, message: known.message ?? trace.message };
  }

  #share(key: string, script: string, version: string, stack: string, known: Known): Promise<ResolvedTrace> {
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = this.#resolve(key, { script, version }, stack, known).finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    return pending;
  }

  async #resolve(
    key: string,
    where: { script: string; version: string },
    stack: string,
    known: Known,
  ): Promise<ResolvedTrace> {
    const parsed = parseStack(stack === "" ? undefined : stack, known);
    let done: Symbolicated;
    try {
      const mapping = symbolicate(parsed, where, this.#maps, { context: true });
      done = await within(MAPS_TIMEOUT_MS, "source maps", mapping);
    } catch (error) {
      console.warn(`stack of ${where.script}: ${rootMessage(error)}`);
      done = unsymbolicated(parsed, "failed");
    }
    const trace = resolved(done.trace);
    traces.set(key, trace, 2 * key.length + bytesOf(trace), Date.now() + KEPT_MS[done.state]);
    return trace;
  }
}

/** So that errors that differ only in their message are one entry. */
function withoutHead(stack: string, { type, message }: Known): string {
  if (type === undefined || !stack.startsWith(type)) return stack;
  const head = message === undefined || message === "" ? `${type}\n` : `${type}: ${message}\n`;
  return stack.startsWith(head) ? stack.slice(head.length) : stack;
}

function resolved({ type, message, frames, omitted, cause, errors }: SourceTrace): ResolvedTrace {
  return {
    type: type ?? "",
    message: message ?? "",
    frames: frames.map(resolvedFrame),
    omitted,
    cause: cause === null ? null : resolved(cause),
    errors: errors.map(resolved),
  };
}

function resolvedFrame({
  raw,
  function: name,
  file,
  line,
  column,
  inApp,
  mapped,
  context,
}: SourceFrame): ResolvedFrame {
  const called = name ?? (raw.isNative ? "native" : "");
  const at = context === undefined || line === null ? -1 : line - context.firstLine;
  const lines = context !== undefined && at >= 0 && at < context.lines.length ? context.lines : [];
  return {
    function: raw.isConstructor && called !== "" ? `new ${called}` : called,
    file: file ?? "",
    line: line ?? 0,
    column: column ?? 0,
    inApp,
    mapped,
    pre: lines.slice(0, Math.max(0, at)),
    at: lines[at] ?? "",
    post: lines.slice(at + 1),
  };
}

function bytesOf({ type, message, frames, cause, errors }: ResolvedTrace): number {
  let bytes = OBJECT_BYTES + 2 * (type.length + message.length);
  for (const { function: name, file, pre, at, post } of frames) {
    bytes += OBJECT_BYTES + 2 * (name.length + file.length + at.length);
    for (const line of pre) bytes += 2 * line.length;
    for (const line of post) bytes += 2 * line.length;
  }
  if (cause !== null) bytes += bytesOf(cause);
  for (const error of errors) bytes += bytesOf(error);
  return bytes;
}
