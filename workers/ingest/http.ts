/**
 * `POST /api/v1/ingest/tail`: trace items from elsewhere (other accounts,
 * replays, loads). `api/` hands in the request and turns the result into HTTP.
 * The answer comes when everything in it is durable; while the Ingesters are
 * busy the body is simply read more slowly, so memory stays bounded.
 */
import type { IngestAnswer } from "../api/contract.ts";
import { BodyError, type BodyProblem, readText } from "./body.ts";
import { collectorOf } from "./collector.ts";
import { type Collector, Intake } from "./intake.ts";
import { itemReader, type ReadItem } from "./item-reader.ts";
import { isFields, scriptName } from "./normalize/item.ts";
import type { Policy } from "./policy.ts";
import { loadPolicy } from "./settings-cache.ts";

/** One request; 16 MiB of gzip may hold more, and they can go into the next. */
export const MAX_ITEMS = 200_000;
/** A body with this many items does not wait for others to share its appends. */
const MANY_ITEMS = 100;
/** Bad items told by index; further ones are only counted. */
export const MAX_REPORTED = 1_000;
/** What a sender is asked to wait when nothing could be taken. */
const RETRY_AFTER_SECONDS = 2;

export type IngestResult =
  | { ok: true; answer: IngestAnswer }
  | {
      ok: false;
      problem: BodyProblem | "overloaded";
      message: string;
      /** What had been taken before the body turned out to be bad: it stays. */
      answer: IngestAnswer;
      retryAfterSeconds?: number;
    };

export async function ingestTail(
  request: Request,
  env: Env,
  ctx: Pick<ExecutionContext, "waitUntil">,
): Promise<IngestResult> {
  return ingestBody(request, await loadPolicy(env, ctx), collectorOf(env), ctx);
}

export async function ingestBody(
  request: Request,
  policy: Policy,
  collector: Collector,
  ctx: Pick<ExecutionContext, "waitUntil">,
): Promise<IngestResult> {
  const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(work);
  const gate = { nowMs: Date.now(), binding: undefined, waitUntil };
  const run = new Run(new Intake(collector, policy, gate, {}));
  let problem: BodyError | undefined;
  try {
    const items = itemReader();
    for await (const text of readText(request)) {
      run.take(items.push(text));
      await run.prepared();
      if (collector.commit.pressed) {
        run.hurryIfMany();
        await run.settled();
      }
    }
    run.take(items.end());
    await run.prepared();
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    problem = error;
  }
  run.hurryIfMany();
  const settled = run.settled();
  ctx.waitUntil(settled);
  await settled;
  return run.result(problem);
}

/** The items of one request, in order. */
class Run {
  private index = 0;
  private overloaded = 0;
  private rejections = 0;
  private readonly answer: IngestAnswer = { accepted: 0, rejected: [], dropped: 0 };
  private readonly intake: Intake;

  constructor(intake: Intake) {
    this.intake = intake;
  }

  take(items: ReadItem[]): void {
    for (const read of items) {
      if (this.index >= MAX_ITEMS) throw new BodyError("too_large", `the body has more than ${MAX_ITEMS} items`);
      const error = "error" in read ? read.error : this.takeItem(read.item);
      if (error !== undefined) this.reject(error);
      this.index++;
    }
  }

  private takeItem(item: unknown): string | undefined {
    if (!isFields(item)) return "the item is not an object";
    if (scriptName(item.scriptName) === undefined) return "scriptName is missing";
    try {
      return this.intake.take(item);
    } catch (error) {
      console.error("BUG: an item could not be read", error);
      return "the item could not be read";
    }
  }

  private reject(error: string): void {
    this.rejections++;
    if (this.answer.rejected.length < MAX_REPORTED) this.answer.rejected.push({ index: this.index, error });
    else this.answer.rejectedMore = this.rejections - MAX_REPORTED;
  }

  hurryIfMany(): void {
    if (this.index >= MANY_ITEMS) this.intake.hurry();
  }

  async prepared(): Promise<void> {
    await this.intake.prepared();
  }

  async settled(): Promise<void> {
    const { kept, dropped, overloaded } = await this.intake.settled();
    this.answer.accepted = kept;
    this.answer.dropped = dropped;
    this.overloaded = overloaded;
  }

  result(problem: BodyError | undefined): IngestResult {
    const { answer } = this;
    if (problem !== undefined) return { ok: false, problem: problem.problem, message: problem.message, answer };
    if (this.overloaded > 0 && answer.accepted === 0 && this.overloaded === answer.dropped) {
      return {
        ok: false,
        problem: "overloaded",
        message: "nothing could be taken: send it again a little later",
        answer,
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      };
    }
    return { ok: true, answer };
  }
}
