/**
 * An answer as lines of JSON, sent while the work goes on (`routes/query.ts`).
 * The work gets a signal that fires when the reader has gone: nobody is left to
 * work for. What is sent and not read yet waits in memory: send few, short lines.
 */
export interface Lines {
  body: ReadableStream<Uint8Array>;
  /** Settles when the work has ended; for `waitUntil`. Never rejects. */
  done: Promise<void>;
}

/** `client` is the request's own signal. The work must not throw: what goes wrong is a line, too. */
export function streamLines<T>(
  client: AbortSignal,
  work: (send: (line: T) => Promise<void>, signal: AbortSignal) => Promise<void>,
): Lines {
  const gone = new AbortController();
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const leave = (reason: unknown) => gone.abort(reason);
  writer.closed.catch(leave);
  const send = (line: T) => writer.write(encoder.encode(`${JSON.stringify(line)}\n`)).catch(leave);
  const run = async () => {
    await work(send, AbortSignal.any([client, gone.signal]));
    await writer.close().catch(leave);
  };
  return { body: readable, done: run() };
}
