/** Lines of logs to any HTTP address. */

import type { Destination, Failure } from "../contract.ts";
import { FORMAT_FIELDS, FORMATS_TEXT, formatOf } from "../log-files/format.ts";
import { DEFAULT_BATCH, MAX_BATCH, post, sendLines } from "../log-files/http.ts";
import { withAdvice } from "../sending/advice.ts";
import { compressionField, headersField } from "../sending/fields.ts";
import { readHeaders } from "../sending/headers.ts";
import { testItem } from "../sending/test-item.ts";

const ADVICE: Partial<Record<Failure["kind"], string>> = {
  unauthorized: "Check the headers: it wants another credential.",
  misplaced: "Check the address: nobody takes a POST there.",
};

const logFilesHttp: Destination = {
  id: "log-files-http",
  name: "Log lines over HTTP",
  role: "destination",
  category: "Archives",
  summary: "NDJSON, plain text or syslog lines by POST to any address: Vector, Fluent Bit, Loki's friends, your own.",
  takes: ["errors", "logs", "traces"],
  website: "https://vector.dev/docs/reference/configuration/sources/http_server/",
  mark: { text: "››", color: "#4b5563" },
  idempotent: false,
  ordered: true,
  limits: { items: 1_000, bytes: 2 << 20 },
  fields: [
    {
      name: "url",
      label: "Address",
      type: "secret",
      required: true,
      secret: true,
      help: "Where lines are POSTed to. Kept secret: many addresses hold a token.",
      example: "https://logs.example.com/in",
    },
    headersField({ help: "For example Authorization: Bearer abc. A comma between two." }),
    ...FORMAT_FIELDS,
    {
      name: "batch",
      label: "Lines per request",
      type: "number",
      required: false,
      secret: false,
      help: `At most; 1 to ${MAX_BATCH}.`,
      default: String(DEFAULT_BATCH),
      advanced: true,
    },
    { ...compressionField("none", "Of request bodies. Not every sink takes gzip."), advanced: true },
  ],
  check(values) {
    const problems: Record<string, string> = {};
    if (!/^https?:$/.test(URL.parse((values.url ?? "").trim())?.protocol ?? "")) {
      problems.url = "Enter an address that begins with https://.";
    }
    const headers = readHeaders(values.headers ?? "");
    if (!headers.ok) problems.headers = headers.problem;
    const batch = Number(values.batch || DEFAULT_BATCH);
    if (!Number.isInteger(batch) || batch < 1 || batch > MAX_BATCH)
      problems.batch = `A whole number from 1 to ${MAX_BATCH}.`;
    return problems;
  },
  send: sendLines,
  async test(values, io) {
    const format = formatOf(values);
    const item = testItem("logs", io.now());
    const verdict = await post(values, format, format.write([item], new Map()), `${item.id}-1`, io);
    if (verdict.fate === "delivered") return { ok: true, message: "The sink took a line that says it is a test." };
    return { ok: false, failure: withAdvice(verdict.failure, ADVICE) };
  },
  documentation: `POSTs lines to an address, in the order in which a Worker wrote them. Any 2xx means that they were taken. 408, 429 and 5xx are tried again, with \`Retry-After\`; 401, 403 and 404 wait for you; other answers refuse the lines: the batch is halved until the one that is to blame is alone, and becomes a dead letter.

The same lines have the same \`Idempotency-Key\`, so that a sink that looks at it takes them once.

${FORMATS_TEXT}

**Vector**, for example:

\`\`\`toml
[sources.workers]
type = "http_server"
address = "0.0.0.0:8080"
decoding.codec = "json"
framing.method = "newline_delimited"
\`\`\``,
};
export default logFilesHttp;
