/** Ids of items: 32 hex digits, the same at every try, so that receivers can leave out what came twice. Pure. */
import { FEEDS, type Feed } from "../../api/contract/integrations.ts";
import { hash32 } from "../../util/hash.ts";

/** 2³² divided by the golden ratio, odd: times it, different numbers stay different and lie far apart. */
const STEP = 0x9e37_79b1;

/**
 * The invocation's own id, with its last 32 bits moved by what the item is: two
 * items of one invocation never have the same, those of two hardly ever.
 */
export function eventItemId(invocationId: string, seq: number, feed: Feed): string {
  const last = Number.parseInt(invocationId.slice(24), 16);
  const moved = (last + Math.imul(seq * FEEDS.length + FEEDS.indexOf(feed), STEP)) >>> 0;
  return invocationId.slice(0, 24) + moved.toString(16).padStart(8, "0");
}

/** Numbers begin anew in another Tailrace, so time and Worker are in it. */
export function noticeItemId(notice: { id: number; at: number; script: string; kind: string }): string {
  const hex = (n: number, digits: number) => n.toString(16).padStart(digits, "0").slice(-digits);
  return hex(hash32(`${notice.script} ${notice.kind}`), 8) + hex(notice.at, 12) + hex(notice.id, 12);
}
