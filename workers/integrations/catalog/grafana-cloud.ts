/** Grafana Cloud, through its OTLP gateway: logs to Loki, traces to Tempo. https://grafana.com/docs/grafana-cloud/send-data/otlp/ */
import { otlpDestination } from "../otlp/preset.ts";

export default otlpDestination({
  id: "grafana-cloud",
  name: "Grafana Cloud",
  summary: "Logs and errors to Loki, traces to Tempo, through Grafana Cloud's OTLP gateway.",
  website: "https://grafana.com/products/cloud/",
  mark: { text: "Gf", color: "#e5531a" },
  fields: [
    {
      name: "endpoint",
      label: "OTLP endpoint",
      type: "url",
      required: true,
      secret: false,
      help: "In your stack's details under OpenTelemetry, Configure. It ends with /otlp.",
      example: "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp",
    },
    {
      name: "instance",
      label: "Instance ID",
      type: "text",
      required: true,
      secret: false,
      help: "The number beside the endpoint.",
      example: "123456",
    },
    {
      name: "token",
      label: "Token",
      type: "secret",
      required: true,
      secret: true,
      help: "Of an access policy that may write logs and traces. It begins with glc_.",
    },
  ],
  endpoint: (values) => values.endpoint ?? "",
  headers: (values) => ({
    authorization: `Basic ${base64(`${(values.instance ?? "").trim()}:${(values.token ?? "").trim()}`)}`,
  }),
  check: (values) => ({
    ...(/^https:\/\/otlp-gateway-[^/]*\.grafana\.net\/?$/.test(values.endpoint?.trim() ?? "") && {
      endpoint: "The gateway's address ends with /otlp.",
    }),
    ...(!/^\d+$/.test(values.instance?.trim() ?? "") && { instance: "The instance ID is a number." }),
    ...(/^glsa_/.test(values.token?.trim() ?? "") && {
      token: "This is a service account's token: the gateway wants one of an access policy (glc_…).",
    }),
  }),
  look: 'In Explore: {service_name="tailrace"} in Loki, and the service tailrace in Tempo.',
  advice: {
    unauthorized:
      "The gateway does not accept this instance and token together: the token must be of an access policy (glc_…) of this stack, with the scopes logs:write and traces:write.",
    misplaced: "The address ends with /otlp: Tailrace adds /v1/logs and /v1/traces.",
    rate_limited: "The stack's limits for logs or traces are reached.",
  },
  documentation: `**The three values** are in the Grafana Cloud portal, in your stack's details under **OpenTelemetry → Configure**: the endpoint (\`https://otlp-gateway-<zone>.grafana.net/otlp\`), the instance ID, and a token, which you make there. Its access policy needs the scopes \`logs:write\` and \`traces:write\`.

**What arrives**: in **Loki** console calls and errors, \`{service_name="<worker>"} | severity_text="error"\`, with their attributes as structured metadata; in **Tempo** a trace for each invocation. Logs carry the trace's id, so one leads to the other.

**Good to know**: Loki refuses logs that are older than your stack allows (a week, mostly) and says so as a partial success: they are counted as rejected. Loki leaves out a line that it has already, with the same time and the same labels.

A Grafana of your own, with Alloy or a Collector in front of Loki and Tempo, is the card **OpenTelemetry**.`,
});

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
