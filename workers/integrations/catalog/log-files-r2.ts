/** Log files in the team's own bucket, below `exports/`. */

import type { Destination } from "../contract.ts";
import { FORMAT_FIELDS, FORMATS_TEXT, formatOf } from "../log-files/format.ts";
import { DEFAULT_FOLDER, DEFAULT_LINGER_S, lingerOf, MAX_LINGER_S, put, writeObjects } from "../log-files/r2.ts";
import { compressionField } from "../sending/fields.ts";
import { testItem } from "../sending/test-item.ts";

const MAX_FOLDER_CHARS = 200;

const logFilesR2: Destination = {
  id: "log-files-r2",
  name: "Log files in R2",
  role: "destination",
  category: "Archives",
  summary: "NDJSON, plain text or syslog files in your own bucket, by Worker, day and hour.",
  takes: ["errors", "logs", "traces"],
  website: "https://developers.cloudflare.com/r2/",
  mark: { text: "R2", color: "#c2570c" },
  idempotent: true,
  ordered: true,
  limits: { items: 5_000, bytes: 4 << 20 },
  fields: [
    {
      name: "folder",
      label: "Folder",
      type: "text",
      required: true,
      secret: false,
      help: "Below exports/ in Tailrace's bucket: one of its own for each destination.",
      default: DEFAULT_FOLDER,
      example: "logs",
    },
    ...FORMAT_FIELDS,
    compressionField("gzip", "Compressed files end with .gz."),
    {
      name: "linger",
      label: "Seconds that a file may grow",
      type: "number",
      required: false,
      secret: false,
      help: `0 to ${MAX_LINGER_S}. A file is written when its first event is so old, or when it holds 1 MB.`,
      default: String(DEFAULT_LINGER_S),
      advanced: true,
    },
  ],
  linger: lingerOf,
  check(values): Record<string, string> {
    const problems: Record<string, string> = {};
    const folder = values.folder ?? "";
    if (!/^[\w./=-]*$/.test(folder) || folder.length > MAX_FOLDER_CHARS)
      problems.folder = `Letters, digits, . _ - = and / only, ${MAX_FOLDER_CHARS} characters at most.`;
    const seconds = Number(values.linger || DEFAULT_LINGER_S);
    if (!(seconds >= 0 && seconds <= MAX_LINGER_S)) problems.linger = `A number from 0 to ${MAX_LINGER_S}.`;
    return problems;
  },
  send: writeObjects,
  async test(values, io) {
    const format = formatOf(values);
    const path = `tailrace-test.${format.extension}`;
    const failure = await put(values, path, format.write([testItem("logs", io.now())], new Map()), format, io);
    if (failure !== undefined) return { ok: false, failure };
    return {
      ok: true,
      message: `A file was written: ${values.folder || DEFAULT_FOLDER}/${path}${values.compression === "none" ? "" : ".gz"}, below exports/ in the bucket.`,
    };
  },
  documentation: `Writes to Tailrace's own R2 bucket, where nothing of Tailrace's retention touches it:

\`\`\`
exports/<folder>/worker=shop/date=2026-11-21/hour=12/20261121T120000.123456Z-<id>.ndjson.gz
\`\`\`

Date and hour are those of the events (UTC). A file holds a minute of one Worker, or 1 MB before compression where that is less; the minute can be set, also to none. What is not yet written is kept in Tailrace meanwhile. A file that is written again, after a failure, has the same name, so nothing is there twice.

${FORMATS_TEXT}

**Read them** with anything: \`SELECT * FROM read_json('s3://…/exports/logs/*/*/*/*.ndjson.gz', hive_partitioning = true)\` in DuckDB. For analysis the Parquet segments, which Tailrace keeps anyway, are smaller and quicker; these files are for tools and auditors that want logs as logs. R2 has life-cycle rules for how long they stay.`,
};
export default logFilesR2;
