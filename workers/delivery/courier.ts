/**
 * The Courier: a Durable Object per destination that delivers to it, by the name of
 * its id. It owns the destination's cursors, so nobody else sends what it sends; one
 * that hangs keeps nobody waiting but itself. An alarm runs it (`courier/engine.ts`),
 * nudges of the queue bring the alarm forward, `api/` sets up, asks, replays and
 * removes. Only here are the clock and the alarm.
 */
import { DurableObject } from "cloudflare:workers";
import type {
  BackfillRequest,
  DeadLetter,
  DeadLetterSelection,
  DeadLettersAnswer,
  DeadLettersChanged,
  DestinationHealth,
} from "../api/contract/integrations.ts";
import { rootMessage } from "../util/error-message.ts";
import type { CourierRpc, LetterEdited, Nudge } from "./contract.ts";
import { Book, hasBook } from "./courier/book.ts";
import { dependencies } from "./courier/dependencies.ts";
import { Engine } from "./courier/engine.ts";
import { SWEEP_MS } from "./courier/limits.ts";
import type { Dependencies } from "./courier/needs.ts";

interface Office {
  book: Book;
  engine: Engine;
}

export class Courier extends DurableObject<Env> implements CourierRpc {
  private readonly id: string;
  private readonly deps: Dependencies;
  private office: Office | undefined;
  private isRemoved = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    if (ctx.id.name === undefined) throw new Error("BUG: a courier must be made by the id of its destination");
    this.id = ctx.id.name;
    this.deps = dependencies.make(ctx, env, this.id);
    if (!hasBook(ctx.storage)) return;
    this.office = this.open();
    ctx.blockConcurrencyWhile(async () => {
      if ((await ctx.storage.getAlarm()) === null) this.deps.wake(this.deps.now() + SWEEP_MS);
    });
  }

  async refresh(destination: string): Promise<void> {
    const engine = (await this.ready())?.engine;
    if (destination === this.id) engine?.refresh();
    else engine?.refreshFailover();
  }

  async nudge(nudges: readonly Nudge[]): Promise<void> {
    (await this.ready())?.engine.nudge(nudges);
  }

  async health(): Promise<DestinationHealth> {
    const office = await this.ready();
    if (office === undefined) throw new Error(`There is no destination ${this.id}.`);
    await office.engine.known();
    return office.engine.health();
  }

  async backfill(request: BackfillRequest): Promise<void> {
    (await this.ready())?.engine.backfill(request);
  }

  async retryNow(): Promise<void> {
    (await this.ready())?.engine.retryNow();
  }

  async deadLetters(request: { before?: number; limit: number }): Promise<DeadLettersAnswer> {
    return (await this.ready())?.book.dead.list(request) ?? { deadLetters: [], total: 0 };
  }

  async deadLetter(id: number): Promise<(DeadLetter & { item: string }) | null> {
    return (await this.ready())?.book.dead.read(id) ?? null;
  }

  async editDeadLetter(id: number, item: string): Promise<LetterEdited> {
    return (
      (await this.ready())?.engine.letters.edit(id, item) ?? { ok: false, problem: "There is no such destination." }
    );
  }

  async replay(selection: DeadLetterSelection): Promise<DeadLettersChanged> {
    return (await this.ready())?.engine.letters.replay(selection) ?? NOTHING;
  }

  async discard(selection: DeadLetterSelection): Promise<DeadLettersChanged> {
    return (await this.ready())?.engine.letters.discard(selection) ?? NOTHING;
  }

  async marks(): Promise<{ shard: string; through: number }[]> {
    const lanes = this.office?.book.readLanes("own") ?? [];
    return lanes
      .filter(({ kind }) => kind === "log")
      .map(({ shard, position }) => ({ shard, through: position.through }));
  }

  async remove(): Promise<void> {
    this.isRemoved = true;
    await this.vacate();
  }

  override async alarm(): Promise<void> {
    await this.office?.engine.run();
  }

  /** Undefined where there is no such destination: a name that somebody made up leaves nothing behind. */
  private async ready(): Promise<Office | undefined> {
    if (this.office !== undefined || this.isRemoved) return this.office;
    const row = await this.deps.readDestination(this.id);
    if (row === undefined || this.isRemoved) return undefined;
    this.office ??= this.open();
    return this.office;
  }

  private open(): Office {
    const book = new Book(this.ctx.storage);
    return { book, engine: new Engine(this.id, this.deps, book, () => this.vacate()) };
  }

  /** Its own storage first: what lies elsewhere is also swept by others (source/expire.ts). */
  private async vacate(): Promise<void> {
    this.office?.engine.remove();
    this.office = undefined;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    await this.deps.sources.letGo().catch((error: unknown) => {
      console.warn(`delivery: what was kept for ${this.id} is let go later: ${rootMessage(error)}`);
    });
  }
}

const NOTHING: DeadLettersChanged = { changed: 0, refused: 0 };
