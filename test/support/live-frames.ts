/**
 * Frames of the live stream, read once for all viewers that get the same bytes:
 * a hub sends one text to everyone with the same filter, and a process that plays
 * hundreds of viewers would otherwise spend its core on JSON.parse.
 */
import type { LiveMessage } from "../../workers/api/contract/live.ts";

export interface Frame {
  message: LiveMessage;
  /** As JavaScript counts them: what an ack counts. */
  chars: number;
}

/** Different frames that are on their way at one moment: audiences times pushes in flight. */
const MAX_REMEMBERED = 64;
const MAX_REMEMBERED_BYTES = 16 << 20;

const remembered: { bytes: Buffer; frame: Frame }[] = [];
let rememberedBytes = 0;

export function readFrame(bytes: Buffer): Frame {
  const known = remembered.find((one) => one.bytes.equals(bytes));
  if (known) return known.frame;
  const text = bytes.toString("utf8");
  const frame = { message: JSON.parse(text) as LiveMessage, chars: text.length };
  remembered.unshift({ bytes, frame });
  rememberedBytes += bytes.length;
  while (remembered.length > MAX_REMEMBERED || (rememberedBytes > MAX_REMEMBERED_BYTES && remembered.length > 1)) {
    rememberedBytes -= remembered.pop()?.bytes.length ?? 0;
  }
  return frame;
}
