/** Axiom, over OTLP. https://axiom.co/docs/send-data/opentelemetry */
import { endpointOverride, otlpDestination } from "../otlp/preset.ts";

const REGIONS: Record<string, string> = { us: "https://api.axiom.co", eu: "https://api.eu.axiom.co" };

export default otlpDestination({
  id: "axiom",
  name: "Axiom",
  summary: "Logs, errors and traces to datasets of Axiom.",
  website: "https://axiom.co",
  mark: { text: "Ax", color: "#3d6df2" },
  fields: [
    {
      name: "dataset",
      label: "Dataset",
      type: "text",
      required: true,
      secret: false,
      help: "It must exist, with events as its kind.",
      example: "workers",
    },
    {
      name: "token",
      label: "API token",
      type: "secret",
      required: true,
      secret: true,
      help: "Settings, API tokens: one that may ingest into the dataset. It begins with xaat-.",
    },
    {
      name: "region",
      label: "Region",
      type: "select",
      required: true,
      secret: false,
      help: "Where your organization is.",
      default: "us",
      options: [
        { value: "us", label: "US" },
        { value: "eu", label: "EU" },
      ],
    },
    {
      name: "traces",
      label: "Dataset for traces",
      type: "text",
      required: false,
      secret: false,
      help: "Without one, traces are in the same dataset.",
      advanced: true,
    },
    endpointOverride("In place of Axiom's own address, for example of an edge deployment."),
  ],
  endpoint: (values) => values.endpoint || (REGIONS[values.region ?? ""] ?? (REGIONS.us as string)),
  headers: (values, signal) => ({
    authorization: `Bearer ${(values.token ?? "").trim()}`,
    "x-axiom-dataset": ((signal === "traces" && values.traces) || (values.dataset ?? "")).trim(),
  }),
  check: (values) =>
    values.token?.trim().startsWith("xapt-")
      ? { token: "This is a personal token: make an API token (xaat-…) that may ingest into the dataset." }
      : {},
  look: "In the dataset, look for service.name tailrace.",
  advice: {
    unauthorized: "The token may not ingest into this dataset, or is of another region.",
    misplaced: "There is no such dataset: make it in Axiom first, in this region.",
    refused: "Check the name of the dataset.",
    rate_limited: "The organization's ingest limit is reached.",
  },
  documentation: `**First** make the dataset in Axiom (kind *Events*), then an **API token** under *Settings → API tokens* that may ingest into it.

**What arrives**: over OTLP, each console call, each error and a span for each invocation, with their attributes below \`attributes.\` and the Worker as \`service.name\`. Spans and logs of an invocation share its \`trace_id\`. For Axiom's trace views give traces a dataset of their own, under Advanced; the token must be allowed to ingest there, too.

**Good to know**: Axiom does not leave out what comes twice; \`log.record.uid\` (below \`attributes.\`) is the same for the same event: \`summarize dcount(...)\` counts each once.`,
});
