/** What `tailrace tail` has in this process: sockets, the clock, Ctrl-C. */
import type { ApiClient } from "../api/client.ts";
import { tail } from "../commands/tail.ts";
import { onInterrupt } from "../interrupt.ts";
import type { Output, Streams } from "../output.ts";
import type { TailRequest } from "./arguments.ts";
import { liveConnect } from "./socket.ts";
import { realTimers } from "./timers.ts";

export interface Here {
  api: ApiClient;
  output: Output;
  streams: Streams;
  userAgent: string;
}

/** @returns the exit code */
export function tailHere(request: TailRequest, { api, output, streams, userAgent }: Here): Promise<number> {
  // Whoever reads stderr may leave as well; there is nobody to tell.
  streams.err.on?.("error", () => {});
  const { worker, q, rate, server } = request;
  const connect = liveConnect({ ...server, url: api.url, worker, q, rate, userAgent });
  const surroundings = { api, output, streams, connect, timers: realTimers, random: Math.random, onInterrupt };
  return tail(request, surroundings);
}
