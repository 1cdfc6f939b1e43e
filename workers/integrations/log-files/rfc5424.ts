/**
 * Syslog messages (RFC 5424), strictly: header fields in printable ASCII within
 * their lengths, structured data escaped (section 6.3.3), a message of more than
 * ASCII with its byte order mark (6.4). Control characters are written visibly, in
 * which form both framings (RFC 6587: a line each, or the octets counted) can carry them.
 */
import type { AttributeValue } from "../../event/event.ts";
import { type Entry, timeText } from "./entry.ts";
import { visible } from "./visible.ts";

/** local0: for programs of one's own. */
const FACILITY = 16;
const SEVERITIES = new Map([
  ["emergency", 0],
  ["fatal", 0],
  ["alert", 1],
  ["critical", 2],
  ["error", 3],
  ["warn", 4],
  ["warning", 4],
  ["notice", 5],
  ["info", 6],
  ["log", 6],
  ["debug", 7],
  ["trace", 7],
]);
const INFORMATIONAL = 6;

const MAX_HOSTNAME = 255;
const MAX_APP_NAME = 48;
const MAX_PROCID = 128;
const MAX_MSGID = 32;
const MAX_SD_NAME = 32;
const HOSTNAME = "tailrace";
const BOM = "\ufeff";
/** Elements need an organization's number: this one is kept for documents and whoever has none (RFC 5612). */
const ENTERPRISE = "32473";

export function syslogMessage(entry: Entry, hostname: string): string {
  const { time, id, level, worker, version, kind, message, fields, attributes } = entry;
  const priority = FACILITY * 8 + (SEVERITIES.get(level) ?? INFORMATIONAL);
  const header = [
    `<${priority}>1`,
    timeText(time),
    printable(hostname || HOSTNAME, MAX_HOSTNAME),
    printable(worker, MAX_APP_NAME),
    printable(version, MAX_PROCID),
    printable(kind, MAX_MSGID),
  ].join(" ");
  const data = element("tailrace", { id, ...fields }) + element("attributes", attributes);
  const text = visible(message);
  return `${header} ${data} ${isAscii(text) ? text : BOM + text}`;
}

/** PRINTUSASCII; `-` where nothing is left (NILVALUE). */
function printable(text: string, max: number): string {
  return text.replace(/[^\u0021-\u007e]/g, "_").slice(0, max) || "-";
}

function element(name: string, parameters: Readonly<Record<string, AttributeValue>>): string {
  const all = Object.entries(parameters);
  if (all.length === 0) return "";
  return `[${name}@${ENTERPRISE}${all.map(([key, value]) => ` ${sdName(key)}="${escaped(String(value))}"`).join("")}]`;
}

/** SD-NAME: printable ASCII without `=`, `]` and `"`. */
const sdName = (key: string): string => key.replace(/[^\u0021-\u007e]|[="\]]/g, "_").slice(0, MAX_SD_NAME) || "_";

const escaped = (value: string): string => visible(value).replace(/["\\\]]/g, "\\$&");

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is asked for.
const isAscii = (text: string): boolean => /^[\u0000-\u007f]*$/.test(text);
