/**
 * Discord: notices to a channel by a webhook, as embeds.
 * https://docs.discord.com/developers/resources/webhook#execute-webhook
 */
import type { Destination, FailureKind, Io, NoticeItem, OutgoingAnswer, Values } from "../contract.ts";
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
import { CHAT_KINDS, describeNotice, type Notice, type Tone, timesText } from "../notices/notice.ts";

/** Discord's limits: embeds of a message, and characters of all of them together. */
const MAX_EMBEDS = 10;
const MAX_CHARS = 5_800;

interface Room {
  title: number;
  description: number;
  label: number;
  value: number;
}

/** Parts of one embed's share: 0.2 + 0.3 + four facts of 0.03 + 0.09 are less than one. The most of each is half of what Discord takes, or less. */
function roomFor(notices: number): Room {
  const share = MAX_CHARS / notices;
  const part = (of: number, most: number) => Math.min(most, Math.floor(share * of));
  return { title: part(0.2, 250), description: part(0.3, 1_500), label: part(0.03, 100), value: part(0.09, 500) };
}
const MAX_FACTS = 4;

const COLORS: Record<Tone, number> = { bad: 0xd93025, warning: 0xe8710a, good: 0x1e8e3e, neutral: 0x5865f2 };

/** Codes of Discord's JSON errors that say more than their status. */
const CODES: Record<number, { kind: FailureKind; message: string }> = {
  10003: { kind: "misplaced", message: "The channel of this webhook is gone. Make a webhook in another channel." },
  10015: { kind: "misplaced", message: "Discord does not know this webhook any more: it was deleted. Make a new one." },
  50013: { kind: "unauthorized", message: "Discord says that this webhook may not write to the channel." },
  50027: {
    kind: "unauthorized",
    message: "Discord does not accept this webhook's token. Copy the address again, or make a new webhook.",
  },
  220001: {
    kind: "misplaced",
    message: "The webhook belongs to a forum channel: set the id of a thread under Advanced.",
  },
};

