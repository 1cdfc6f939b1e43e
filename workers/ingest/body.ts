/**
 * The body of an HTTP ingest, as text, in pieces: unzipped on the way, counted
 * before and after, so that neither a large body nor a small one that unpacks
 * into a huge one is ever in memory as a whole. `http.ts` reads it to its end.
 */

/** On the wire. */
export const MAX_WIRE_BYTES = 16 * 1024 * 1024;
/** Unzipped. Never held as a whole; bounds the work of one request. */
export const MAX_TEXT_BYTES = 64 * 1024 * 1024;

/** A body of this size is read as a whole; dozens may be under way at once. */
const SMALL_BYTES = 1024 * 1024;

export type BodyProblem = "too_large" | "cut_off" | "bad_encoding" | "unsupported_encoding";

/** Why a body came to its end before it should have. */
export class BodyError extends Error {
  readonly problem: BodyProblem;
  constructor(problem: BodyProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

/** Throws `BodyError`. Broken UTF-8 becomes U+FFFD: it harms the item it is in, no other. */
export async function* readText(request: Request): AsyncGenerator<string> {
  const header = request.headers.get("content-length");
  const declared = header === null ? Number.POSITIVE_INFINITY : Number(header);
  if (header !== null && declared > MAX_WIRE_BYTES) throw tooLarge();
  if (request.body === null) return;
  const encoding = encodingOf(request);
  // The runtime reads a small body at once for less than we can piece by piece.
  if (encoding === "identity" && declared <= SMALL_BYTES) yield await request.text().catch(cutOff);
  else yield* decodeText(unpacked(request.body, encoding, declared), encoding);
}

function encodingOf(request: Request): "identity" | "gzip" {
  const name = (request.headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  if (name === "identity" || name === "") return "identity";
  if (name === "gzip" || name === "x-gzip") return "gzip";
  throw new BodyError("unsupported_encoding", `content-encoding ${name} is not supported: send gzip, or nothing`);
}

/** A declared length has been checked, and the runtime holds the sender to it: only others are counted. */
function unpacked(body: ReadableStream, encoding: "identity" | "gzip", declared: number): ReadableStream<Uint8Array> {
  const counted: ReadableStream = Number.isFinite(declared) ? body : body.pipeThrough(counter());
  return encoding === "gzip" ? counted.pipeThrough(new DecompressionStream("gzip")) : counted;
}

async function* decodeText(stream: ReadableStream<Uint8Array>, encoding: "identity" | "gzip"): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  try {
    for await (const chunk of chunks(stream)) {
      bytes += chunk.byteLength;
      if (bytes > MAX_TEXT_BYTES)
        throw new BodyError("too_large", `the body unpacks to more than ${mib(MAX_TEXT_BYTES)}`);
      yield decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    if (error instanceof BodyError) throw error;
    if (encoding === "identity") cutOff();
    throw new BodyError("bad_encoding", "the gzip data is broken, ends too early, or has several members: send one");
  }
  yield decoder.decode();
}

/** Leaving the loop early cancels the stream, so that nothing more is unpacked. */
async function* chunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        ended = true;
        return;
      }
      yield value;
    }
  } finally {
    if (!ended) await reader.cancel().catch(() => {});
  }
}

function counter(): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > MAX_WIRE_BYTES) controller.error(tooLarge());
      else controller.enqueue(chunk);
    },
  });
}

/** The sender has gone, or broke off its chunks: the runtime reports both as a lost connection. */
function cutOff(): never {
  throw new BodyError("cut_off", "the body was cut off: send it again");
}

const tooLarge = () => new BodyError("too_large", `the body has more than ${mib(MAX_WIRE_BYTES)}: send it in parts`);
const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
