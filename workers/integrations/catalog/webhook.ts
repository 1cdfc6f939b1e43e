/**
 * A signed webhook: notices as JSON, by the conventions of Standard Webhooks, so
 * that a receiver can tell that they are ours, new, and not seen before.
 * docs/webhooks.md describes it for who receives.
 */
import type { Destination, Failure, Io, Values } from "../contract.ts";
import { failureOf, noticesOf, postJson, type Reply, sendEach } from "../notices/exchange.ts";
import { payloadOf, type WebhookPayload } from "../notices/payload.ts";
import { MIN_SECRET_BYTES, secretBytes, sign } from "../notices/signature.ts";

/** One request each; a receiver that takes a second for each is done within half a minute. */
const BATCH = 10;
const ADDRESS_PROBLEM = "This is not a URL. Enter an address that begins with https://.";
const SECRET_PROBLEM = `A secret of Standard Webhooks: \`whsec_\` and ${MIN_SECRET_BYTES} to 64 random bytes in base64.`;

async function post(values: Values, id: string, payload: WebhookPayload, io: Io): Promise<Reply> {
  const secrets = [values.secret ?? "", values.previous_secret ?? ""].map(secretBytes).filter((s) => s !== undefined);
  if (secrets.length === 0) return { ok: false, failure: NO_SECRET };
  const body = JSON.stringify(payload);
  const timestamp = Math.floor(io.now() / 1000);
  const authorization = values.authorization ?? "";
  const answer = await postJson(io, values.url ?? "", body, {
    "webhook-id": id,
    "webhook-timestamp": `${timestamp}`,
    "webhook-signature": await sign(secrets, id, timestamp, body),
    ...(authorization === "" ? {} : { authorization }),
  });
  const failure = failureOf(answer, "The receiver", io.now());
  return failure === undefined ? { ok: true } : { ok: false, failure };
}

const NO_SECRET: Failure = {
  kind: "unauthorized",
  status: 0,
  message: `No usable secret is set. ${SECRET_PROBLEM}`,
};

const webhook: Destination = {
  id: "webhook",
  name: "Signed webhook",
  role: "destination",
  category: "Alerts",
  summary: "Calls an address of yours for new issues, regressions and rollouts, signed and safe against replays.",
  takes: ["notices"],
  fields: [
    {
      name: "url",
      label: "Address",
      type: "secret",
      required: true,
      secret: true,
      help: "It is sent POST requests and answers 2xx once it has taken one. Kept secret, but for its host: many addresses hold a token.",
      example: "https://example.com/hooks/tailrace",
    },
    {
      name: "secret",
      label: "Signing secret",
      type: "secret",
      required: true,
      secret: true,
      help: "Made for you: give it to the receiver. Or one of your own: `echo whsec_$(openssl rand -base64 32)`.",
      example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      generate: { prefix: "whsec_", bytes: 32 },
    },
    {
      name: "previous_secret",
      label: "Previous secret",
      type: "secret",
      required: false,
      secret: true,
      advanced: true,
      help: "While receivers change over: messages are signed with both. Take it out afterwards.",
    },
    {
      name: "authorization",
      label: "Authorization header",
      type: "secret",
      required: false,
      secret: true,
      advanced: true,
      help: "For a gateway in front of the receiver, which wants to see one.",
      example: "Bearer …",
    },
  ],
  documentation: `1. Enter the address of an endpoint of yours, and give your receiver the secret. **Test** sends one message of type \`tailrace.test\`.
2. Verify each request: recompute the signature, and refuse timestamps that are more than five minutes off. [Standard Webhooks](https://www.standardwebhooks.com) has libraries for most languages; the few lines that it takes, all types and the JSON schema are in \`docs/webhooks.md\`.

**What arrives.** One POST per notice: \`{"type":"issue.new","timestamp":"…","data":{…}}\` with the headers \`webhook-id\`, \`webhook-timestamp\` and \`webhook-signature\` (\`v1\`, HMAC-SHA256). Notices come in order; one that is tried again has the same \`webhook-id\`.

**Good to know.** Answer within ten seconds, with 2xx, and do slow work afterwards. 4xx other than 401, 403, 404, 408, 410, 425 and 429 mean "never send this one again": it becomes a dead letter. \`Retry-After\` is honoured. To change the secret, set the old one as previous secret until all receivers know the new one.`,
  website: "https://www.standardwebhooks.com",
  mark: { text: "{}", color: "#475569" },
  idempotent: true,
  limits: { items: BATCH, bytes: 256 << 10 },
  ordered: true,

  check({ url = "", secret = "", previous_secret: previous = "" }): Record<string, string> {
    return {
      ...(/^https?:$/.test(URL.parse(url.trim())?.protocol ?? "") ? {} : { url: ADDRESS_PROBLEM }),
      ...(secret !== "" && secretBytes(secret) === undefined ? { secret: SECRET_PROBLEM } : {}),
      ...(previous !== "" && secretBytes(previous) === undefined ? { previous_secret: SECRET_PROBLEM } : {}),
    };
  },

  async test(values, io) {
    const now = io.now();
    const payload: WebhookPayload = {
      type: "tailrace.test",
      timestamp: new Date(now).toISOString(),
      data: { message: "Tailrace can reach this address." },
    };
    const reply = await post(values, `test_${crypto.randomUUID()}`, payload, io);
    return reply.ok ? { ok: true, message: "The receiver took a signed message of type tailrace.test." } : reply;
  },

  /** The item's id is of the notice itself: whatever happens, it never goes out under another. */
  send: (values, items, io) =>
    sendEach(noticesOf(items), (item) => post(values, `msg_${item.id}`, payloadOf(item, io), io)),
};

export default webhook;
