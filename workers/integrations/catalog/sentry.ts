/** Sentry, and everything that takes a Sentry DSN. What speaks its protocol is in `../sentry/`. */
import type { Destination } from "../contract.ts";
import { deliver } from "../sentry/deliver.ts";
import { DEFAULT_ENVIRONMENT, readSettings } from "../sentry/settings.ts";
import { sendTestMessage } from "../sentry/test-message.ts";

const DOCUMENTATION = `
Works with sentry.io, self-hosted Sentry, and what takes a Sentry DSN (GlitchTip, Bugsink, Spotlight …).

**Where to find the DSN:** in Sentry, *Settings › Projects ›* your project *› Client Keys (DSN)*. It is stored encrypted and never shown again.

**What arrives**

- **Errors**: what was thrown is an unhandled error, what was logged as an \`Error\` a handled one, with causes, your own source (Tailrace's source maps, nothing needs to be uploaded to Sentry), the request, the user, the console calls before it as breadcrumbs, and a link back to the issue here. An invocation that failed and threw nothing (status 5xx, CPU or memory exceeded) is a message. The release is the Worker's version.
- **Logs**: console calls as Sentry's structured logs, tied to the error by the trace.
- **Traces**: one transaction for each invocation. They count against the quota of transactions, so they are off unless you choose them: sample them.

**Known differences**

- Values are sent as they are stored here: redacted.
- Sentry leaves out an *event* that comes twice, by its id. Its logs have no ids: after an answer that was lost a log may be there twice.
- When Sentry says that the quota of one kind is used up (logs, for one), that kind waits, and the others go on. What waits is kept for seven days; what goes on meanwhile is remembered by name, up to some 16,000 items of a Worker: from then on its others wait, too. Where a quota is used up for weeks, make one destination for errors and one for logs.
- What is too large for Sentry is told in less detail and has the tag \`tailrace.trimmed\`.
- Sentry drops what is older than 30 days when it arrives, and events that its own inbound filters match, without saying so.
`.trim();

const sentry: Destination = {
  id: "sentry",
  name: "Sentry",
  role: "destination",
  category: "Errors",
  summary: "Errors with your own source, console logs and traces, to Sentry or anything with a Sentry DSN.",
  takes: ["errors", "logs", "traces"],
  // Every invocation as a transaction would use up most quotas within hours.
  defaultFeeds: ["errors", "logs"],
  fields: [
    {
      name: "dsn",
      label: "DSN",
      type: "secret",
      required: true,
      secret: true,
      help: "The project's client key: Settings › Projects › your project › Client Keys.",
      example: "https://0a1b2c@o42.ingest.sentry.io/4507",
    },
    {
      name: "environment",
      label: "Environment",
      type: "text",
      required: false,
      secret: false,
      help: "What these Workers are called in Sentry's list of environments.",
      example: DEFAULT_ENVIRONMENT,
      default: DEFAULT_ENVIRONMENT,
    },
    {
      name: "grouping",
      label: "Grouping",
      type: "select",
      required: false,
      secret: false,
      help: "Which errors are one issue.",
      default: "tailrace",
      options: [
        { value: "tailrace", label: "As in Tailrace, by its fingerprints" },
        { value: "sentry", label: "Sentry's own, by stack" },
      ],
    },
    {
      name: "release",
      label: "Release",
      type: "select",
      required: false,
      secret: false,
      help: "What a version of a Worker is called among Sentry's releases.",
      default: "id",
      advanced: true,
      options: [
        { value: "id", label: "The version's id" },
        { value: "tag", label: "worker@tag, where the version has a tag" },
      ],
    },
  ],
  documentation: DOCUMENTATION,
  website: "https://docs.sentry.io/concepts/key-terms/dsn-explainer/",
  mark: { text: "Se", color: "#6c5fc7" },
  idempotent: true,
  limits: { items: 100, bytes: 2_000_000 },
  // Sentry sorts by the events' own time.
  ordered: false,
  check(values) {
    const read = readSettings(values);
    return read.ok ? {} : read.problems;
  },
  test: sendTestMessage,
  send: deliver,
};

export default sentry;
