/** Datadog: errors, logs and traces to the log intake (v2), notices as events. https://docs.datadoghq.com/api/latest/logs/ */
import type { Destination, Failure } from "../contract.ts";
import { logOf } from "../datadog/log.ts";
import { optionsOf, postLogs, send } from "../datadog/send.ts";
import { eventsUrl, logsUrl, SITES } from "../datadog/sites.ts";
import { withAdvice } from "../sending/advice.ts";
import { testItem } from "../sending/test-item.ts";

const ADVICE: Partial<Record<Failure["kind"], string>> = {
  unauthorized:
    "Datadog does not accept this API key at this site: keys belong to one site, and an application key is something else.",
  misplaced: "Leave the addresses under Advanced empty, unless you run a proxy.",
};

const datadog: Destination = {
  id: "datadog",
  name: "Datadog",
  role: "destination",
  category: "Observability",
  summary: "Errors, logs and invocations to Datadog Logs; new issues and rollouts as events beside your graphs.",
  takes: ["errors", "logs", "traces", "notices"],
  website: "https://www.datadoghq.com",
  mark: { text: "Dd", color: "#632ca6" },
  idempotent: false,
  ordered: false,
  limits: { items: 1_000, bytes: 3_000_000 },
  fields: [
    {
      name: "key",
      label: "API key",
      type: "secret",
      required: true,
      secret: true,
      help: "Organization settings, API keys. Not an application key.",
    },
    {
      name: "site",
      label: "Site",
      type: "select",
      required: true,
      secret: false,
      help: "As in the address of your Datadog pages.",
      default: "datadoghq.com",
      options: SITES,
    },
    {
      name: "environment",
      label: "Environment",
      type: "text",
      required: false,
      secret: false,
      help: "Sent as the tag env.",
      example: "production",
    },
    {
      name: "service",
      label: "Service",
      type: "text",
      required: false,
      secret: false,
      help: "Without one, each Worker is a service of its own name.",
      advanced: true,
    },
    {
      name: "logsUrl",
      label: "Address of the log intake",
      type: "url",
      required: false,
      secret: false,
      help: "In place of the site's own. /api/v2/logs is added to it.",
      advanced: true,
    },
    {
      name: "eventsUrl",
      label: "Address of the API",
      type: "url",
      required: false,
      secret: false,
      help: "In place of the site's own, for events. /api/v1/events is added to it.",
      advanced: true,
    },
  ],
  check: (values) => {
    const problems: Record<string, string> = {};
    for (const [field, urlOf] of [
      ["logsUrl", logsUrl],
      ["eventsUrl", eventsUrl],
    ] as const) {
      try {
        urlOf(values);
      } catch {
        problems[field] = "Enter an address that begins with https://.";
      }
    }
    return problems;
  },
  send,
  async test(values, io) {
    const entry = logOf(testItem("logs", io.now()), new Map(), optionsOf(values));
    const verdict = await postLogs(values, new TextEncoder().encode(JSON.stringify([entry])), io);
    if (verdict.fate === "delivered") {
      return {
        ok: true,
        message: `Datadog accepted a log entry. Look for service:${optionsOf(values).service || "tailrace"} in Logs.`,
      };
    }
    return { ok: false, failure: withAdvice(verdict.failure, ADVICE) };
  },
  documentation: `**The key** is an API key of your organization (*Organization settings → API keys*), at the site that your pages' address names.

**What arrives**

- In **Logs**, each console call and each error, and each invocation where you choose traces: \`service\` is the Worker, \`source\` is \`cloudflare\`, \`status\` the level; tags \`env\`, \`version\`, \`version_id\`, \`worker\`, \`outcome\`, \`colo\` and the extra tags of the rules. Errors have \`error.kind\`, \`error.message\` and \`error.stack\` (in your own source where Tailrace has the map), so that Error Tracking groups them. Requests have \`http.method\`, \`http.status_code\`, \`http.url\`; \`duration\` is in nanoseconds, as everywhere at Datadog.
- In **Events**, new issues, regressions and rollouts. All about one issue, or one rollout, come together by their aggregation key.

**Good to know**: Datadog drops log entries that are more than 18 hours old without a word, so a back-fill or an outage that is longer leaves a gap there. Traces arrive as logs: Datadog has no public intake for spans without its agent. Entries over 1 MB are trimmed before they are sent. Datadog does not leave out what comes twice; \`tailrace.uid\` is the same at every try.`,
};
export default datadog;
