/** What bounds the live hub: its viewers, what each may say, what waits for them, what is kept for those who come again. */
import { LIVE_PING_MS } from "../api/contract/live.ts";

/** Sockets of a hub; a Durable Object takes 32,768, each costs memory when it is awake. */
export const MAX_LISTENERS = 2_000;
/** Of one credential: windows of a team that shares a token, and never the places of all others. */
export const MAX_LISTENERS_EACH = 1_000;
export const LISTENER_FULL = "Too many listen already. Close some, or try again later.";

/** Of a tag of a socket. */
export const MAX_TAG_CHARS = 256;
export const MAX_TOPIC_CHARS = 100;
/** An IPv6 address with a zone. */
export const MAX_IP_CHARS = 64;

/** What a viewer may say at once: a cursor with positions in some hundred shards. */
export const MAX_MESSAGE_CHARS = 65_536;
/** Messages of one viewer: at 5,000 events/s it acknowledges some 80 times a second … */
export const MESSAGES_PER_S = 200;
export const MESSAGES_BURST = 400;
/** … and one that makes the hub compile or search counts as this many. */
export const DEAR_MESSAGE = 20;
/** Asking for what was missed, which a viewer does once: each may be all of the ring. */
export const RESUMES_PER_S = 0.1;
export const RESUMES_BURST = 3;

/** Three pings are missing. */
const GONE_MS = 3 * LIVE_PING_MS + 5_000;
/** How often those are looked for while there is work. */
export const GONE_CHECK_MS = 30_000;

/**
 * Characters on their way to all viewers together. The runtime queues what a
 * socket does not take, without bound and without a word, and the object has 128 MB.
 */
export const UNREAD_CHARS = 32 << 20;
/** Of one viewer, however few there are: more is seconds behind … */
export const MAX_WINDOW_CHARS = 512 << 10;
/** … and however many: less than this stands still between two acknowledgements. */
export const MIN_WINDOW_CHARS = 16 << 10;
/** Of a window, beyond it, for errors alone: they come when the rest is only counted. */
export const ERRORS_SHARE = 0.25;
/** One frame: large enough to be cheap, small enough that acknowledgements flow. */
export const MAX_FRAME_CHARS = 64 << 10;
/** Made into text for one audience and push; what is beyond is counted. */
export const MAX_PUSH_CHARS = 1 << 20;
/** The same of what was missed, which waits until it is read: entries that are short in the log may be long as text. */
export const MAX_MISSED_CHARS = 8 << 20;

/** Pushed entries kept for who comes again: a redeploy and a lift ride, in a part of the object's memory. */
export const RING_CHARS = 12 << 20;
export const RING_ENTRIES = 6_000;
export const RING_MS = 5 * 60_000;

/** A new viewer's live events wait this long for its `resume`, so that they come in order. */
export const RESUME_GRACE_MS = 250;
/** What a viewer got from a log ahead of the pushes is pushed within this long, or never: an Ingester's queue is seconds. */
export const AHEAD_MS = 60_000;
/** A resuming viewer that reads nothing for this long is told what it does not see instead. */
export const ROOM_MS = 10_000;
/** Shards asked for one resume, at once, how long, and how much of each. */
export const REPLAY_SHARDS = 512;
export const REPLAY_WIDTH = 8;
export const REPLAY_TIMEOUT_MS = 3_000;
export const REPLAY_PAGE_BYTES = 1 << 20;
/** Answers that are kept for others who ask the same, and how long: a redeploy sends all viewers at once. */
export const REPLAYS_KEPT = 8;
export const REPLAYS_MS = 2_000;
/** Pages of one shard. */
export const REPLAY_PAGES = 16;

/** After the last viewer, leases and ring stay this long: who reconnects misses nothing. */
export const LINGER_MS = 60_000;
/** While there are viewers: leases of quiet Workers are renewed, credentials looked up again. */
export const ALARM_MS = 4 * 60_000;
/** Looking up who comes, or who is here, holds nothing longer. */
export const STANDING_TIMEOUT_MS = 2_000;
/** Ingesters that one hub tells of itself; further ones hear of it through the Collectors. */
export const WATCHED_SHARDS = 512;
export const WATCH_WIDTH = 16;
export const WATCH_TIMEOUT_MS = 2_000;
/** So long a new viewer waits for all of them together. */
export const WATCH_PATIENCE_MS = 3_000;

/**
 * A push is answered this much later for each frame that was sent, so that what
 * the Ingester has to push next is more at once: a frame costs some 10 µs however small.
 */
export const REST_MS_PER_FRAME = 0.05;
/** The same for a frame of a stream above its rate: a hundred viewers get fewer and fuller ones. */
export const REST_MS_PER_SAMPLE = 0.5;
/** Of a push, after which there is no rest: a tenth of what may wait in the Ingester (buffer/limits.ts), at full speed some 50 ms. */
export const MAX_REST_CHARS = 300_000;
export const MAX_REST_MS = 150;

/** Positions of viewers are told at least this often while events pass that they do not see. */
export const POSITION_MS = 1_000;
/** Shards whose positions are remembered, those with the latest news. */
export const MAX_POSITIONS = 2_000;

/** Compiled filters kept though nobody uses them. */
export const RECENT_FILTERS = 100;
/** `issue:12` is looked up again: fingerprints come and are merged. */
export const ISSUES_FRESH_MS = 60_000;
/** A look-up that failed is tried again after this long; until then its filter compares with nothing. */
export const ISSUES_RETRY_MS = 10_000;
/** Looking it up holds nothing longer. */
export const ISSUES_TIMEOUT_MS = 2_000;
/** How far back an issue's fingerprints are looked for: those of older events do not come live, or come anew. */
export const ISSUES_RANGE_MS = 30 * 24 * 3_600_000;

/** Steps that one character may cost a filter's regular expressions together. */
export const MAX_REGEX_STEPS = 5_000;
/** Comparisons of all filters of the hub: some 10 ns each, so a quarter of its thread; and how much may be saved up. */
export const STEPS_PER_S = 25_000_000;
export const STEPS_BURST = 10_000_000;

/** Trace items per second to one `wrangler tail`: a terminal shows less. */
export const TRACE_ITEMS_PER_S = 500;
/** Characters per second to one `wrangler tail`. */
export const TRACE_CHARS_PER_S = 2 << 20;
/** What it does not see is told at once, and then this often. */
export const TRACE_NOTICE_MS = 5_000;
/** Sent to all `wrangler tail`s without a sign that it was read; the one with the most is sent away when it is more, and comes again by itself. */
export const UNPROVEN_CHARS = 64 << 20;
/** Beyond that, divided among them: one that reads is sent something though others do not. */
export const UNPROVEN_OWN_CHARS = 8 << 20;
/** Half of it is taken to have been read after this long: tails of 350 KB a second in all are never sent away. */
export const UNPROVEN_HALF_MS = 2 * 60_000;
/** One that comes again this soon goes on where it was. */
export const TRACE_RETURN_MS = 60_000;

/** `pinged`: its last ping, ms; undefined for a viewer that never pings, of which nobody can tell. */
export function hasGone(pinged: number | undefined, now: number): boolean {
  return pinged !== undefined && now - pinged > GONE_MS;
}
