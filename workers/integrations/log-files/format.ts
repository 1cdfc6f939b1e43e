/** Items → one text in the chosen format, and what to call it. `r2` and `http` files of the catalog share it. */
import type { CatalogField } from "../../api/contract/integrations.ts";
import type { EventItem, Values } from "../contract.ts";
import type { StackTexts } from "../sending/stack-text.ts";
import { type Entry, entryOf } from "./entry.ts";
import { ndjsonLine } from "./ndjson.ts";
import { syslogMessage } from "./rfc5424.ts";
import { textLine } from "./text.ts";

export interface Format {
  /** Of file names. */
  extension: string;
  contentType: string;
  write(items: readonly EventItem[], stacks: StackTexts): Uint8Array<ArrayBuffer>;
}

export function formatOf(values: Values): Format {
  if (values.format === "text") return lines("log", "text/plain; charset=utf-8", textLine);
  if (values.format !== "rfc5424") return lines("ndjson", "application/x-ndjson", ndjsonLine);
  const message = (entry: Entry) => syslogMessage(entry, (values.hostname ?? "").trim());
  return values.framing === "octets" ? counted(message) : lines("syslog", "text/plain; charset=utf-8", message);
}

function lines(extension: string, contentType: string, line: (entry: Entry) => string): Format {
  return {
    extension,
    contentType,
    write: (items, stacks) => encode(items.map((item) => `${line(entryOf(item, stacks))}\n`).join("")),
  };
}

/** RFC 6587, 3.4.1: `<octets> <message>`, with nothing between two. */
function counted(message: (entry: Entry) => string): Format {
  return {
    extension: "syslog",
    contentType: "application/octet-stream",
    write: (items, stacks) => {
      const parts = items.map((item) => encode(message(entryOf(item, stacks))));
      const framed = parts.flatMap((part) => [encode(`${part.length} `), part]);
      const out = new Uint8Array(framed.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of framed) {
        out.set(part, at);
        at += part.length;
      }
      return out;
    },
  };
}

const encoder = new TextEncoder();
const encode = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text) as Uint8Array<ArrayBuffer>;

export const FORMAT_FIELDS: readonly CatalogField[] = [
  {
    name: "format",
    label: "Format",
    type: "select",
    required: true,
    secret: false,
    help: "NDJSON keeps everything; text is for people; RFC 5424 is what syslog's collectors read.",
    default: "ndjson",
    options: [
      { value: "ndjson", label: "NDJSON" },
      { value: "text", label: "Plain text" },
      { value: "rfc5424", label: "Syslog (RFC 5424)" },
    ],
  },
  {
    name: "framing",
    label: "Framing of syslog messages",
    type: "select",
    required: false,
    secret: false,
    help: "How one message is told from the next (RFC 6587).",
    default: "newline",
    options: [
      { value: "newline", label: "A line each" },
      { value: "octets", label: "Octets counted" },
    ],
    advanced: true,
  },
  {
    name: "hostname",
    label: "Host name in syslog messages",
    type: "text",
    required: false,
    secret: false,
    help: "Printable ASCII. Without one: tailrace.",
    advanced: true,
  },
];

export const FORMATS_TEXT = `**Formats**

- **NDJSON**: one JSON object a line: \`time\` (µs), \`id\`, \`level\`, \`worker\`, \`version\`, \`kind\`, \`message\`, the fields that Explore knows by the same names, \`stack\` (in your own source where Tailrace has the map), and \`attributes\`.
- **Plain text**: time, level, Worker, message, then \`name=value\`. One line each: line breaks within are written as \`\\n\`.
- **Syslog, RFC 5424**: facility local0; the Worker is APP-NAME, the version PROCID, the kind MSGID; everything else is structured data (\`tailrace@32473\`, \`attributes@32473\`). A line each, or with octets counted (RFC 6587).

\`id\` is the same at every try, in all formats.`;
