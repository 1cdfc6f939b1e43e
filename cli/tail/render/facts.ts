/** Parts of a line, each of one fact of an event: its text, made safe, and its style. Pure. */
import type { EventJson } from "../../../workers/api/contract.ts";
import { cutLine, safeLine } from "../../safe-text.ts";
import type { Style } from "./colour.ts";

export interface Part {
  text: string;
  style?: Style | undefined;
}

const MAX_WORKER_CHARS = 24;
const MAX_VERSION_CHARS = 14;
const MAX_REQUEST_CHARS = 120;
/** The first group of a uuid tells versions apart. */
const ID_CHARS = 8;

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

export const TIME_CHARS = "04:33:20.206".length;

/** Of this machine's time zone: what the clock on the wall says. */
export function time(event: EventJson): Part {
  const at = new Date(event.time);
  if (Number.isNaN(at.getTime())) return { text: "-".repeat(TIME_CHARS), style: "dim" };
  const two = (n: number) => String(n).padStart(2, "0");
  const ms = String(at.getMilliseconds()).padStart(3, "0");
  return { text: `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`, style: "dim" };
}

export const worker = (event: EventJson): Part => ({
  text: cutLine(safeLine(textOf(event.script)) || "-", MAX_WORKER_CHARS),
});

export function version(event: EventJson): Part {
  const id = textOf(event.version_id);
  const name = cutLine(safeLine(textOf(event.version_tag) || id.slice(0, ID_CHARS)) || "-", MAX_VERSION_CHARS);
  return { text: name };
}

/** `GET /products/7`: the path as it was, where it is known; else what the event says (`rpc levels`). */
export function request(event: EventJson): Part {
  const path = event.attributes["url.path"];
  const method = textOf(event.method);
  const said = typeof path === "string" && method !== "" ? `${method} ${path}` : textOf(event.message) || "invocation";
  return { text: cutLine(safeLine(said), MAX_REQUEST_CHARS), style: "strong" };
}

/** How an invocation ended: the outcome where it says more than the status, and the status. */
export function result(event: EventJson): Part[] {
  const outcome = textOf(event.outcome);
  const parts: Part[] = [];
  const { status } = event;
  if (outcome !== "" && (outcome !== "ok" || typeof status !== "number"))
    parts.push({ text: safeLine(outcome), style: outcomeStyle(outcome) });
  if (typeof status === "number") parts.push({ text: String(status), style: statusStyle(status) });
  return parts;
}

function statusStyle(status: number): Style {
  if (status >= 500) return "error";
  if (status >= 400) return "warn";
  return status >= 300 ? "info" : "good";
}

/** The client left, or its end was not heard: nobody failed. */
const MILD = new Set(["canceled", "responseStreamDisconnected", "unknown"]);

function outcomeStyle(outcome: string): Style {
  if (outcome === "ok") return "good";
  return MILD.has(outcome) ? "warn" : "error";
}

/** Of an event that stands alone: what it happened in. */
export function context(event: EventJson): Part {
  const method = textOf(event.method);
  const asked = method === "" ? textOf(event.event_type) : `${method} ${textOf(event.route)}`;
  const ended = result(event).map(({ text }) => text);
  const text = cutLine(safeLine([asked, ...ended].filter(Boolean).join(" ")), MAX_REQUEST_CHARS);
  return { text: text === "" ? "" : `(${text})`, style: "dim" };
}

const LEVEL_CHARS = "error".length;

export function level(event: EventJson): Part {
  const name = textOf(event.level) || event.kind;
  return { text: safeLine(name).padEnd(LEVEL_CHARS), style: levelStyle(name) ?? "dim" };
}

/** Of the words of an event, where its level gives them one. */
export function messageStyle(event: EventJson): Style | undefined {
  const style = levelStyle(textOf(event.level));
  return style === "error" || style === "warn" ? style : undefined;
}

function levelStyle(name: string): Style | undefined {
  if (name === "error" || name === "fatal") return "error";
  if (name === "warn") return "warn";
  return name === "info" ? "info" : undefined;
}

export function duration({ duration: ms }: EventJson): Part {
  return { text: typeof ms === "number" ? durationText(ms) : "" };
}

function durationText(ms: number): string {
  if (ms >= 60_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
  if (ms >= 1_000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
}

export const colo = (event: EventJson): Part => ({ text: safeLine(textOf(event.colo)), style: "dim" });

export const issue = (event: EventJson): Part => ({
  text: typeof event.issue === "number" ? `issue #${event.issue}` : "",
  style: "dim",
});

/** As a filter that finds its invocation. */
export const id = (event: EventJson): Part => ({
  text: `invocation:${safeLine(textOf(event.invocation_id))}`,
  style: "dim",
});
