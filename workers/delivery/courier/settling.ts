/**
 * What came of a batch, from `sending.ts`: the verdict on each item (outcomes.ts), what
 * it says of the receiver (reaction.ts), counters and dead letters. All of it goes with
 * the cursor into one transaction (progress.ts), so it awaits nothing.
 */
import type { SendResult } from "../../integrations/contract.ts";
import { askedMs, backoffMs } from "./backoff.ts";
import type { Channel } from "./channel.ts";
import { judge, type Verdict } from "./outcomes.ts";
import { commit } from "./progress.ts";
import { reacted, shortened } from "./reaction.ts";
import type { Slot } from "./slot.ts";

/** In the turn in which the answer came: what it means, and the cursor with it, is on disk before anything else goes out. */
export function settle(channel: Channel, slots: readonly Slot[], result: SendResult, ms: number): void {
  const { name, office } = channel;
  const { state, deps, book, measures } = office;
  const now = deps.now();
  const { refusedInRow, deliveredAt, hold } = channel.health;
  const verdict = judge(slots, result, { refusedInRow, deliveredAt, held: hold !== null });
  channel.health = reacted(channel.health, verdict, result, { ms, now, random: deps.random() });
  noteError(channel, verdict, now);
  for (const slot of verdict.delivered) slot.lane.done(slot);
  for (const { slot } of verdict.dead) slot.lane.done(slot);
  putBack(channel, verdict, slots.length, now);
  measures.sent(now, verdict.delivered.length, verdict.again.length + verdict.dead.length, ms);
  tell(channel, verdict, result, ms);
  if (name === "own") {
    const { counters } = state;
    const rejected = Math.min(result.rejectedByReceiver?.count ?? 0, verdict.delivered.length);
    counters.rejected += rejected;
    counters.delivered += verdict.delivered.length - rejected;
    counters.failed += verdict.again.length;
    if (verdict.delivered.length > 0) state.lastDeliveredAt = now;
  } else state.counters.viaFailover += verdict.delivered.length;
  const lanes = new Set(slots.map(({ lane }) => lane));
  commit(channel, lanes, () => {
    if (name === "via") return;
    for (const { slot, failure } of verdict.dead)
      state.counters.deadDropped += book.dead.add(slot.item, failure, slot.tries + 1, now);
  });
}

function putBack({ office }: Channel, { again, delivered }: Verdict, size: number, now: number): void {
  const { deps } = office;
  for (const { slot, failure, cap, refused } of again) {
    slot.lane.putBack(slot);
    // Its kind waits: that is no try of its own.
    if (failure.only !== undefined) continue;
    slot.tries += 1;
    slot.cap = Math.min(slot.cap, cap);
    if (size === 1) {
      slot.aloneTries += 1;
      slot.aloneSince ||= now;
    }
    // The others of its batch were taken: it alone waits. When none was, all wait at the gate.
    if (delivered.length > 0 && !refused)
      slot.notBefore = now + Math.max(askedMs(failure.retryAfterMs), backoffMs(slot.tries, deps.random()));
  }
}

function noteError({ name, office }: Channel, { held, failure, dead, again }: Verdict, now: number): void {
  const worst = held ?? failure ?? dead[0]?.failure ?? again[0]?.failure;
  if (worst === undefined || name === "via") return;
  const { kind, message, status } = shortened(worst);
  office.state.lastError = { at: now, kind, message, status };
}

/** … to Tailrace's own counters. */
function tell(
  { name, office: { deps } }: Channel,
  { delivered, again, dead, failure, held, limits }: Verdict,
  result: SendResult,
  ms: number,
): void {
  const items = (outcome: string, n: number) => n > 0 && deps.count("tailrace_delivery_items_total", outcome, n);
  // What a failover takes is not delivered yet: the destination's own turn comes.
  if (name === "own") {
    const rejected = Math.min(result.rejectedByReceiver?.count ?? 0, delivered.length);
    items("delivered", delivered.length - rejected);
    items("rejected", rejected);
    items("failed", again.length);
    items("dead", dead.length);
  }
  const [limit] = delivered.length > 0 ? [] : limits.values();
  deps.count("tailrace_delivery_requests_total", (held ?? failure ?? limit)?.kind ?? "ok", result.requests);
  deps.count("tailrace_delivery_seconds_total", "", ms / 1000);
}
