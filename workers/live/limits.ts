/** What bounds the live hub, and when a viewer counts as gone. */

/** What a viewer may say, and what it hears. */
export const PING = "ping";
export const PONG = "pong";
/** How often a viewer should: proxies close what is silent for a minute or more. */
export const PING_MS = 30_000;
/** Three pings are missing. */
const GONE_MS = 3 * PING_MS + 5_000;

/** Who may listen is decided when a viewer comes. After this it has to come again, so that a revoked credential hears no longer. */
export const MAX_LISTENING_MS = 60 * 60_000;

/** Dashboards that are open at once; a Durable Object takes 32,768 sockets, each costs memory when it is awake. */
export const MAX_LISTENERS = 2_000;
/** Of one credential: windows of a team that shares a token, and never the places of the others. */
export const MAX_LISTENERS_EACH = 200;
export const LISTENER_FULL = "Too many listen already. What happened is in the table, too: ask for it again.";
/** Of a tag of a socket. */
export const MAX_TAG_CHARS = 256;
export const MAX_TOPIC_CHARS = 100;

/** `pinged`: its last ping, ms; undefined for a viewer that never pings, of which nobody can tell. */
export function hasGone(pinged: number | undefined, now: number): boolean {
  return pinged !== undefined && now - pinged > GONE_MS;
}
