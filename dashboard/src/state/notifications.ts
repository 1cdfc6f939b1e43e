/**
 * What somebody should be told, as it happens: a WebSocket to the live hub,
 * opened again with back-off when it breaks. While it cannot be had (a proxy
 * without WebSockets), the table behind it is asked now and then. What was read
 * is remembered in this browser.
 */
import { computed, effect, signal } from "@preact/signals";
import type { Notification } from "../../../workers/api/contract.ts";
import { issuesApi } from "../api/issues.ts";
import { backOffMs } from "../lib/back-off.ts";
import { isQuiet, isRolloutNotice, noticeHref, noticeText, summaryOf } from "../lib/notices.ts";
import { issueMoved } from "./issue-changes.ts";
import { rolloutMoved } from "./rollout-changes.ts";
import { session } from "./session.ts";
import { toast } from "./toasts.ts";

const SHOWN = 30;
const STORE_KEY = "tailrace.notifications.read";
/** Fewer failed connections in a row than this are a hiccup. */
const POLL_AFTER_FAILURES = 2;
const POLL_MS = 20_000;
/** A connection that lived this long was a good one: the next failure is a first. */
const GOOD_MS = 30_000;
/** What keeps the connection open through whatever lies between, and the server's mind on us (workers/live/limits.ts). */
const PING = "ping";
const PING_MS = 30_000;
/** Many at once are one message. */
const TOASTS_AT_ONCE = 2;

/** Newest first. */
export const notifications = signal<Notification[]>([]);
const readUpTo = signal(stored());
export const unread = computed(() => notifications.value.filter((n) => n.id > readUpTo.value && !isQuiet(n)));

function stored(): number {
  try {
    return Number(localStorage.getItem(STORE_KEY)) || 0;
  } catch {
    return 0;
  }
}

export const isUnread = (n: Notification): boolean => n.id > readUpTo.value && !isQuiet(n);

export function markAllRead(): void {
  const newest = notifications.value[0]?.id ?? 0;
  if (newest <= readUpTo.value) return;
  readUpTo.value = newest;
  try {
    localStorage.setItem(STORE_KEY, String(newest));
  } catch {
    // The mark then lasts as long as the page.
  }
}

/** Takes in what is not known yet; tells of it unless it was there before one came. */
function receive(list: Notification[], tell: boolean): void {
  const known = new Set(notifications.value.map((n) => n.id));
  const fresh = list.filter((n) => !known.has(n.id));
  if (fresh.length === 0) return;
  notifications.value = [...fresh, ...notifications.value].sort((a, b) => b.id - a.id).slice(0, SHOWN);
  if (!fresh.every(isRolloutNotice)) issueMoved();
  if (fresh.some(isRolloutNotice)) rolloutMoved();
  if (!tell) return;
  const loud = fresh.filter((n) => !isQuiet(n));
  if (loud.length > TOASTS_AT_ONCE) toast(summaryOf(loud));
  else for (const n of loud) toast({ text: noticeText(n), href: noticeHref(n) });
}

async function read(abort: AbortSignal, tell: boolean): Promise<void> {
  const newest = notifications.value[0]?.id;
  const answer = await issuesApi.notifications(SHOWN, newest, abort);
  if (!abort.aborted) receive(answer.notifications, tell);
}

/** Anything but a notification on the socket is of a later version: it is passed over. */
function parse(data: unknown): Notification | undefined {
  try {
    const value = JSON.parse(String(data)) as Notification;
    return typeof value.id === "number" && typeof value.issueId === "number" ? value : undefined;
  } catch {
    return undefined;
  }
}

function listen(): () => void {
  const abort = new AbortController();
  let socket: WebSocket | undefined;
  let failures = 0;
  let told = false;
  let again: ReturnType<typeof setTimeout> | undefined;

  /** Failures show by what is missing; the next try comes by itself. */
  const catchUp = () =>
    read(abort.signal, told).then(
      () => {
        told = true;
      },
      () => undefined,
    );

  const connect = () => {
    const opened = Date.now();
    const url = new URL("/api/v1/notifications/live", window.location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(url);
    // What came between two connections is in the table.
    socket.onopen = () => void catchUp();
    socket.onmessage = (event) => {
      const notification = parse(event.data);
      if (notification !== undefined) receive([notification], true);
    };
    socket.onclose = () => {
      if (abort.signal.aborted) return;
      failures = Date.now() - opened > GOOD_MS ? 1 : failures + 1;
      if (failures >= POLL_AFTER_FAILURES) void catchUp();
      again = setTimeout(connect, backOffMs(failures, Math.random()));
    };
  };

  const ping = setInterval(() => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(PING);
  }, PING_MS);
  const poll = setInterval(() => {
    if (failures >= POLL_AFTER_FAILURES && !document.hidden) void catchUp();
  }, POLL_MS);

  void catchUp();
  connect();
  return () => {
    abort.abort();
    clearTimeout(again);
    clearInterval(poll);
    clearInterval(ping);
    socket?.close();
  };
}

const loggedIn = computed(() => session.value !== undefined && session.value !== null);
effect(() => {
  if (loggedIn.value) return listen();
  notifications.value = [];
});