/** Whatever Markdown gives a meaning, also where two make one (`://` a link, `@everyone`). */
const literal = (text: string) => text.replace(/[\\`*_~|>#<\-[\]()@:.+!&]/g, "\\$&");

function embedOf(notice: Notice, room: Room) {
  const { seen, link } = notice;
  const facts = notice.facts.slice(0, MAX_FACTS - (seen === null ? 0 : 1)).map(({ label, value }) => ({
    name: cutEscaped(label, room.label, literal),
    value: cutEscaped(value, room.value, literal),
    inline: true,
  }));
  const times =
    seen === null ? [] : [{ name: "Seen", value: `${timesText(seen.count)}, ${agoOf(seen.since)}`, inline: true }];
  return {
    title: cutEscaped(notice.headline, room.title, literal),
    ...(notice.title === "" ? {} : { description: cutEscaped(notice.title, room.description, literal) }),
    ...(link === "" ? {} : { url: link }),
    color: COLORS[notice.tone],
    fields: [...facts, ...times],
    timestamp: new Date(notice.at).toISOString(),
  };
}

/** `first 5 minutes ago`, by the reader's clock. */
const agoOf = (ms: number) => `first <t:${Math.floor(ms / 1000)}:R>`;

function messageOf(items: readonly NoticeItem[], io: Io) {
  const room = roomFor(items.length);
  return { embeds: items.map((item) => embedOf(describeNotice(item, io), room)), allowed_mentions: { parse: [] } };
}

/** With `wait`, Discord answers when the message is there, and says which. */
function addressOf(values: Values): string {
  const given = values.webhook_url ?? "";
  const url = URL.parse(given);
  // What is no address is for the request's own guard to say.
  if (url === null) return given;
  url.searchParams.set("wait", "true");
  const thread = values.thread_id ?? "";
  if (thread !== "") url.searchParams.set("thread_id", thread);
  return url.href;
}

function replyOf(answer: OutgoingAnswer, now: number): Reply {
  const failure = failureOf(answer, "Discord", now, answer.ok ? meaningOf(answer) : undefined);
  if (!answer.ok || failure !== undefined) {
    const wait = answer.ok && answer.status === 429 ? waitOf(answer) : undefined;
    const told = failure ?? lying("Discord", 0, "");
    return { ok: false, failure: wait === undefined ? told : { ...told, retryAfterMs: wait } };
  }
  if (isPage(answer.text)) return { ok: false, failure: lying("Discord", answer.status, answer.text) };
  const holdMs = holdOf(answer.headers);
  return holdMs === undefined ? { ok: true } : { ok: true, holdMs };
}

/** Longest that a wait may be believed to be: an hour. */
const MAX_WAIT_MS = 3_600_000;
const waitMs = (seconds: number) => Math.min(Math.ceil(seconds * 1000), MAX_WAIT_MS);

/** In the body of a 429: seconds, with a fraction; finer than the header. */
function waitOf({ text }: OutgoingAnswer & { ok: true }): number | undefined {
  const seconds = jsonOf(text)?.retry_after;
  return typeof seconds === "number" && seconds >= 0 ? waitMs(seconds) : undefined;
}

/** The bucket is empty: the next one would be refused. */
function holdOf(headers: Headers): number | undefined {
  if (headers.get("x-ratelimit-remaining") !== "0") return undefined;
  const seconds = Number(headers.get("x-ratelimit-reset-after") ?? "");
  return seconds > 0 && Number.isFinite(seconds) ? waitMs(seconds) : undefined;
}

function meaningOf({
  text,
  status,
}: OutgoingAnswer & { ok: true }): { kind?: FailureKind; message: string } | undefined {
  const json = jsonOf(text);
  const known = CODES[Number(json?.code)];
  if (known !== undefined) return known;
  if (status !== 400 || json === undefined) return undefined;
  return { message: `Discord refuses this message: ${cut(JSON.stringify(json.errors ?? json.message ?? json), 300)}` };
}

const post = async (values: Values, message: object, io: Io) =>
  replyOf(await postJson(io, addressOf(values), message), io.now());

const discord: Destination = {
  id: "discord",
  name: "Discord",
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
      help: "Whoever has it can write to the channel. Channel settings, Integrations, Webhooks, Copy Webhook URL.",
      example: "https://discord.com/api/webhooks/123456789/XXXX",
    },
    {
      name: "thread_id",
      label: "Thread",
      type: "text",
      required: false,
      secret: false,
      advanced: true,
      help: "Id of a thread in the channel. Forum channels need one.",
      example: "1100000000000000000",
    },
  ],
  documentation: `1. In Discord, open the channel's settings, **Integrations**, **Webhooks**, and press **New Webhook**.
2. **Copy Webhook URL** and paste it here. **Test** writes one message to the channel.

**What arrives.** One embed per notice: what happened, the Worker, the version with tag and message, the line, how often and since when, and a link. That somebody resolved an issue is told when you choose that kind in the rules. When several wait, up to ten share a message, and are shorter then.

**Good to know.** Tailrace waits when Discord asks to. Webhooks have no ids, so a message whose answer got lost may come twice. Errors' texts are shown as they are: no mentions, no links and no formatting are made by them.`,
  website: "https://docs.discord.com/developers/resources/webhook",
  mark: { text: "Di", color: "#5865f2" },
  idempotent: false,
  limits: { items: MAX_EMBEDS, bytes: 64 << 10 },
  ordered: true,

  check({ thread_id: thread = "" }): Record<string, string> {
    return /^\d*$/.test(thread) ? {} : { thread_id: "An id of digits: switch on developer mode, then Copy Thread ID." };
  },

  async test(values, io) {
    const content = "Tailrace can write here. New issues, regressions and rollouts will come to this channel.";
    const reply = await post(values, { content, allowed_mentions: { parse: [] } }, io);
    return reply.ok ? { ok: true, message: "Discord took a message: look into the channel." } : reply;
  },

  send: (values, items, io) => sendTogether(noticesOf(items), (some) => post(values, messageOf(some, io), io)),
};

export default discord;
