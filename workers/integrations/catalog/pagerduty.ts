/**
 * PagerDuty, Events API v2: an alert per issue and per rollout, under a key of its
 * own, so that what comes twice is one alert.
 * https://developer.pagerduty.com/docs/events-api-v2-overview
 */
import type { CatalogField, NoticeKind } from "../../api/contract/integrations.ts";
import type { Destination, FailureKind, Io, NoticeItem, OutgoingAnswer, Values } from "../contract.ts";
import { cut } from "../notices/clean.ts";
import { failureOf, isPage, jsonOf, lying, noticesOf, postJson, type Reply, sendEach } from "../notices/exchange.ts";
import { describeNotice, timesText } from "../notices/notice.ts";

/** PagerDuty's limits, in characters. */
const SUMMARY_CHARS = 1_024;
const SOURCE_CHARS = 255;
const DETAIL_CHARS = 2_000;
/** It takes 120 events a minute and key; more are answered with 429. */
const BATCH = 10;

const REGIONS: Record<string, string> = {
  us: "https://events.pagerduty.com/v2/enqueue",
  eu: "https://events.eu.pagerduty.com/v2/enqueue",
};

const NONE = "none";
const LEVELS = [
  { value: "critical", label: "Critical" },
  { value: "error", label: "Error" },
  { value: "warning", label: "Warning" },
  { value: "info", label: "Info" },
  { value: NONE, label: "No alert" },
];

const level = (name: string, label: string, preset: string, help: string): CatalogField => ({
  ...{ name, label, help, default: preset, options: LEVELS },
  ...{ type: "select", required: false, secret: false },
});

/** Which field says how severe it is. The others end an alert, or are none. */
const SEVERITY_FIELDS: Partial<Record<NoticeKind, { name: string; preset: string }>> = {
  "issue.new": { name: "new_issues", preset: "error" },
  "issue.regressed": { name: "regressions", preset: "error" },
  "issue.escalated": { name: "regressions", preset: "error" },
  "rollout.rolled_back": { name: "rollbacks", preset: "critical" },
  "rollout.held": { name: "held", preset: "warning" },
};
const RESOLVES: ReadonlySet<NoticeKind> = new Set(["issue.resolved", "rollout.promoted", "rollout.stopped"]);

/** The same for all that is told of an issue, or a rollout. */
const keyOf = ({ notice }: NoticeItem) =>
  notice.detail.rolloutId === undefined
    ? `tailrace/issue/${notice.issueId}`
    : `tailrace/rollout/${notice.detail.rolloutId}`;

/** undefined: it is no alert, by its kind or by choice. */
function eventOf(item: NoticeItem, values: Values, io: Io): object | undefined {
  const { kind, script } = item.notice;
  const common = { routing_key: values.routing_key ?? "", dedup_key: keyOf(item) };
  if (RESOLVES.has(kind)) return { ...common, event_action: "resolve" };
  const field = SEVERITY_FIELDS[kind];
  const severity = field === undefined ? NONE : values[field.name] || field.preset;
  if (severity === NONE) return undefined;
  const notice = describeNotice(item, io);
  const details = Object.fromEntries(
    notice.facts.map(({ label, value }) => [label.toLowerCase(), cut(value, DETAIL_CHARS)]),
  );
  const seen =
    notice.seen === null
      ? {}
      : { seen: timesText(notice.seen.count), first_seen: new Date(notice.seen.since).toISOString() };
  return {
    ...common,
    event_action: "trigger",
    payload: {
      summary: cut(notice.title === "" ? notice.headline : `${notice.headline}: ${notice.title}`, SUMMARY_CHARS),
      source: cut(script, SOURCE_CHARS),
      severity,
      timestamp: new Date(notice.at).toISOString(),
      component: cut(script, SOURCE_CHARS),
      class: kind,
      custom_details: { what: cut(notice.title, DETAIL_CHARS), ...details, ...seen },
    },
    client: "Tailrace",
    ...(notice.link === ""
      ? {}
      : { client_url: notice.link, links: [{ href: notice.link, text: "Open in Tailrace" }] }),
  };
}

const addressOf = (values: Values): string => values.url || (REGIONS[values.region ?? ""] ?? (REGIONS.us as string));

async function post(values: Values, event: object, io: Io): Promise<Reply> {
  const answer = await postJson(io, addressOf(values), event);
  const failure = failureOf(answer, "PagerDuty", io.now(), answer.ok ? meaningOf(answer) : undefined);
  if (failure !== undefined) return { ok: false, failure };
  const status = answer.ok ? (jsonOf(answer.text)?.status ?? "success") : "";
  if (answer.ok && status === "success" && !isPage(answer.text)) return { ok: true };
  return { ok: false, failure: answer.ok ? lying("PagerDuty", answer.status, answer.text) : answer.failure };
}

