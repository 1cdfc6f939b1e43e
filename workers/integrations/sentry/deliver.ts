/**
 * A batch of items → requests → what became of each item. Errors and transactions
 * go one to an envelope, because Sentry takes no more, some at a time; logs go a
 * hundred together. What a rate limit holds back, and all that would fare like an
 * item before it, is left for the next try without asking again. `catalog/sentry.ts`
 * hands on what `delivery/` calls.
 */
import { gzipSync } from "node:zlib";
import type { Feed } from "../../api/contract/integrations.ts";
import { rootMessage } from "../../util/error-message.ts";
import type { EventItem, Failure, Io, Item, ItemOutcome, SendResult, Values } from "../contract.ts";
import { judge, type Verdict } from "./answer.ts";
import {
  type Category,
  type Envelope,
  eventEnvelope,
  fitting,
  logEnvelope,
  lookUp,
  transactionEnvelope,
} from "./envelope.ts";
import { BUDGETS, GZIP_FROM_BYTES, TURN_MS, WIDTH } from "./limits.ts";
import { logJson } from "./log.ts";
import { heldUntil, type Limits, learn, limitsOf } from "./rate-limits.ts";
import { CLIENT } from "./sdk.ts";
import { readSettings, type Settings } from "./settings.ts";
import { type Subject, subjectOf } from "./subject.ts";
import { isPartOfAnother } from "./transaction.ts";

export async function deliver(values: Values, items: readonly Item[], io: Io): Promise<SendResult> {
  const read = readSettings(values);
  if (!read.ok) {
    const message = Object.values(read.problems).join(" ");
    const again = { again: { kind: "unauthorized", message, status: 0 } as const };
    return { outcomes: items.map(() => again), requests: 0 };
  }
  return new Delivery(read.settings, items, io).run();
}

/** Endpoints that do not understand gzip, as long as the isolate lives. */
const plainOnly = new Set<string>();
const MAX_PLAIN_ONLY = 100;

/** Posts an envelope, and takes in what the answer says of rate limits. */
export async function post(envelope: Envelope, settings: Settings, limits: Limits, io: Io): Promise<Verdict> {
  const { dsn } = settings;
  const packed = envelope.bytes.length >= GZIP_FROM_BYTES && !plainOnly.has(dsn.endpoint);
  const answer = await io.request({
    url: dsn.endpoint,
    headers: {
      "content-type": "application/x-sentry-envelope",
      "x-sentry-auth": `Sentry sentry_version=7, sentry_client=${CLIENT}, sentry_key=${dsn.publicKey}`,
      ...(packed ? { "content-encoding": "gzip" } : {}),
    },
    body: packed ? new Uint8Array(gzipSync(envelope.bytes, { level: 1 })) : envelope.bytes,
  });
  const now = io.now();
  if (answer.ok) learn(limits, answer.status, answer.headers, now);
  const verdict = judge(answer, dsn, envelope.eventId, now);
  if (verdict.kind === "stop" && verdict.failure.kind === "rate_limited") {
    // What is said of the category counts; `Retry-After` is the longest of all.
    const until = heldUntil(limits, envelope.category, now);
    if (until === 0) return verdict;
    return {
      kind: "stop",
      failure: ofCategory({ ...verdict.failure, retryAfterMs: until - now }, envelope, limits, now),
    };
  }
  if (verdict.kind !== "plain") return verdict;
  if (!packed) return { kind: "refused", failure: verdict.failure };
  if (plainOnly.size < MAX_PLAIN_ONLY) plainOnly.add(dsn.endpoint);
  return post(envelope, settings, limits, io);
}

interface Log {
  index: number;
  subject: Subject;
  json: string;
}

class Delivery {
  readonly #settings: Settings;
  readonly #items: readonly Item[];
  readonly #io: Io;
  readonly #limits: Limits;
  readonly #outcomes: (ItemOutcome | undefined)[];
  readonly #until: number;
  #requests = 0;
  /** Why nothing more is sent. */
  #stopped: Failure | undefined;

  constructor(settings: Settings, items: readonly Item[], io: Io) {
    this.#settings = settings;
    this.#items = items;
    this.#io = io;
    this.#limits = limitsOf(`${settings.dsn.publicKey}@${settings.dsn.endpoint}`);
    this.#outcomes = items.map(() => undefined);
    this.#until = io.now() + TURN_MS;
  }

