/** The columns that the list of events needs, and a row of them. Pure. */
import type { EventJson, QueryAnswer } from "../../../workers/api/contract.ts";

const LIST_FIELDS = [
  "time",
  "kind",
  "level",
  "script",
  "version_id",
  "version_tag",
  "outcome",
  "status",
  "duration",
  "name",
  "message",
  "invocation_id",
  "seq",
] as const;

export interface EventRow {
  /** ms since the epoch, with the fraction. */
  time: number;
  kind: string;
  level: string;
  script: string;
  versionId: string;
  versionTag: string;
  outcome: string;
  status: number | null;
  duration: number | null;
  name: string;
  message: string;
  invocation: string;
  seq: number;
}

/** A row shows one line; the panel loads the whole text. Bounds the memory of a long list. */
const MAX_MESSAGE_CHARS = 400;

export const listQuery = (q: string): string => `${q} | fields ${LIST_FIELDS.join(", ")}`.trim();

/** ISO text with microseconds → ms with a fraction. */
export function isoToMs(iso: string): number {
  const micros = /\.\d{3}(\d{3})Z$/.exec(iso)?.[1];
  return Date.parse(iso) + (micros ? Number(micros) / 1000 : 0);
}

export function toRows(answer: QueryAnswer): EventRow[] {
  const at = new Map(answer.columns.map((c, i) => [c.name, i]));
  const pick = (row: QueryAnswer["rows"][number], name: (typeof LIST_FIELDS)[number]) =>
    row[at.get(name) ?? -1] ?? null;
  const text = (row: QueryAnswer["rows"][number], name: (typeof LIST_FIELDS)[number]) => {
    const v = pick(row, name);
    return v === null ? "" : String(v);
  };
  const number = (row: QueryAnswer["rows"][number], name: (typeof LIST_FIELDS)[number]) => {
    const v = pick(row, name);
    return typeof v === "number" ? v : null;
  };
  return answer.rows.map((row) => ({
    time: isoToMs(text(row, "time")),
    kind: text(row, "kind"),
    level: text(row, "level"),
    script: text(row, "script"),
    versionId: text(row, "version_id"),
    versionTag: text(row, "version_tag"),
    outcome: text(row, "outcome"),
    status: number(row, "status"),
    duration: number(row, "duration"),
    name: text(row, "name"),
    message: text(row, "message").slice(0, MAX_MESSAGE_CHARS),
    invocation: text(row, "invocation_id"),
    seq: number(row, "seq") ?? 0,
  }));
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** The row of a whole event, as the live stream brings them. */
export function toRow(event: EventJson): EventRow {
  return {
    time: isoToMs(event.time),
    kind: event.kind,
    level: textOf(event.level),
    script: event.script,
    versionId: textOf(event.version_id),
    versionTag: textOf(event.version_tag),
    outcome: textOf(event.outcome),
    status: numberOf(event.status),
    duration: numberOf(event.duration),
    name: textOf(event.name),
    message: textOf(event.message).slice(0, MAX_MESSAGE_CHARS),
    invocation: event.invocation_id,
    seq: event.seq,
  };
}

export type Tone = "error" | "warn" | "";

export function toneOf(level: string, kind: string): Tone {
  if (level === "error" || kind === "exception") return "error";
  return level === "warn" ? "warn" : "";
}

/** `<invocation>.<seq>.<ms>`: how the URL names an event. The time spares a search. */
export interface EventRef {
  invocation: string;
  seq: number;
  around: number;
}
export const writeRef = (r: EventRow): string => `${r.invocation}.${r.seq}.${Math.floor(r.time)}`;

export function readRef(text: string | undefined): EventRef | undefined {
  const match = /^(.+)\.(\d+)\.(\d+)$/.exec(text ?? "");
  return match ? { invocation: match[1] as string, seq: Number(match[2]), around: Number(match[3]) } : undefined;
}

/** `<invocation>.<seq>`: how an issue's URL names the occurrence whose stack it shows. */
export const writeOccurrence = (invocation: string, seq: number): string => `${invocation}.${seq}`;

export function readOccurrence(text: string | undefined): { invocation: string; seq: number } | undefined {
  const match = /^(.+)\.(\d+)$/.exec(text ?? "");
  return match ? { invocation: match[1] as string, seq: Number(match[2]) } : undefined;
}