/** `{"status":"invalid event","message":"…","errors":["…"]}` */
function meaningOf({
  status,
  text,
}: OutgoingAnswer & { ok: true }): { kind?: FailureKind; message: string } | undefined {
  if (status === 429) return { message: "PagerDuty takes no more events of this key for the moment (429)." };
  const { message, errors } = jsonOf(text) ?? {};
  if (status !== 400 || (message === undefined && errors === undefined)) return undefined;
  const said = cut([message, ...(Array.isArray(errors) ? errors : [])].filter(Boolean).join(": "), 400);
  if (/routing.?key/i.test(said))
    return {
      kind: "unauthorized",
      message: `PagerDuty does not accept the integration key (${said}). It has 32 characters, is of an integration "Events API V2", and belongs to one region.`,
    };
  return { message: `PagerDuty refuses this event: ${said}` };
}

const pagerduty: Destination = {
  id: "pagerduty",
  name: "PagerDuty",
  role: "destination",
  category: "Alerts",
  summary: "Wakes who is on call for new issues, regressions and rollouts that were taken back.",
  takes: ["notices"],
  fields: [
    {
      name: "routing_key",
      label: "Integration key",
      type: "secret",
      required: true,
      secret: true,
      help: 'Of an integration "Events API V2": 32 characters, under the service\'s Integrations.',
      example: "0123456789abcdef0123456789abcdef",
    },
    {
      name: "region",
      label: "Service region",
      type: "select",
      required: false,
      secret: false,
      default: "us",
      options: [
        { value: "us", label: "US" },
        { value: "eu", label: "EU" },
      ],
      help: "EU when your PagerDuty's address has `.eu.` in it.",
    },
    level("new_issues", "New issues", "error", "Severity of the alert that a new issue opens."),
    level(
      "regressions",
      "Issues that came back",
      "error",
      "Resolved ones that were seen again, and ignored ones that passed their limit.",
    ),
    level("rollbacks", "Rollouts taken back", "critical", "Severity of the alert when a bad version was rolled back."),
    level(
      "held",
      "Rollouts that wait",
      "warning",
      "They need a person. The alert resolves when the rollout goes through or is stopped.",
    ),
    {
      name: "url",
      label: "Events address",
      type: "url",
      required: false,
      secret: false,
      advanced: true,
      help: "The whole address that events are POSTed to, in place of PagerDuty's own, for services that speak Events API v2.",
      example: "https://events.pagerduty.com/v2/enqueue",
    },
  ],
  documentation: `1. In PagerDuty, open the service that is to be alerted, **Integrations**, **Add integration**, and choose **Events API V2**.
2. Copy its **Integration Key** and paste it here. **Test** opens an alert of severity info and resolves it at once.

**What arrives.** One alert per issue and one per rollout, each with a dedup key of its own (\`tailrace/issue/12\`, \`tailrace/rollout/…\`): what is told again of an open one adds to it, and opens no second. When somebody resolves an issue in Tailrace its alert is resolved, and opened again when it comes back. A rollout that waits resolves its alert when it goes through or is stopped. A rollout that begins is no alert.

**Good to know.** The severities decide, with your service's urgency rules, who is woken. To send only some kinds, choose "No alert" here or choose kinds in the rules. What is resolved in PagerDuty stays open in Tailrace.`,
  website: "https://developer.pagerduty.com/docs/events-api-v2-overview",
  mark: { text: "PD", color: "#048a24" },
  idempotent: true,
  limits: { items: BATCH, bytes: 256 << 10 },
  ordered: true,

  async test(values, io) {
    const common = { routing_key: values.routing_key ?? "", dedup_key: `tailrace/test/${io.now()}` };
    const payload = { summary: "Tailrace can reach PagerDuty (a test)", source: "Tailrace", severity: "info" };
    const opened = await post(values, { ...common, event_action: "trigger", payload, client: "Tailrace" }, io);
    if (!opened.ok) return opened;
    const closed = await post(values, { ...common, event_action: "resolve" }, io);
    if (closed.ok) return { ok: true, message: "PagerDuty took an alert, and that it is resolved." };
    const message = `PagerDuty took a test alert, but not that it is resolved: resolve it by hand. ${closed.failure.message}`;
    return { ok: false, failure: { ...closed.failure, message } };
  },

  send: (values, items, io) =>
    sendEach(noticesOf(items), async (item) => {
      const event = eventOf(item, values, io);
      return event === undefined ? { ok: true } : await post(values, event, io);
    }),
};

export default pagerduty;
