/** Honeycomb, over OTLP. https://docs.honeycomb.io/send-data/opentelemetry/ */
import { endpointOverride, otlpDestination } from "../otlp/preset.ts";

const REGIONS: Record<string, string> = { us: "https://api.honeycomb.io", eu: "https://api.eu1.honeycomb.io" };
/** Honeycomb takes 15 MB in a request. */
const MAX_BODY_BYTES = 10 << 20;

export default otlpDestination({
  id: "honeycomb",
  name: "Honeycomb",
  summary: "Wide events to Honeycomb: each invocation, log and error with all of its attributes.",
  website: "https://www.honeycomb.io",
  mark: { text: "Hc", color: "#d47f00" },
  fields: [
    {
      name: "key",
      label: "Ingest key",
      type: "secret",
      required: true,
      secret: true,
      help: "Environment settings, API Keys. It must be allowed to create datasets, unless they exist.",
    },
    {
      name: "region",
      label: "Region",
      type: "select",
      required: true,
      secret: false,
      help: "Where your team's data is.",
      default: "us",
      options: [
        { value: "us", label: "US" },
        { value: "eu", label: "EU" },
      ],
    },
    {
      name: "dataset",
      label: "Dataset for logs",
      type: "text",
      required: false,
      secret: false,
      help: "Without one, logs and spans are in a dataset named after the Worker. Honeycomb Classic needs one.",
      example: "workers",
    },
    endpointOverride("In place of Honeycomb's own address, for example of a Refinery."),
  ],
  endpoint: (values) => values.endpoint || (REGIONS[values.region ?? ""] ?? (REGIONS.us as string)),
  headers: (values) => ({
    "x-honeycomb-team": (values.key ?? "").trim(),
    ...(values.dataset ? { "x-honeycomb-dataset": values.dataset.trim() } : {}),
  }),
  check: (values) =>
    values.key?.trim().startsWith("hcxmk_") || values.key?.trim().startsWith("hcamk_")
      ? {
          key: "This is a management key: Honeycomb takes events with an ingest key (hcxik_…, hcaik_…) or a configuration key.",
        }
      : {},
  weight: "SampleRate",
  maxBodyBytes: MAX_BODY_BYTES,
  look: "Look at the dataset tailrace, or the one you named.",
  advice: {
    unauthorized: "Honeycomb does not know this key, or it may not create the dataset. Check the region, too.",
    misplaced: "Leave the endpoint empty, unless you run a Refinery.",
    rate_limited: "The team's events are used up for now.",
  },
  documentation: `**The key**: in Honeycomb under *Environment settings → API Keys*, an **ingest key** with *Can create datasets*. A configuration key that may send events works as well.

**What arrives**: over OTLP, an event for each invocation (a span with its duration, HTTP attributes and status), each console call and each error, in the dataset named after the Worker. With a dataset set, \`x-honeycomb-dataset\` is sent: logs go there; in Honeycomb Classic everything does.

**Sampled events** carry \`SampleRate\`, so that Honeycomb's counts are of what really happened. A share that this destination's own rules leave out is not part of it.

**Good to know**: \`cloudflare.colo\`, \`cloudflare.ray_id\`, \`cloudflare.outcome\` and \`tailrace.fingerprint\` (the issue) are columns to group by. Honeycomb does not leave out what comes twice; after a time-out that can happen.`,
});
