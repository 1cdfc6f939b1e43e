/**
 * An invocation → the items that a destination's rules send of it. A Courier calls
 * it for every invocation that it reads, so what can be decided once per rules is
 * compiled, and what can be decided once per invocation is. Pure.
 */
import type { DestinationRules, Feed, NoticeKind } from "../../api/contract/integrations.ts";
import type { Notification } from "../../api/contract.ts";
import type { TailraceEvent } from "../../event/event.ts";
import type { EventItem, Invocation, NoticeItem } from "../../integrations/contract.ts";
import { type EventFeed, isFailedInvocation, logFeedOf, tellsError } from "./feeds.ts";
import { eventItemId, noticeItemId } from "./item-id.ts";
import { type Matcher, matcherOf } from "./pattern.ts";
import { compileRates, isSent, type RateOf, sampleHash, seedOf } from "./sampling.ts";

export interface Chosen<T> {
  items: T[];
  dropped: { sampled: number };
}

/** debug below log: what a Worker prints with console.log is what console.info prints. */
const LEVELS: Readonly<Record<string, number>> = { debug: 0, log: 1, info: 1, warn: 2, error: 3 };
/** Without a level, or with one of somebody else's: as console.log. */
const NO_LEVEL = 1;

/** Rules, ready to be asked. Shared with the preview. */
export interface CompiledRules {
  worker: Matcher;
  version(id: string | undefined, tag: string | undefined): boolean;
  has: { errors: boolean; logs: boolean; traces: boolean; notices: boolean };
  level(level: string | undefined): boolean;
  /** Null: everything. */
  rate: RateOf | null;
}

const compiled = new WeakMap<DestinationRules, CompiledRules>();

/** Once per object of rules: hold on to it, and do not change it. */
export function compileRules(rules: DestinationRules): CompiledRules {
  const before = compiled.get(rules);
  if (before !== undefined) return before;
  const [chosen, except, versions] = [rules.workers, rules.exceptWorkers, rules.versions].map(matcherOf) as [
    Matcher,
    Matcher,
    Matcher,
  ];
  const feeds = new Set<Feed>(rules.feeds);
  const minLevel = LEVELS[rules.minLevel] ?? 0;
  const made: CompiledRules = {
    worker: (script) => (rules.workers.length === 0 || chosen(script)) && !except(script),
    version: (id, tag) =>
      rules.versions.length === 0 || (id !== undefined && versions(id)) || (tag !== undefined && versions(tag)),
    has: {
      ...{ errors: feeds.has("errors"), logs: feeds.has("logs") },
      ...{ traces: feeds.has("traces"), notices: feeds.has("notices") },
    },
    level: (level) => minLevel === 0 || (LEVELS[level ?? ""] ?? NO_LEVEL) >= minLevel,
    rate: compileRates(rules),
  };
  compiled.set(rules, made);
  return made;
}

/** False: it takes notices alone, and reads no log. `store/seal-commit.ts` asks D1 the same. */
export const takesEvents = ({ feeds }: Pick<DestinationRules, "feeds">): boolean =>
  feeds.some((feed) => feed !== "notices");

export const wantsWorker = (rules: DestinationRules, script: string): boolean => compileRules(rules).worker(script);

/** In the order of the invocation's events. What the rules do not choose is left out; what sampling drops is counted. */
export function itemsOf(invocation: Invocation, rules: DestinationRules, destinationId: string): Chosen<EventItem> {
  const chosen: Chosen<EventItem> = { items: [], dropped: { sampled: 0 } };
  const asked = compileRules(rules);
  const { events } = invocation;
  const [first] = events;
  if (first === undefined || !asked.worker(invocation.script) || !asked.version(first.version_id, first.version_tag))
    return chosen;
  const explained = asked.has.errors && events.some(tellsError);
  let hash: number | undefined;
  const add = (event: TailraceEvent, feed: EventFeed) => {
    if (asked.rate !== null) {
      const rate = asked.rate(sampledOf(event, feed));
      hash ??= sampleHash(invocation.id, seedFor(destinationId));
      if (!isSent(hash, rate)) {
        chosen.dropped.sampled++;
        return;
      }
    }
    const id = eventItemId(invocation.id, event.seq, feed);
    chosen.items.push({ id, tags: rules.tags, feed, event, invocation });
  };
  for (const event of events) eachFeed(event, asked, explained, add);
  return chosen;
}

/** The feeds, among those that are sent, that take an event. Shared with the preview. */
export function eachFeed<T extends Parameters<typeof tellsError>[0] & { level?: string }>(
  event: T,
  { has, level }: Pick<CompiledRules, "has" | "level">,
  explained: boolean,
  add: (event: T, feed: EventFeed) => void,
): void {
  switch (event.kind) {
    case "exception":
      if (has.errors) add(event, "errors");
      return;
    case "log":
    case "raw": {
      const feed = logFeedOf(event, has);
      if (feed === "errors" || (feed === "logs" && level(event.level))) add(event, feed);
      return;
    }
    case "invocation":
      if (has.errors && isFailedInvocation(event, explained)) add(event, "errors");
      if (has.traces) add(event, "traces");
      return;
    case "span":
      if (has.traces) add(event, "traces");
  }
}

/** Of an invocation, `name` is a cron or a queue. */
export const sampledOf = (
  event: Pick<TailraceEvent, "kind" | "status" | "outcome" | "name" | "fingerprint" | "stack">,
  feed: EventFeed,
) => ({
  feed,
  status: event.status,
  outcome: event.outcome,
  exception: tellsError(event) ? event.name : undefined,
});

let seed: { id: string; seed: number } | undefined;
function seedFor(destinationId: string): number {
  if (seed?.id !== destinationId) seed = { id: destinationId, seed: seedOf(destinationId) };
  return seed.seed;
}

/** Of notices there are few and each counts: only a rule that names the feed samples them. */
export function noticeItems(
  notices: readonly Notification[],
  rules: DestinationRules,
  destinationId: string,
): Chosen<NoticeItem> {
  const chosen: Chosen<NoticeItem> = { items: [], dropped: { sampled: 0 } };
  const asked = compileRules(rules);
  if (!asked.has.notices) return chosen;
  for (const notice of notices) {
    const { id: version, tag } = notice.detail.version;
    if (rules.notices.length > 0 && !rules.notices.includes(notice.kind satisfies NoticeKind)) continue;
    if (!asked.worker(notice.script) || (version !== "" && !asked.version(version, tag))) continue;
    const id = noticeItemId(notice);
    const rate = rules.sampling.find(isForNotices)?.rate ?? 1;
    if (isSent(sampleHash(id, seedFor(destinationId)), rate))
      chosen.items.push({ id, tags: rules.tags, feed: "notices", notice });
    else chosen.dropped.sampled++;
  }
  return chosen;
}

const isForNotices = (rule: DestinationRules["sampling"][number]): boolean =>
  rule.feed === "notices" && rule.status === undefined && rule.outcome === undefined && rule.exception === undefined;
