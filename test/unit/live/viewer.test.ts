/** What a viewer says that it has read, when the hub knows what it was sent, and when it does not any more. */
import { describe, expect, it } from "vitest";
import { LIVE_ACK_CHARS } from "../../../workers/api/contract/live.ts";
import type { ViewerAttachment } from "../../../workers/live/attachment.ts";
import { MAX_WINDOW_CHARS } from "../../../workers/live/limits.ts";
import { readRequest } from "../../../workers/live/requests.ts";
import { Viewer } from "../../../workers/live/viewer.ts";

const FRAME = "x".repeat(10_000);

function viewerOf(isNew: boolean): Viewer {
  const socket = { send: () => undefined, serializeAttachment: () => undefined } as unknown as WebSocket;
  const attachment: ViewerAttachment = { kind: "viewer", q: "", rate: 1, who: { credential: "token a" }, held: false };
  return new Viewer(socket, attachment, isNew);
}

describe("what a viewer has read", () => {
  it("is at most what it was sent", () => {
    const viewer = viewerOf(true);
    viewer.send(FRAME);
    expect(viewer.acknowledge(FRAME.length, LIVE_ACK_CHARS)).toBe(true);
    expect(viewer.acknowledge(FRAME.length + LIVE_ACK_CHARS + 1, LIVE_ACK_CHARS)).toBe(false);
  });

  it("is believed after the hub's sleep as far as it can be: once, and what was on its way then", () => {
    const viewer = viewerOf(false);
    viewer.send(FRAME);
    expect(viewer.acknowledge(5_000_000, LIVE_ACK_CHARS)).toBe(true);
    viewer.send(FRAME);
    expect(viewer.acknowledge(5_000_000 + MAX_WINDOW_CHARS, LIVE_ACK_CHARS)).toBe(true);
    expect(viewer.acknowledge(6_000_000 + MAX_WINDOW_CHARS, LIVE_ACK_CHARS)).toBe(false);
  });

  it("counts again from then on: a window that it does not read is full", () => {
    const viewer = viewerOf(false);
    viewer.acknowledge(Number.MAX_SAFE_INTEGER, LIVE_ACK_CHARS);
    viewer.acknowledge(Number.MAX_SAFE_INTEGER, LIVE_ACK_CHARS);
    for (let sent = 0; sent <= 2 * MAX_WINDOW_CHARS; sent += FRAME.length) viewer.send(FRAME);
    expect(viewer.fits(FRAME.length, MAX_WINDOW_CHARS)).toBe(false);
  });

  it.each([1e300, 0.5, -1, "5", null])("is not %j", (chars) => {
    expect(readRequest(JSON.stringify({ type: "ack", chars })).ok).toBe(false);
  });
});
