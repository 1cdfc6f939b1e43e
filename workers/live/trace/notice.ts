/**
 * What `wrangler tail` is told when it does not get everything: a trace item of
 * the kind by which Cloudflare's own tail says so. `--format pretty` prints
 * `event.message`; with `--format json`, `event.notShown` is for programs. Logs and
 * exceptions are lists, since both formats walk them.
 */
import type { NotShown } from "../../api/contract/live.ts";

/** `unchecked`: nobody could compare them with the filters. */
type Hidden = NotShown & { unchecked?: number };

/** While more comes than is shown, and each time that more was left out. */
export const overloadNotice = (script: string, notShown: Hidden, now: number): string =>
  notice("overload", script, notShown, now, `${said(script, notShown)} ${ADVICE}`);

/** Everything is shown again. `notShown`: since the last notice, perhaps nothing. */
export const overloadStopNotice = (script: string, notShown: Hidden, now: number): string =>
  notice(
    "overload-stop",
    script,
    notShown,
    now,
    `${said(script, notShown)} From here on everything of ${script} is shown again.`.trimStart(),
  );

const ADVICE = "Failures are shown first, the rest is a fair sample; everything is stored. A filter shows less of it.";

function said(script: string, { events, errors, kinds, unchecked = 0 }: Hidden): string {
  const sentences: string[] = [];
  const parts = Object.entries(kinds).flatMap(([kind, n]) => (n > 0 ? [`${number(n)} ${kind}`] : []));
  const bad = errors === 0 ? "none of them errors" : `${number(errors)} of them errors`;
  const of = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
  if (events > 0) sentences.push(`Not shown: ${eventsOf(script, events)}${of}, ${bad}.`);
  if (unchecked > 0)
    sentences.push(`Not compared with the filters: ${eventsOf(script, unchecked)}, more than could be passed on.`);
  return sentences.join(" ");
}

const eventsOf = (script: string, n: number) => `${number(n)} event${n === 1 ? "" : "s"} of ${script}`;

const number = (n: number) => n.toLocaleString("en-US");

function notice(
  type: "overload" | "overload-stop",
  script: string,
  notShown: Hidden,
  now: number,
  message: string,
): string {
  return JSON.stringify({
    wallTime: 0,
    cpuTime: 0,
    truncated: false,
    outcome: "ok",
    scriptName: script,
    diagnosticsChannelEvents: [],
    exceptions: [],
    logs: [],
    eventTimestamp: now,
    event: { message, type, notShown },
  });
}
