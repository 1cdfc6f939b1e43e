/**
 * Slack: notices to a channel by an incoming webhook, as blocks.
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
import type { Destination, Failure, FailureKind, Io, NoticeItem, OutgoingAnswer, Values } from "../contract.ts";
import { cut, cutEscaped } from "../notices/clean.ts";
import {
  failureOf,
  isPage,
  jsonOf,
  lying,
  noticesOf,
  postJson,
  type Reply,
  sendTogether,
} from "../notices/exchange.ts";
import { CHAT_KINDS, describeNotice, type Notice, type Tone, timesText, utcText } from "../notices/notice.ts";

/** Limits of Block Kit: characters of a header, of a section, of one of its ten fields, and blocks of a message. */
const HEADER_CHARS = 150;
const TITLE_CHARS = 600;
const FIELD_CHARS = 300;
const MAX_FACTS = 5;
const BLOCKS_PER_NOTICE = 5;
const MAX_BLOCKS = 50;
/** What a phone shows before it is unlocked. */
const SUMMARY_CHARS = 400;

const SIGNS: Record<Tone, string> = { bad: "🔴", warning: "🟠", good: "🟢", neutral: "🔵" };

/** What Slack says in one word, by its documentation. */
const WORDS: Record<string, { kind: FailureKind; message: string }> = {
  invalid_payload: { kind: "refused", message: "Slack cannot read this message (invalid_payload)." },
  invalid_blocks: { kind: "refused", message: "Slack refuses the blocks of this message (invalid_blocks)." },
  no_text: { kind: "refused", message: "Slack found no text in this message (no_text)." },
  no_service: {
    kind: "misplaced",
    message: "Slack does not know this webhook any more: it was removed, or its app is disabled. Make a new one.",
  },
  no_active_hooks: { kind: "misplaced", message: "The webhook is disabled in Slack. Enable it, or make a new one." },
  no_team: {
    kind: "misplaced",
    message: "Slack does not know the workspace of this webhook any more. Make a new one.",
  },
  team_disabled: { kind: "misplaced", message: "The workspace is disabled at Slack." },
  channel_not_found: {
    kind: "misplaced",
    message: "The channel of this webhook is gone. Make a webhook for another channel.",
  },
  channel_is_archived: {
    kind: "misplaced",
    message: "The channel of this webhook is archived in Slack. Unarchive it, or make a webhook for another channel.",
  },
  user_not_found: { kind: "misplaced", message: "The person whom this webhook writes to is gone from the workspace." },
  action_prohibited: {
    kind: "unauthorized",
    message: "An admin of the workspace has restricted who may post to this channel.",
  },
  posting_to_general_channel_denied: {
    kind: "unauthorized",
    message: "Posting to the general channel is restricted in this workspace. Choose another channel.",
  },
  invalid_token: {
    kind: "unauthorized",
    message: "Slack does not accept this webhook's token. Copy the address again, or make a new webhook.",
  },
  rollup_error: { kind: "unavailable", message: "Slack had trouble of its own (rollup_error)." },
};

/** `<`, `>` and `&` are all that mrkdwn gives a meaning beyond layout: mentions, links, dates. */
const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** Shown as it is: no formatting, no mentions, no emoji. */
const plain = (text: string) => ({ type: "plain_text", text, emoji: false });
/** `verbatim`: addresses and @names in it stay text. */
const markdown = (text: string) => ({ type: "mrkdwn", text, verbatim: true });

function blocksOf(notice: Notice): object[] {
  const { seen, link } = notice;
  const facts = notice.facts
    .slice(0, MAX_FACTS - (seen === null ? 0 : 1))
    .flatMap(({ label, value }) => [plain(cut(label, FIELD_CHARS)), plain(cut(value, FIELD_CHARS))]);
  const seenFields =
    seen === null ? [] : [plain("Seen"), markdown(`${timesText(seen.count)}, since ${dateOf(seen.since)}`)];
  const when = markdown(
    link === ""
      ? dateOf(notice.at)
      : `<${escaped(link).replaceAll("|", "%7C")}|Open in Tailrace> · ${dateOf(notice.at)}`,
  );
  return [
    { type: "header", text: plain(cut(`${SIGNS[notice.tone]} ${notice.headline}`, HEADER_CHARS)) },
    ...(notice.title === "" ? [] : [{ type: "section", text: plain(cut(notice.title, TITLE_CHARS)) }]),
    { type: "section", fields: [...facts, ...seenFields] },
    { type: "context", elements: [when] },
  ];
}

