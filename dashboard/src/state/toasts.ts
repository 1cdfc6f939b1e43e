/** Short messages at the edge of the page: what just happened, and the way back. Components/toasts.tsx shows them. */
import { signal } from "@preact/signals";

export interface Toast {
  id: number;
  text: string;
  tone?: "bad" | "";
  /** The text leads there. */
  href?: string;
  action?: { label: string; run: () => void };
}

/** More than these cover the page; the oldest goes. */
const MOST = 3;
/** Long enough to read it and to reach for "Undo". */
const STAYS_MS = 9000;

export const toasts = signal<Toast[]>([]);
let ids = 0;
const timers = new Map<number, ReturnType<typeof setTimeout>>();

export function dismiss(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
  toasts.value = toasts.value.filter((t) => t.id !== id);
}

/** While the pointer or the focus is on it, a toast stays. */
export function hold(id: number): void {
  clearTimeout(timers.get(id));
}

export function release(id: number): void {
  clearTimeout(timers.get(id));
  timers.set(
    id,
    setTimeout(() => dismiss(id), STAYS_MS),
  );
}

export function toast(content: Omit<Toast, "id">): void {
  ids += 1;
  const id = ids;
  const kept = toasts.value.slice(-(MOST - 1));
  for (const gone of toasts.value.slice(0, -(MOST - 1))) clearTimeout(timers.get(gone.id));
  toasts.value = [...kept, { ...content, id }];
  release(id);
}

/** The newest way back, for the key that takes it. */
export function runNewestAction(): void {
  const newest = toasts.value.findLast((t) => t.action !== undefined);
  if (newest === undefined) return;
  dismiss(newest.id);
  newest.action?.run();
}
