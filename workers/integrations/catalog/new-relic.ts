/** New Relic, over OTLP. https://docs.newrelic.com/docs/opentelemetry/best-practices/opentelemetry-otlp/ */
import { endpointOverride, otlpDestination } from "../otlp/preset.ts";

const REGIONS: Record<string, string> = {
  us: "https://otlp.nr-data.net",
  eu: "https://otlp.eu01.nr-data.net",
  gov: "https://gov-otlp.nr-data.net",
};
/** A request may have 1 MB once it is compressed; what does not shrink at all must fit, too. */
const MAX_BODY_BYTES = 1_000_000;

export default otlpDestination({
  id: "new-relic",
  name: "New Relic",
  summary: "Logs, errors and distributed traces to New Relic.",
  website: "https://newrelic.com",
  mark: { text: "NR", color: "#0b8a63" },
  fields: [
    {
      name: "key",
      label: "License key",
      type: "secret",
      required: true,
      secret: true,
      help: "An ingest key of type License (40 characters; it ends with NRAL). A user key does not work.",
    },
    {
      name: "region",
      label: "Region",
      type: "select",
      required: true,
      secret: false,
      help: "Of the account. Keys of EU accounts begin with eu01xx.",
      default: "us",
      options: [
        { value: "us", label: "US" },
        { value: "eu", label: "EU" },
        { value: "gov", label: "US FedRAMP" },
      ],
    },
    endpointOverride("In place of New Relic's own address."),
  ],
  endpoint: (values) => values.endpoint || (REGIONS[values.region ?? ""] ?? (REGIONS.us as string)),
  headers: (values) => ({ "api-key": (values.key ?? "").trim() }),
  check: (values) => {
    const key = values.key?.trim() ?? "";
    if (/^NRAK-/i.test(key))
      return { key: "This is a user key: New Relic takes data with a license key (it ends with NRAL)." };
    if (/^eu01/i.test(key) && values.region !== "eu" && !values.endpoint)
      return { region: "This key is of an account in the EU." };
    return {};
  },
  maxBodyBytes: MAX_BODY_BYTES,
  look: "Under All entities, or: FROM Log SELECT * WHERE service.name = 'tailrace'.",
  advice: {
    unauthorized: "New Relic does not accept this license key in this region.",
    misplaced: "Leave the endpoint empty.",
    rate_limited: "The account's limits are reached.",
  },
  documentation: `**The key**: *Administration → API keys*, of type **Ingest – License**. Choose the region of the account: keys of the EU begin with \`eu01xx\`.

**What arrives**: each Worker is a service (OpenTelemetry) with its invocations as spans, its console calls and errors as logs in context: they share the trace's id. \`FROM Span SELECT percentile(duration.ms, 99) WHERE service.name = '<worker>' FACET service.version\`.

**Good to know**: New Relic cuts texts after 4,095 characters, stacks among them, and takes the body apart later: what is wrong with it then shows up as \`NrIntegrationError\` events, not here. Requests are kept below 1 MB.`,
});
