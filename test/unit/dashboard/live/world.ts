/** A browser's world for the Live page without a browser: sockets that a test answers, time and frames that it moves. */
import { vi } from "vitest";
import type { ApiFailure } from "../../../../dashboard/src/api/client.ts";
import type { FeedWorld } from "../../../../dashboard/src/state/live-feed.ts";
import type { EventJson, LiveMessage, LiveRequest } from "../../../../workers/api/contract.ts";

export class FakeSocket {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  readonly sent: string[] = [];
  closed = false;

  constructor(readonly url: string) {}

  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.closed = true;
  }

  /** The requests that were made, without pings. */
  get said(): LiveRequest[] {
    return this.sent.filter((text) => text !== "ping").map((text) => JSON.parse(text) as LiveRequest);
  }
  open(): void {
    this.onopen?.({} as never);
  }
  /** Returns its length. */
  says(message: LiveMessage | string): number {
    const data = typeof message === "string" ? message : JSON.stringify(message);
    this.onmessage?.({ data } as never);
    return data.length;
  }
  ends(code = 1006, reason = ""): void {
    this.onclose?.({ code, reason } as never);
  }
}

export class FakeWorld implements FeedWorld {
  readonly sockets: FakeSocket[] = [];
  refusal: ApiFailure | undefined;
  isHidden = false;
  frames: (() => void)[] = [];

  open(url: string): FakeSocket {
    const socket = new FakeSocket(url);
    this.sockets.push(socket);
    return socket;
  }
  async ask(): Promise<ApiFailure | undefined> {
    return this.refusal;
  }
  now = () => Date.now();
  random = () => 0;
  hidden = () => this.isHidden;
  frame(draw: () => void): void {
    this.frames.push(draw);
  }

  /** One frame of the browser's. */
  paint(): void {
    const due = this.frames;
    this.frames = [];
    for (const draw of due) draw();
  }
  get socket(): FakeSocket {
    return this.sockets.at(-1) as FakeSocket;
  }
}

/** Time stands until it is moved. */
export function stopTime(): void {
  vi.useFakeTimers({ now: Date.parse("2026-11-21T03:00:00.000Z") });
}

export const ready = (q = "", now = 1000): LiveMessage => ({ type: "ready", now, script: null, q, rate: 500 });

export function event(n: number, more: Record<string, unknown> = {}): EventJson {
  return {
    time: new Date(1_700_000_000_000 + n).toISOString(),
    kind: "log",
    level: "info",
    script: "shop",
    invocation_id: `inv-${n}`,
    seq: 1,
    sample_weight: 1,
    attributes: {},
    message: `event ${n}`,
    ...more,
  };
}

export function events(
  at: number,
  list: EventJson[],
  more: Partial<Extract<LiveMessage, { type: "events" }>> = {},
): LiveMessage {
  return {
    type: "events",
    now: 1000 + at,
    at: { shop: `${at}.${at * 10}` },
    events: list,
    matched: list.length,
    ...more,
  };
}
