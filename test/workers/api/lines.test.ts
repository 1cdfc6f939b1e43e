import { describe, expect, it } from "vitest";
import { streamLines } from "../../../workers/api/lines.ts";

/** Its declared type takes any buffer, which the types of Node and of the runtime do not agree to be the same. */
const decoder = () => new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>;

const never = new AbortController().signal;
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });

describe("streamLines", () => {
  it("sends each line as it comes, and ends with the work", async () => {
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
    const { body, done } = streamLines<number>(never, async (send) => {
      await send(1);
      await finished;
      await send(2);
    });
    const reader = body.pipeThrough(decoder()).getReader();
    expect((await reader.read()).value).toBe("1\n");
    finish();
    expect((await reader.read()).value).toBe("2\n");
    expect((await reader.read()).done).toBe(true);
    await done;
  });

  it("tells the work that its reader has gone, also while it has nothing to send", async () => {
    const { body, done } = streamLines<number>(never, async (send, signal) => {
      await send(1);
      await aborted(signal);
      await send(2);
    });
    const reader = body.getReader();
    await reader.read();
    await reader.cancel();
    await done;
  });

  it("passes the request's own signal on", async () => {
    const client = new AbortController();
    const { body, done } = streamLines<number>(client.signal, async (_, signal) => aborted(signal));
    client.abort();
    await done;
    expect((await body.getReader().read()).done).toBe(true);
  });
});
