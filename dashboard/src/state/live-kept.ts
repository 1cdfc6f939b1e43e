/**
 * The Live page's feed outlives the page for a while: who goes to an invocation
 * and comes back finds the list as it was, and what came meanwhile. Only one is
 * kept, without a connection, and none for who has logged out.
 */
import { effect } from "@preact/signals";
import { ApiFailure, request } from "../api/client.ts";
import { LiveFeed } from "./live-feed.ts";
import { session } from "./session.ts";

const KEEP_MS = 5 * 60_000;
/** What a request without an Upgrade is told when a WebSocket would be taken. */
const WOULD_BE_TAKEN = "upgrade_required";

let kept: LiveFeed | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

function forget(): void {
  clearTimeout(timer);
  kept?.close();
  kept = undefined;
}

effect(() => {
  if (session.value === null) forget();
});

async function ask(url: string): Promise<ApiFailure | undefined> {
  try {
    await request<unknown>("GET", url);
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    return error.code === WOULD_BE_TAKEN ? undefined : error;
  }
}

function openSocket(path: string): WebSocket {
  const url = new URL(path, window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url);
}

/** A feed that is connected, or about to be. */
export function takeFeed(script: string, q: string): LiveFeed {
  if (kept?.script === script) {
    const feed = kept;
    kept = undefined;
    clearTimeout(timer);
    feed.filter(q);
    feed.comeBack();
    return feed;
  }
  forget();
  return new LiveFeed(
    { script, q },
    {
      open: openSocket,
      ask,
      now: Date.now,
      random: Math.random,
      hidden: () => document.hidden,
      frame: (draw) => void requestAnimationFrame(draw),
    },
  );
}

export function leaveFeed(feed: LiveFeed): void {
  forget();
  if (session.value === null) {
    feed.close();
    return;
  }
  feed.leave();
  kept = feed;
  timer = setTimeout(forget, KEEP_MS);
}
