/** Attributes in what is left of the line. Pure. */
import type { EventJson } from "../../../workers/api/contract.ts";
import { cutLine, safeLine } from "../../safe-text.ts";

/** Room for them even where the message fills the line. */
const MIN_CHARS = 24;
const MAX_VALUE_CHARS = 40;

/** What every request has: of use in a question, noise in a stream. */
const OF_EVERY_REQUEST = /^(client|cloudflare|geo|http|network|server|tls|url|user_agent|faas|rpc|tailrace)\./;

/** `a=1 b="two words" …+3`; all of them, whole, if `full`. */
export function attributesText(event: EventJson, { full, chars }: { full: boolean; chars: number }): string {
  const pairs = Object.entries(event.attributes).filter(([name]) => full || isTelling(event, name));
  const shown: string[] = [];
  let used = 0;
  for (const [name, value] of pairs) {
    const pair = `${safeLine(name)}=${valueText(value, full)}`;
    if (!full && used + pair.length > Math.max(chars, MIN_CHARS)) break;
    shown.push(pair);
    used += pair.length + 1;
  }
  const left = pairs.length - shown.length;
  return shown.concat(left > 0 ? `…+${left}` : []).join(" ");
}

/** As `ingest/redact/` writes it. */
const REDACTED = "REDACTED";

/** Not what says nothing, nor what the line says already. A logged object is its own message. */
function isTelling(event: EventJson, name: string): boolean {
  const value = event.attributes[name];
  if (value === REDACTED || value === event[name]) return false;
  if (event.kind === "invocation") return !OF_EVERY_REQUEST.test(name);
  return !(typeof event.message === "string" && event.message.startsWith("{"));
}

function valueText(value: string | number | boolean, full: boolean): string {
  const text = safeLine(String(value));
  const short = full ? text : cutLine(text, MAX_VALUE_CHARS);
  return short === "" || /[\s"=]/.test(short) ? `"${short.replaceAll('"', '\\"')}"` : short;
}
