/** Auto-refresh: a counter that moves while the range ends now, the switch is on and the page is seen. */
import { effect, signal } from "@preact/signals";
import { isRelative, parseTime } from "../lib/range.ts";
import { range } from "./location.ts";

const STORE_KEY = "tailrace.live";
/** A twelfth of a minute for short ranges; long ones change slowly and cost more. */
const FAST_MS = 5000;
const SLOW_MS = 30_000;
const SHORT_RANGE_MS = 3_600_000;

function stored(): boolean {
  try {
    return localStorage.getItem(STORE_KEY) !== "off";
  } catch {
    return true;
  }
}

export const live = signal(stored());
export const tick = signal(0);

export function toggleLive(): void {
  live.value = !live.value;
  try {
    localStorage.setItem(STORE_KEY, live.value ? "on" : "off");
  } catch {
    // The switch then lasts as long as the page.
  }
}

const bump = () => {
  if (!document.hidden) tick.value++;
};

effect(() => {
  if (!live.value || !isRelative(range.value)) return;
  const now = Date.now();
  const every = now - parseTime(range.value.from, now) <= SHORT_RANGE_MS ? FAST_MS : SLOW_MS;
  const timer = setInterval(bump, every);
  document.addEventListener("visibilitychange", bump);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", bump);
  };
});
