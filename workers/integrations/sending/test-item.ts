/** What the tests of destinations send: recognisable, harmless, of a Worker called `tailrace`. */
import type { TailraceEvent } from "../../event/event.ts";
import type { EventItem } from "../contract.ts";

export const TEST_TEXT = "Tailrace test: this destination works";
export const TEST_SCRIPT = "tailrace";

export function testItem(feed: "logs" | "traces", nowMs: number): EventItem {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const id = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const event: TailraceEvent = {
    time: nowMs * 1_000,
    kind: feed === "traces" ? "invocation" : "log",
    script: TEST_SCRIPT,
    invocation_id: id,
    seq: 0,
    sample_weight: 1,
    event_type: "custom",
    outcome: "ok",
    level: "info",
    message: TEST_TEXT,
    duration: feed === "traces" ? 1 : undefined,
    attributes: { "tailrace.test": true },
  };
  return { id, feed, event, tags: {}, invocation: { script: TEST_SCRIPT, id, events: [event] } };
}
