/** Numbers for people, the same in every reason. */
import type { EventClass } from "../../api/contract.ts";

const CLASS_NAME: Record<EventClass, string> = {
  request: "requests",
  durable_object: "Durable Object calls",
  queue: "queue batches",
  scheduled: "scheduled runs",
};
export const className = (name: EventClass): string => CLASS_NAME[name];

/** `22,911` */
export const count = (n: number): string => Math.round(n).toLocaleString("en-US");

/** `3.1 %`, `0.042 %`, `0 %`: two digits that mean something. */
export function percent(share: number): string {
  const value = 100 * share;
  return `${digits(value)} %`;
}

/** `1.6 percentage points` */
export function points(share: number): string {
  const text = digits(100 * share);
  return `${text} percentage ${text === "1" ? "point" : "points"}`;
}

/** `87 ms`, `1.4 s` */
export function milliseconds(value: number): string {
  return value < 1000 ? `${digits(value)} ms` : `${digits(value / 1000)} s`;
}

/** `4 min`, `1.5 min` */
export const minutes = (value: number): string => `${Math.round(value * 10) / 10} min`;

/** Two significant digits, or all of a whole number's; never `1e-7`. */
function digits(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en-US");
  if (size < 0.0001) return value > 0 ? "below 0.0001" : "0";
  const places = Math.max(0, 1 - Math.floor(Math.log10(size)));
  return String(Number(value.toFixed(places)));
}
