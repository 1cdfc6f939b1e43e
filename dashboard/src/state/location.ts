/**
 * The URL as state. preact-iso's provider owns it; `LocationBridge` (app.tsx)
 * mirrors it into these signals so that code outside components can read it
 * and navigate.
 */
import { computed, signal } from "@preact/signals";
import { DEFAULT_RANGE, ISSUES_RANGE, type RangeText } from "../lib/range.ts";

export const path = signal(window.location.pathname);
export const query = signal<Record<string, string>>(Object.fromEntries(new URLSearchParams(window.location.search)));

let route: (url: string, replace?: boolean) => void = (url) => window.location.assign(url);

export function bindRouter(next: typeof route): void {
  route = next;
}

/** Where one wants to go: a path of this site, or back. */
export type Wanted = { to: string } | "back";

/** Asks in place of leaving `at` while its form holds what is not saved (state/leaving.ts). */
interface Guard {
  at: string;
  ask: (wanted: Wanted) => void;
}
let guard: Guard | undefined;

export function guardNavigation(next: Guard | undefined): void {
  guard = next;
}

export function navigate(url: string, replace = false): void {
  if (guard === undefined) route(url, replace);
  else guard.ask({ to: url });
}

// Before the router's own, which is registered when it mounts: a window asks its listeners in their order.
window.addEventListener("popstate", (event) => {
  if (guard === undefined) return;
  event.stopImmediatePropagation();
  history.pushState(null, "", guard.at);
  guard.ask("back");
});

/** Changes parameters of the present page; `undefined` takes one out. One history entry unless `replace`. */
export function setQuery(changes: Record<string, string | undefined>, replace = false): void {
  const params = new URLSearchParams(window.location.search);
  for (const key in changes) {
    const value = changes[key];
    if (value === undefined || value === "") params.delete(key);
    else params.set(key, value);
  }
  const text = params.toString();
  const url = `${window.location.pathname}${text === "" ? "" : `?${text}`}`;
  if (url !== window.location.pathname + window.location.search) route(url, replace);
}

export const range = computed<RangeText>((previous?: RangeText) => {
  const { from, to } = query.value;
  const usual = path.value.startsWith("/issues") ? ISSUES_RANGE : DEFAULT_RANGE;
  const next = from === undefined ? usual : { from, to: to ?? "now" };
  // The same object for the same text, so that nothing reloads without need.
  return previous !== undefined && previous.from === next.from && previous.to === next.to ? previous : next;
});

/** Parameters that follow from page to page. */
export function withRange(href: string): string {
  const { from, to } = query.value;
  if (from === undefined) return href;
  const params = new URLSearchParams({ from, to: to ?? "now" });
  return `${href}${href.includes("?") ? "&" : "?"}${params}`;
}

/** Sets an absolute range, as a drag over a chart does. */
export function zoom(fromMs: number, toMs: number): void {
  setQuery({ from: String(Math.floor(fromMs)), to: String(Math.ceil(toMs)), event: undefined });
}
