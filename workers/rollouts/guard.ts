/**
 * The guard of one Worker's gradual deployments: a Durable Object by the
 * Worker's name, so there is one, and one rollout at a time. An alarm wakes it
 * every few seconds while a rollout runs; each time it looks (`guard/look.ts`),
 * and does one step at most of what follows. All that it must remember is in its
 * SQLite (`guard/book.ts`): it may be lost at any moment, and goes on from there.
 *
 * `api/` starts, steers and reads; the Ingester tells it of versions (`noticed`).
 * Only here are the clock and the alarm.
 */
import { DurableObject } from "cloudflare:workers";
import type { Preflight, Rollout, RolloutAnswer, RolloutCommand, StartRollout } from "../api/contract.ts";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import type { GuardResult, GuardRpc } from "./contract.ts";
import { check, start, watchSplit } from "./guard/begin.ts";
import { Book } from "./guard/book.ts";
import { command, type Verb } from "./guard/command.ts";
import { dependencies } from "./guard/dependencies.ts";
import type { Desk } from "./guard/desk.ts";
import { COMMAND_MS, DARK_LOOKS, LOOK_MS, NOTICED_MS } from "./guard/limits.ts";
import { interval, look } from "./guard/look.ts";
import { Outbox } from "./guard/outbox.ts";
import { readPage } from "./guard/page.ts";
import type { Run } from "./guard/run.ts";
import { held } from "./guard/transitions.ts";

export class RolloutGuard extends DurableObject<Env> implements GuardRpc {
  private readonly desk: Desk;
  private readonly outbox: Outbox;
  /** The look that is under way: there is one at a time. */
  private looking: Promise<void> = Promise.resolve();
  /** Until then nobody need ask whether somebody splits traffic, and since when that holds. */
  private unnoticed = { since: 0, forMs: 0 };
  /** What went wrong with the last look itself: said until one succeeds. */
  private lastError = "";
  /** Looks in a row that failed. */
  private failedLooks = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const script = ctx.id.name;
    if (script === undefined) throw new Error("BUG: a guard must be made by name");
    const book = new Book(ctx.storage);
    this.desk = { script, self: env.TAILRACE_SCRIPT, book, deps: dependencies.make(ctx, env) };
    this.outbox = new Outbox(book, this.desk.deps);
    ctx.blockConcurrencyWhile(async () => {
      if (this.nextMs() !== null && (await ctx.storage.getAlarm()) === null) this.desk.deps.wake(LOOK_MS);
    });
  }

  async preflight(request: StartRollout): Promise<GuardResult<Preflight>> {
    // What is only watched may be over by now.
    if (this.desk.book.active?.rollout.isWatched) await this.soon();
    const checked = await check(this.desk, request);
    return checked.ok ? { ok: true, value: checked.value.preflight } : checked;
  }

  async start(request: StartRollout, actor: string): Promise<GuardResult<Rollout>> {
    if (this.desk.book.active?.rollout.isWatched) await this.soon();
    return this.carriedOut(await start(this.desk, request, actor));
  }

  async command(id: string, verb: Verb, said: RolloutCommand, actor: string): Promise<GuardResult<Rollout>> {
    return this.carriedOut(await command(this.desk, id, verb, said, actor));
  }

  async read(id: string): Promise<RolloutAnswer | null> {
    const page = readPage(this.desk, id);
    return page === null || this.lastError === "" ? page : { ...page, blind: [...page.blind, this.lastError] };
  }

  async evidence(id: string): ReturnType<GuardRpc["evidence"]> {
    const run = this.desk.book.find(id);
    if (run === null) return null;
    return { rollout: run.rollout, events: this.desk.book.events(id), judgement: run.judgement };
  }

  async current(): Promise<string | null> {
    return this.desk.book.active?.rollout.id ?? null;
  }

  async noticed(): ReturnType<GuardRpc["noticed"]> {
    const { book, deps } = this.desk;
    const now = deps.now();
    const { since, forMs } = this.unnoticed;
    const passed = Math.abs(now - since);
    if (passed < forMs) return { againAfterMs: forMs - passed };
    // Before anything is waited for: who asks meanwhile asks no second time.
    this.unnoticed = { since: now, forMs: NOTICED_MS };
    const againAfterMs = await watchSplit(this.desk);
    this.unnoticed = { since: now, forMs: againAfterMs };
    if (book.active !== null) this.plan();
    return { againAfterMs };
  }

  override async alarm(): Promise<void> {
    // First: whatever becomes of this look, there is a next one. The platform retries an alarm that throws only a few times.
    const planned = this.plan();
    await this.look();
    if (this.nextMs() !== planned) this.plan();
  }

  /** A command is on disk; the answer waits a little for what comes of it. */
  private async carriedOut(result: GuardResult<Run>): Promise<GuardResult<Rollout>> {
    this.plan();
    if (!result.ok) return result;
    const { id } = result.value.rollout;
    await this.soon();
    return { ok: true, value: (this.desk.book.find(id) ?? result.value).rollout };
  }

  private async soon(): Promise<void> {
    await within(COMMAND_MS, undefined, this.look()).catch(() => undefined);
    this.plan();
  }

  /** One after the other: the next begins when this one has ended. */
  private look(): Promise<void> {
    // One that failed is the affair of who asked for it; it must not keep all others from looking.
    this.looking = this.looking.catch(() => undefined).then(() => this.lookOnce());
    return this.looking;
  }

  private async lookOnce(): Promise<void> {
    try {
      await look(this.desk);
      this.lastError = "";
      this.failedLooks = 0;
    } catch (error) {
      this.lastError = `The guard failed, and tries again: ${rootMessage(error)}`;
      console.error(this.lastError, error);
      this.failedLooks += 1;
      if (this.failedLooks === DARK_LOOKS) this.tellFailure();
    }
    await this.outbox.deliver();
  }

  /** Nothing is decided meanwhile, no time limit comes nearer, and no page need be open: somebody must hear of it. */
  private tellFailure(): void {
    const { book, deps, script } = this.desk;
    if (book.active === null) return;
    try {
      book.write(book.active, deps.now(), [], [held(book.active, "failure", this.lastError)]);
    } catch (error) {
      console.error(`guard of ${script}: not even its failure can be written: ${rootMessage(error)}`);
    }
  }

  private nextMs(): number | null {
    return interval(this.desk.book.run) ?? (this.outbox.isEmpty ? null : LOOK_MS);
  }

  private plan(): number | null {
    const delayMs = this.nextMs();
    this.desk.deps.wake(delayMs);
    return delayMs;
  }
}
