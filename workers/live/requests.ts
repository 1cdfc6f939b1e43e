/** What a viewer says, read and checked. Anybody with a token may say anything. Pure. */
import { LIVE_MAX_RATE, LIVE_RATE, type LiveCursor, type LiveRequest } from "../api/contract/live.ts";
import { MAX_MESSAGE_CHARS, MESSAGES_BURST, MESSAGES_PER_S } from "./limits.ts";

export type ReadRequest = { ok: true; request: LiveRequest } | { ok: false; reason: string };

const refused = (reason: string): ReadRequest => ({ ok: false, reason });

export function readRequest(message: string | ArrayBuffer): ReadRequest {
  if (typeof message !== "string") return refused("Messages are JSON text.");
  if (message.length > MAX_MESSAGE_CHARS) return refused(`A message has at most ${MAX_MESSAGE_CHARS} characters.`);
  const value = parse(message);
  if (value === undefined) return refused("This is not a JSON object.");
  switch (value.type) {
    case "ack":
      return Number.isSafeInteger(value.chars) && isCount(value.chars)
        ? { ok: true, request: { type: "ack", chars: value.chars } }
        : refused("ack: chars?");
    case "filter": {
      const { q, rate } = value;
      if (typeof q !== "string") return refused("filter: q?");
      return { ok: true, request: { type: "filter", q, ...(typeof rate === "number" ? { rate } : {}) } };
    }
    case "resume": {
      const { cursor, since } = value;
      if (!isCursor(cursor) || !isCount(since)) return refused("resume: cursor, since?");
      return { ok: true, request: { type: "resume", cursor, since } };
    }
    default:
      return refused("The type is none of filter, resume, ack.");
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const isCount = (value: unknown): value is number => typeof value === "number" && value >= 0 && Number.isFinite(value);

const isCursor = (value: unknown): value is LiveCursor =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((position) => typeof position === "string");

/** A whole number of events/s that may be asked for. */
export function rateOf(asked: number | undefined): number {
  if (asked === undefined || !(asked > 0)) return LIVE_RATE;
  return Math.min(Math.max(Math.floor(asked), 1), LIVE_MAX_RATE);
}

/** How much one viewer may say. */
export class Talk {
  private left: number;
  private at = 0;

  constructor(
    private readonly perS = MESSAGES_PER_S,
    private readonly burst = MESSAGES_BURST,
  ) {
    this.left = burst;
  }

  /** False: it says too much. */
  allows(cost: number, now: number): boolean {
    this.left = Math.min(this.left + (Math.max(now - this.at, 0) * this.perS) / 1_000, this.burst);
    this.at = now;
    this.left -= cost;
    return this.left >= 0;
  }
}