/** In the reader's own time zone. */
const dateOf = (ms: number) => `<!date^${Math.floor(ms / 1000)}^{date_short_pretty} {time}|${utcText(ms)}>`;

function messageOf(items: readonly NoticeItem[], io: Io) {
  const notices = items.map((item) => describeNotice(item, io));
  const first = notices[0] as Notice;
  const more = notices.length > 1 ? ` (and ${notices.length - 1} more)` : "";
  const divider = { type: "divider" };
  return {
    text: cutEscaped(`${first.headline}${more}: ${first.title}`, SUMMARY_CHARS, escaped),
    blocks: notices.flatMap((notice, n) => (n === 0 ? blocksOf(notice) : [divider, ...blocksOf(notice)])),
    parse: "none",
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
  };
}

function replyOf(answer: OutgoingAnswer, now: number): Reply {
  const failure = failureOf(answer, "Slack", now, answer.ok ? meaningOf(answer) : undefined);
  if (failure !== undefined) return { ok: false, failure };
  return isNo(answer) ? { ok: false, failure: notSlack(answer) } : { ok: true };
}

/** Slack says `ok`; services that take Slack's messages say nothing, or something in JSON. */
function isNo(answer: OutgoingAnswer): boolean {
  if (!answer.ok) return true;
  const json = jsonOf(answer.text);
  return isPage(answer.text) || meaningOf(answer) !== undefined || json?.ok === false || json?.success === false;
}

const notSlack = (answer: OutgoingAnswer): Failure =>
  answer.ok ? { ...lying("Slack", answer.status, answer.text), ...meaningOf(answer) } : answer.failure;

function meaningOf({ text }: OutgoingAnswer & { ok: true }): { kind: FailureKind; message: string } | undefined {
  const error = jsonOf(text)?.error;
  const word = (typeof error === "string" ? error : text).trim();
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

const post = async (values: Values, message: object, io: Io) =>
  replyOf(await postJson(io, values.webhook_url ?? "", message), io.now());

const slack: Destination = {
  id: "slack",
  name: "Slack",
  role: "destination",
  category: "Alerts",
  summary: "Tells a channel about new issues, regressions and rollouts.",
  takes: ["notices"],
  defaultNotices: CHAT_KINDS,
  fields: [
    {
      name: "webhook_url",
      label: "Webhook URL",
      type: "secret",
      required: true,
      secret: true,
      help: "Whoever has it can write to the channel. Slack shows it under Incoming Webhooks of your app.",
      example: "https://hooks.slack.com/services/T000/B000/XXXX",
    },
  ],
  documentation: `1. At [api.slack.com/apps](https://api.slack.com/apps), create an app "From scratch" in your workspace (or open one that you have).
2. Under **Incoming Webhooks**, switch them on, press **Add New Webhook** and choose the channel.
3. Copy the webhook's URL and paste it here. **Test** writes one message to the channel.

**What arrives.** One message per notice: what happened, the Worker, the version with tag and message, the line, how often and since when, and a link. That somebody resolved an issue is told when you choose that kind in the rules. When several wait (a channel that was away, a deployment that broke much), up to ten share a message.

**Good to know.** A webhook writes to one channel: add a second destination for a second one. Slack takes about one message a second; when it asks to wait, Tailrace waits. Slack's webhooks have no ids, so a message whose answer got lost may come twice. Errors' texts are shown as they are: nobody is mentioned and no link made by them. Services that take Slack's messages (Mattermost, for one) work with their own URL.`,
  website: "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
  mark: { text: "Sl", color: "#611f69" },
  idempotent: false,
  limits: { items: Math.floor(MAX_BLOCKS / BLOCKS_PER_NOTICE), bytes: 64 << 10 },
  ordered: true,

  async test(values, io) {
    const text = "Tailrace can write here. New issues, regressions and rollouts will come to this channel.";
    const reply = await post(values, { text, unfurl_links: false }, io);
    return reply.ok ? { ok: true, message: "Slack took a message: look into the channel." } : reply;
  },

  send: (values, items, io) => sendTogether(noticesOf(items), (some) => post(values, messageOf(some, io), io)),
};

export default slack;
