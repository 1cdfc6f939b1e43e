/**
 * What is the same for all receivers of notices: what an HTTP status means, and how
 * a list of items is sent when the receiver takes one message at a time. Each
 * integration says in its own words what its receiver's answers mean.
 */
import { retryAfterMs } from "../../util/retry-after.ts";
import type {
  Failure,
  FailureKind,
  Io,
  Item,
  ItemOutcome,
  NoticeItem,
  OutgoingAnswer,
  SendResult,
} from "../contract.ts";
import { sentences } from "../sending/advice.ts";
import { cut, oneLine } from "./clean.ts";

/** Of what a receiver said, in a message. */
const MAX_SAID_CHARS = 200;

/** What became of one request. */
export type Reply = { ok: true; holdMs?: number } | { ok: false; failure: Failure };

/** undefined: 2xx. `said`: what the receiver's words mean, when they mean something. */
export function failureOf(
  answer: OutgoingAnswer,
  receiver: string,
  now: number,
  said?: { kind?: FailureKind; message: string },
): Failure | undefined {
  if (!answer.ok) return answer.failure;
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return undefined;
  const kind = said?.kind ?? kindOf(status);
  const wait = kind === "rate_limited" || kind === "unavailable" ? retryAfterMs(headers.get("retry-after"), now) : null;
  return {
    kind,
    status,
    ...(said === undefined && ADVICE[kind] !== "" ? { advised: true } : {}),
    message: said?.message ?? sentences(`${receiver} answered ${status}${quoted(answer.text)}`, ADVICE[kind]),
    ...(wait === null ? {} : { retryAfterMs: wait }),
  };
}

const quoted = (text: string) => {
  const said = cut(oneLine(text), MAX_SAID_CHARS);
  return said === "" ? "" : `: ${said}`;
};

export function kindOf(status: number): FailureKind {
  if (status === 401 || status === 403) return "unauthorized";
  if (status === 404 || status === 405 || status === 410) return "misplaced";
  if (status === 429) return "rate_limited";
  if (status === 408 || status === 425 || status >= 500) return "unavailable";
  if (status < 400) return "misplaced";
  return "refused";
}

const ADVICE: Record<FailureKind, string> = {
  unreachable: "",
  timeout: "",
  unauthorized: "Look at the key: it may be wrong, or revoked.",
  misplaced: "Look at the address.",
  rate_limited: "It asks to wait.",
  unavailable: "",
  lying: "Look at the address: something else answers there.",
  refused: "",
  blocked: "",
};

/** It said 2xx, but not in its protocol's words: a proxy, a log-in page, another service. */
export const lying = (receiver: string, status: number, text: string): Failure => ({
  kind: "lying",
  status,
  message: `The answer (${status}) is not one that ${receiver} gives${quoted(text)}. ${ADVICE.lying}`,
});

/** A page for people: a proxy, a log-in, a hoster's "this site is parked". */
export const isPage = (text: string): boolean => text.trimStart().startsWith("<");

/** Items that are no notices would be a mistake of the rules: these integrations take nothing else. */
export function noticesOf(items: readonly Item[]): NoticeItem[] {
  return items.map((item) => {
    if (item.feed !== "notices") throw new Error(`BUG: an item of ${item.feed} for an integration that takes notices`);
    return item;
  });
}

/** One after the other; after the first that must be tried again nothing more is sent, so that the order holds. */
export async function sendEach<T>(items: readonly T[], send: (item: T) => Promise<Reply>): Promise<SendResult> {
  const outcomes: ItemOutcome[] = [];
  let holdMs: number | undefined;
  let stopped: Failure | undefined;
  let requests = 0;
  for (const item of items) {
    if (stopped !== undefined) {
      outcomes.push({ again: stopped });
      continue;
    }
    requests += 1;
    const reply = await send(item);
    if (reply.ok) {
      outcomes.push("delivered");
      holdMs = reply.holdMs;
    } else if (reply.failure.kind === "refused") outcomes.push({ refused: reply.failure });
    else {
      stopped = reply.failure;
      outcomes.push({ again: stopped });
    }
  }
  return { outcomes, requests, ...(holdMs === undefined ? {} : { holdMs }) };
}

/** Several in one message; when the receiver refuses it, its halves, until it has spoken of one alone. */
export async function sendTogether<T>(
  items: readonly T[],
  send: (items: readonly T[]) => Promise<Reply>,
): Promise<SendResult> {
  if (items.length === 0) return { outcomes: [], requests: 0 };
  const reply = await send(items);
  if (reply.ok) {
    const outcomes = items.map((): ItemOutcome => "delivered");
    return { outcomes, requests: 1, ...(reply.holdMs === undefined ? {} : { holdMs: reply.holdMs }) };
  }
  const { failure } = reply;
  if (failure.kind !== "refused") return { outcomes: items.map(() => ({ again: failure })), requests: 1 };
  if (items.length === 1) return { outcomes: [{ refused: failure }], requests: 1 };
  const middle = items.length >> 1;
  const first = await sendTogether(items.slice(0, middle), send);
  const stuck = first.outcomes.find((outcome) => typeof outcome === "object" && "again" in outcome);
  const rest = items.slice(middle);
  // What comes after one that waits, waits: the order in the channel is what people read by.
  const second: SendResult =
    stuck === undefined ? await sendTogether(rest, send) : { outcomes: rest.map(() => stuck), requests: 0 };
  const hold = second.holdMs ?? first.holdMs;
  return {
    outcomes: [...first.outcomes, ...second.outcomes],
    requests: 1 + first.requests + second.requests,
    ...(hold === undefined ? {} : { holdMs: hold }),
  };
}

/** JSON of an answer; undefined when it is none. */
export function jsonOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export const postJson = (io: Io, url: string, body: unknown, headers: Record<string, string> = {}) =>
  io.request({
    url,
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
