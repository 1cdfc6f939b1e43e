/** Rates, times and versions as words of a few characters. Pure. */
import type { GateResult, VersionName } from "../../../workers/api/contract.ts";
import { cutLine, safeLine } from "../../safe-text.ts";

const MAX_MESSAGE_CHARS = 40;
const ID_CHARS = 8;

/** Three digits tell. JSON has no infinities: they arrive as null. */
export function figure(n: number | null): string {
  if (n === null || !Number.isFinite(n)) return "–";
  if (Number.isInteger(n) || Math.abs(n) >= 1000) return Math.round(n).toLocaleString("en");
  return String(Number(n.toPrecision(3)));
}

export const share = (value: number): string => `${figure(value * 100)} %`;

export function amount(value: number | null, unit: GateResult["unit"]): string {
  if (value === null) return "–";
  return unit === "share" ? share(value) : unit === "ms" ? `${figure(value)} ms` : figure(value);
}

/** Of shares, whatever the gate's own unit is. */
export function interval({ difference }: GateResult): string {
  if (difference === null) return "";
  const { estimate, low, high } = difference;
  return `${signed(estimate)} [${signed(low)}, ${signed(high)}]`;
}

const signed = (value: number): string => `${value > 0 ? "+" : value < 0 ? "−" : ""}${share(Math.abs(value))}`;

export function lasted(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return s % 60 === 0 || m >= 10 ? `${m} min` : `${m} min ${s % 60} s`;
  return m % 60 === 0 ? `${Math.floor(m / 60)} h` : `${Math.floor(m / 60)} h ${m % 60} min`;
}

/** `9c3b7e42 v2.0 "faster"` */
export function versionText({ id, tag, message }: VersionName): string {
  const said = message === "" ? "" : `"${cutLine(safeLine(message), MAX_MESSAGE_CHARS)}"`;
  return [safeLine(id).slice(0, ID_CHARS), cutLine(safeLine(tag), MAX_MESSAGE_CHARS), said]
    .filter((part) => part !== "")
    .join(" ");
}
