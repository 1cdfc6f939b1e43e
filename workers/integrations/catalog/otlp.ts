/** A collector of one's own, or anything else that speaks OTLP/HTTP. */

import { otlpDestination } from "../otlp/preset.ts";
import { headersField } from "../sending/fields.ts";
import { readHeaders } from "../sending/headers.ts";

export default otlpDestination({
  id: "otlp",
  name: "OpenTelemetry",
  summary: "Errors, logs and traces over OTLP/HTTP to a collector of your own, or to any service that speaks it.",
  website: "https://opentelemetry.io/docs/specs/otlp/",
  mark: { text: "OT", color: "#425cc7" },
  fields: [
    {
      name: "endpoint",
      label: "Endpoint",
      type: "url",
      required: true,
      secret: false,
      help: "Address of the OTLP/HTTP receiver. /v1/logs and /v1/traces are added to it.",
      example: "https://collector.example.com:4318",
    },
    headersField({
      help: "What the receiver wants to see, for example Authorization: Bearer abc. A comma between two.",
      example: "Authorization: Bearer …, X-Scope-OrgID: shop",
    }),
  ],
  endpoint: (values) => values.endpoint ?? "",
  headers: (values) => {
    const read = readHeaders(values.headers ?? "");
    return read.ok ? read.headers : {};
  },
  check: (values) => {
    const read = readHeaders(values.headers ?? "");
    return read.ok ? {} : { headers: read.problem };
  },
  look: "Look for the service tailrace in what is behind it.",
  advice: {
    unauthorized: "Check the headers: the receiver wants another credential.",
    misplaced: "Check the address: a collector listens for OTLP/HTTP on port 4318, with nothing after the port.",
    unreachable: "Is the collector running, and does it listen on an address that the internet reaches?",
    refused: "It does not understand what it was sent: try the other encoding, under Advanced.",
    lying: "Something else answers there, for example a proxy or a web server.",
  },
  documentation: `Sends OTLP/HTTP with gzip, as protobuf unless you choose JSON, to \`/v1/logs\` and \`/v1/traces\` below the endpoint. The receiver must be reachable over https from the internet.

**A receiver of your own** is an OpenTelemetry Collector with

\`\`\`yaml
receivers:
  otlp:
    protocols:
      http:
        endpoint: 0.0.0.0:4318
\`\`\`

and TLS and authentication in front of it.

**What arrives**

- A **resource** for each version of a Worker: \`service.name\` (the Worker), \`service.version\` (version id), \`cloud.provider\`, \`cloud.platform\`, \`faas.name\`, \`faas.version\`, \`deployment.environment.name\`, and the extra tags of the rules.
- **Logs**: console calls with severity, body and every attribute. \`log.record.uid\` is the same at every try: a pipeline that wants each record once can leave out what it has seen.
- **Errors**: log records of severity ERROR with \`exception.type\`, \`exception.message\` and \`exception.stacktrace\`, in your own source where Tailrace has the source map; invocations that failed without an exception, with \`error.type\`.
- **Traces**: a server span for each invocation (a queue's is a consumer span), with HTTP attributes, duration, status and its exceptions as events. Trace and span ids are those of the request's \`traceparent\`; where there was none, they are made of the invocation's id.

**Headers** can be written as \`Name: value\` or as in \`OTEL_EXPORTER_OTLP_HEADERS\` (\`name=value,name2=value2\`, percent-encoded).

**Failures.** 429 and 5xx are tried again, with \`Retry-After\`; 401, 403 and 404 wait for you; other answers refuse the content: the batch is halved until the record that is to blame is alone, and that one becomes a dead letter. (The specification has only 429, 502, 503 and 504 tried again; receivers that are down answer 500 as well, and losing their events would be worse.) What a receiver counts in \`partial_success\` is shown as rejected; it does not say which records those were.`,
});
