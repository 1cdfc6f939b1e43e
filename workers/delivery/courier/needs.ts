/**
 * What a Courier needs of others, by interface, and what they hand to it: sources,
 * rules, receivers, the row, the clock. `dependencies.ts` makes the real ones; tests hand
 * in receivers that lie, stores that are away, and a clock of their own.
 */
import type { DestinationHealth, Feed } from "../../api/contract/integrations.ts";
import type {
  Destination,
  Failure,
  Integration,
  Invocation,
  Io,
  Item,
  NoticeItem,
  Values,
} from "../../integrations/contract.ts";
import type { BackfillRead, Page, ReadRequest } from "../contract.ts";
import type { StoredDestination } from "../destinations.ts";
import type { Asked, Waiting } from "../source/waiting.ts";

export interface Mark {
  shard: string;
  script: string;
  through: number;
}

/** Where items come from (`delivery/source/`). All of it throws when a store is away. */
export interface Sources {
  read(request: ReadRequest): Promise<Page>;
  readBackfill(request: BackfillRead): Promise<Page>;
  /** How much waits in these shards, without reading any of it; one that did not answer is left out. Never throws. */
  waiting(shards: readonly Asked[]): Promise<ReadonlyMap<string, Waiting>>;
  /** How far each shard is sealed. */
  startMarks(): Promise<Mark[]>;
  /** Asks Ingesters to seal what they have; never throws. */
  seal(shards: readonly string[]): Promise<void>;
  withNews(known: ReadonlyMap<string, number>): Promise<{ shard: string; script: string }[]>;
  /** Lists the segments of a time (ms; null: without an end), and says how far shards were sealed in that moment. */
  takeBackfill(from: number, to: number | null): Promise<{ rows: number; segments: number; marks: Mark[] }>;
  /** Segments up to this number of the list are done; all of them unless told otherwise. */
  endBackfill(through?: number): Promise<void>;
  notices(
    after: number,
    limit: number,
  ): Promise<{ notices: readonly NoticeItem["notice"][]; through: number; more: boolean }>;
  /** Number of the newest notice from before a time, ms. */
  lastNotice(before: number): Promise<number>;
  letGo(): Promise<void>;
}

/** What a destination's rules make of what is read (`delivery/rules/`). */
export interface Rules {
  wants(script: string): boolean;
  takesEvents: boolean;
  takesNotices: boolean;
  errorsOnly: boolean;
  feeds: readonly Feed[];
  perMinute: number | null;
  items(invocation: Invocation): { items: readonly Item[]; sampled: number };
  notices(notices: readonly NoticeItem["notice"][]): readonly Item[];
}

export interface Receiver {
  id: string;
  revision: number;
  integration: Destination;
  values: Values;
  io: Io;
}

export type Opened = { ok: true; receiver: Receiver } | { ok: false; failure: Failure };

export interface Dependencies {
  readDestination(id: string): Promise<StoredDestination | undefined>;
  integrationOf(id: string): Integration | undefined;
  /** Its secrets in memory, and what it may reach. */
  open(row: StoredDestination): Promise<Opened>;
  sources: Sources;
  /** `takes`: feeds that the receiver can take. */
  rules(integration: Destination, row: StoredDestination): Rules;
  writeHealth(health: DestinationHealth): Promise<void>;
  count(name: CountName, outcome: string, n: number): void;
  now(): number;
  random(): number;
  /** Runs at `at`, ms since the epoch; null: never. */
  wake(at: number | null): void;
}

export type CountName =
  | "tailrace_delivery_items_total"
  | "tailrace_delivery_requests_total"
  | "tailrace_delivery_seconds_total";