  async run(): Promise<SendResult> {
    const tasks: (() => Promise<void>)[] = [];
    const logs: { index: number; item: EventItem }[] = [];
    this.#items.forEach((item, index) => {
      // Notices are not among what it takes.
      if (item.feed === "notices") this.#outcomes[index] = "delivered";
      else if (item.feed === "logs") logs.push({ index, item });
      else {
        tasks.push(async () => {
          this.#outcomes[index] = await this.#one(item).catch(untold);
        });
      }
    });
    if (logs.length > 0) tasks.unshift(() => this.#logs(logs));
    let next = 0;
    const worker = async () => {
      for (let task = tasks[next++]; task !== undefined; task = tasks[next++]) await task();
    };
    await Promise.all(Array.from({ length: Math.min(WIDTH, tasks.length) }, worker));
    const holdMs = (this.#limits.get("") ?? 0) - this.#io.now();
    return {
      outcomes: this.#outcomes.map((outcome, i) => outcome ?? this.#forgotten(i)),
      requests: this.#requests,
      ...(holdMs > 0 ? { holdMs } : {}),
    };
  }

  /** An error or a transaction, told in less detail as long as it is too large. */
  async #one(item: EventItem): Promise<ItemOutcome> {
    const subject = subjectOf(item, this.#settings);
    if (item.feed === "traces" && isPartOfAnother(subject)) return "delivered";
    const category = item.feed === "traces" ? "transaction" : "error";
    const { baseUrl } = this.#io;
    const before = this.#holds(category);
    if (before !== undefined) return { again: before };
    const known = category === "error" ? await lookUp(subject, this.#io) : undefined;
    let level = 0;
    for (;;) {
      const held = this.#holds(category);
      if (held !== undefined) return { again: held };
      const now = this.#io.now();
      const envelope =
        known === undefined
          ? transactionEnvelope(subject, baseUrl, now, level)
          : eventEnvelope(subject, known, now, level);
      const verdict = await this.#post(envelope);
      level = envelope.level + 1;
      if (verdict.kind !== "too large" || level >= BUDGETS.length) return outcomeOf(verdict);
    }
  }

  async #logs(given: readonly { index: number; item: EventItem }[]): Promise<void> {
    const logs: Log[] = [];
    for (const { index, item } of given) {
      try {
        const subject = subjectOf(item, this.#settings);
        logs.push({ index, subject, json: logJson(subject, false) });
      } catch (error) {
        this.#outcomes[index] = untold(error);
      }
    }
    for (let start = 0; start < logs.length; ) {
      const count = fitting(logs, start);
      await this.#container(logs.slice(start, start + count));
      start += count;
    }
  }

  /** Where a container is refused its halves tell which log it was. */
  async #container(logs: readonly Log[], isCut = false): Promise<void> {
    const held = this.#holds("log_item");
    const verdict = held === undefined ? await this.#post(logEnvelope(logs, this.#io.now())) : undefined;
    const isLarge = verdict?.kind === "too large";
    const [only] = logs;
    if (logs.length > 1 && (isLarge || verdict?.kind === "refused")) {
      const half = logs.length >> 1;
      await this.#container(logs.slice(0, half));
      await this.#container(logs.slice(half));
    } else if (isLarge && !isCut && only !== undefined) {
      await this.#container([{ ...only, json: logJson(only.subject, true) }], true);
    } else {
      const outcome = verdict === undefined ? { again: held as Failure } : outcomeOf(verdict);
      for (const { index } of logs) this.#outcomes[index] = outcome;
    }
  }

  async #post(envelope: Envelope): Promise<Verdict> {
    this.#requests++;
    const verdict = await post(envelope, this.#settings, this.#limits, this.#io);
    // A limit of one category leaves the others alone.
    if (verdict.kind === "stop" && !this.#isOfCategory(verdict.failure)) this.#stopped ??= verdict.failure;
    return verdict;
  }

  #isOfCategory({ kind }: Failure): boolean {
    return kind === "rate_limited" && heldOnlySome(this.#limits, this.#io.now());
  }

  /** Why an item of this category is not sent now. */
  #holds(category: Category): Failure | undefined {
    if (this.#stopped !== undefined) return this.#stopped;
    const now = this.#io.now();
    if (now > this.#until)
      return { kind: "timeout", message: `${this.#settings.dsn.host} answers slowly: the rest follows.`, status: 0 };
    const until = heldUntil(this.#limits, category, now);
    if (until === 0) return undefined;
    const message = `${this.#settings.dsn.host} asked to wait with ${WORDS[category]}: the project's rate limit or quota is reached.`;
    const failure: Failure = { kind: "rate_limited", message, status: 429, retryAfterMs: until - now };
    return ofCategory(failure, { category }, this.#limits, now);
  }

  #forgotten(index: number): never {
    throw new Error(`BUG: item ${index} of ${this.#items.length} has no outcome`);
  }
}

/** One event that cannot be told must not hold up all that follow. */
function untold(error: unknown): { refused: Failure } {
  console.error("BUG: an event could not be put in Sentry's words", error);
  const message = `It could not be put in Sentry's words: ${rootMessage(error)}`;
  return { refused: { kind: "refused", message, status: 0 } };
}

const WORDS: Record<Category, string> = { error: "errors", transaction: "transactions", log_item: "logs" };

const FEEDS: Record<Category, Feed> = { error: "errors", transaction: "traces", log_item: "logs" };

/** Says that items of this category wait alone, unless Sentry wants nothing at all. */
const ofCategory = (
  failure: Failure,
  { category }: Pick<Envelope, "category">,
  limits: Limits,
  now: number,
): Failure => (heldOnlySome(limits, now) ? { ...failure, only: FEEDS[category] } : failure);

const heldOnlySome = (limits: Limits, now: number): boolean => (limits.get("") ?? 0) <= now;

function outcomeOf(verdict: Verdict): ItemOutcome {
  if (verdict.kind === "taken") return "delivered";
  return verdict.kind === "stop" ? { again: verdict.failure } : { refused: verdict.failure };
}
