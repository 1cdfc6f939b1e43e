/**
 * From the log to those who watch. The Ingester tells of every append that is in
 * its log, and of every word about leases; this pushes to the hubs that have one
 * (`hub-queue.ts`). While nobody watches it does nothing and keeps nothing.
 *
 * An append that came without extras, from a Collector that did not know that
 * somebody wants them, is held back for a moment: the Collector is asked in the
 * append's answer, and hands them in (`supply`).
 */
import type { Lease, LiveEntry, LiveHubRpc } from "../live/contract.ts";
import type { AppendRequest, AppendResult } from "./contract.ts";
import { HubQueue, type QueueClock } from "./hub-queue.ts";
import type { Leases } from "./leases.ts";
import { MAX_EXTRAS_CHARS, RECENT_MS, SUPPLY_MS } from "./limits.ts";

export interface PushQueueParts {
  leases: Leases;
  shard: string;
  script: () => string;
  hub: (name: string) => Pick<LiveHubRpc, "push">;
  /** What the log has since then, ms; as much as one push carries. */
  since: (at: number) => LiveEntry[];
  clock?: QueueClock;
}

/** An append that is in the log now: its place, and the events ever logged. */
export type Logged = Pick<LiveEntry, "id" | "through" | "at">;

export class PushQueue {
  private readonly queues = new Map<string, HubQueue>();
  private readonly clock: QueueClock;

  constructor(private readonly parts: PushQueueParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** Before an append is looked at: what its Collector knows of leases. */
  hear({ leases }: AppendRequest): void {
    if (leases !== undefined) this.parts.leases.pass(leases, this.clock.now());
  }

  /** `logged` is only asked when somebody watches. */
  add(request: AppendRequest, logged: () => Logged): void {
    if (request.rows === 0) return;
    const now = this.clock.now();
    const leases = this.parts.leases.current(now);
    if (leases === undefined) return;
    const { batchId, batch, rows } = request;
    const extras = bounded(request.extras ?? "");
    const hasErrors = request.issues !== undefined && request.issues.length > 0;
    const logEntry = logged();
    const essential = request.essential || hasErrors;
    for (const lease of leases) {
      const entry: LiveEntry = { ...logEntry, rows, batch, extras: wantedOf(extras, lease) };
      const heldUntil = isAwaited(request, lease, hasErrors) ? now + SUPPLY_MS : 0;
      if (this.parts.leases.takeFormer(lease.hub)) this.again(lease.hub, entry, now);
      this.queue(lease.hub).add({ entry, batchId, essential, heldUntil });
    }
  }

  /** After a crash: what may have waited then. The hub knows by the ids what it has had. */
  private again(hub: string, before: LiveEntry, now: number): void {
    for (const entry of this.parts.since(now - RECENT_MS)) if (entry.id < before.id) this.put(hub, entry);
  }

  private put(hub: string, entry: LiveEntry): void {
    this.queue(hub).add({ entry, batchId: "", essential: false, heldUntil: 0 });
  }

  /**
   * Hubs that this shard had not heard of when it opened its log: they get what it has
   * logged since, which is what the Worker said first.
   */
  adopt(found: readonly Lease[]): void {
    const now = this.clock.now();
    const { leases, since } = this.parts;
    const known = leases.current(now) ?? [];
    leases.pass(found, now);
    for (const { hub } of leases.current(now) ?? []) {
      if (known.some((lease) => lease.hub === hub)) continue;
      for (const entry of since(now - RECENT_MS)) this.put(hub, entry);
    }
  }

  /** What an append's answer says beside its own. */
  answer({ batchId }: AppendRequest): Pick<AppendResult & { ok: true }, "leases" | "supply"> | undefined {
    const leases = this.parts.leases.current(this.clock.now());
    if (leases === undefined) return undefined;
    const supply = leases.some(({ hub }) => this.queues.get(hub)?.holds(batchId) === true);
    return supply ? { leases, supply } : { leases };
  }

  supply(batchId: string, extras: string): void {
    const given = bounded(extras);
    for (const lease of this.parts.leases.current(this.clock.now()) ?? []) {
      this.queues.get(lease.hub)?.supply(batchId, wantedOf(given, lease));
    }
  }

  private queue(hub: string): HubQueue {
    const known = this.queues.get(hub);
    if (known !== undefined) return known;
    const { leases, shard, script } = this.parts;
    const queue = new HubQueue({
      clock: this.clock,
      send: (entries, missed) => this.parts.hub(hub).push({ script: script(), shard, entries, missed }),
      wanted: () => leases.current(this.clock.now())?.some((lease) => lease.hub === hub) === true,
      answered: (answer) => leases.answered(hub, answer, this.clock.now()),
    });
    this.queues.set(hub, queue);
    return queue;
  }
}

/** This hub wants what the Collector did not know to send: anything at all, or items. */
function isAwaited({ extras, leases: known }: AppendRequest, { items }: Lease, hasErrors: boolean): boolean {
  if (extras === undefined) return items || hasErrors;
  return items && known?.some((lease) => lease.items) !== true;
}

const ITEMS = '"items":';

/**
 * Without the items where nobody wants them, which are the larger part by far. Cut off
 * unread: the Collector writes them last, and in JSON a bare quote after a comma begins a name.
 */
function wantedOf(extras: string, { items }: Lease): string {
  if (items) return extras;
  const at = extras.indexOf(`,${ITEMS}`);
  if (at >= 0) return `${extras.slice(0, at)}}`;
  return extras.startsWith(`{${ITEMS}`) ? "" : extras;
}

const bounded = (extras: string) => (extras.length <= MAX_EXTRAS_CHARS ? extras : "");

const systemClock: QueueClock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
