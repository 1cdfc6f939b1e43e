/**
 * Reads on in one shard for one destination: the only way by which a Courier
 * comes to events. From the Ingester's log while they are there, else from what
 * was sealed; the position means the same in both, so it does not matter when a
 * seal, a compaction or an eviction comes in between.
 *
 * The Ingester is asked first, D1 after it: a seal is in D1 before it leaves the
 * log, so what the log did not have any more is found there. While it is busy with
 * appends it gives nothing out, whoever asks and wherever it lies: the page is empty.
 */
import type { IngesterRpc, ReadLogAnswer } from "../../buffer/contract.ts";
import { decodeBatch } from "../../event/batch-wire.ts";
import { within } from "../../util/within.ts";
import type { Page, Position, ReadRequest } from "../contract.ts";
import { Invocations } from "./invocations.ts";
import { READ_TIMEOUT_MS } from "./limits.ts";
import { PageBuilder } from "./page.ts";
import { listSealed, lostOf, readChunk } from "./sealed.ts";

export type SourceEnv = Pick<Env, "DB" | "BUCKET" | "INGESTER">;

/** Throws when a store is away. */
export async function readShard(env: SourceEnv, request: ReadRequest): Promise<Page> {
  const log = await readLog(env, request);
  if (log.isBusy || !isGone(log, request)) return fromLog(request, log);
  const page = await fromSegments(env, request, log);
  if (page.invocations.length > 0 || page.lost > 0) return page;
  // Nothing was sealed there: the log goes on, as a rule.
  const next = { ...request, position: page.after(0) };
  const again = await readLog(env, next);
  return isGone(again, next) && !again.isBusy ? page : fromLog(next, again);
}

function readLog(
  env: SourceEnv,
  { shard, reader, position, maxBytes, errorsOnly }: ReadRequest,
): Promise<ReadLogAnswer> {
  const ingester: Pick<IngesterRpc, "readLog"> = env.INGESTER.getByName(shard);
  return within(
    READ_TIMEOUT_MS,
    "Ingester",
    ingester.readLog({ reader, afterId: position.through, maxBytes, errorsOnly }),
  );
}

const isGone = (log: ReadLogAnswer, { position }: ReadRequest) => log.firstId > position.through + 1;

function fromLog({ script, position, maxRows, errorsOnly, shard }: ReadRequest, log: ReadLogAnswer): Page {
  const page = new PageBuilder(position, maxRows, errorsOnly);
  let lost = 0;
  for (const { id, rows, batch } of log.batches) {
    const source = new Invocations(script);
    try {
      source.add(decodeBatch(batch), () => id);
    } catch (error) {
      // Sealing sets it aside for a human to look at.
      console.error(`delivery: entry ${id} of ${shard} cannot be read: ${String(error)}`);
      lost += rows;
      continue;
    }
    if (!page.take(source, source.list())) break;
  }
  const { waiting, more, use, isBusy, oldest, batches, through } = log;
  const left = batches.reduce((sum, { rows }) => sum + rows, 0) - page.seen - lost;
  const rest = { use, isBusy, lost, oldest, from: "log" as const, waiting: waiting + Math.max(left, 0), more };
  return page.build(movedTo(through, position), rest);
}

/** What is done of the next entry stays done when nothing was read. */
const movedTo = (through: number, from: Position): Position => (through > from.through ? { through, offset: 0 } : from);

async function fromSegments(env: SourceEnv, request: ReadRequest, log: ReadLogAnswer): Promise<Page> {
  const { shard, script, position, maxRows, errorsOnly } = request;
  const { chunks, isWhole, sealedThrough, rows } = await listSealed(env.DB, shard, position.through);
  const page = new PageBuilder(position, maxRows, errorsOnly);
  let { through } = position;
  let lost = 0;
  // Rows that are not kept any more, of which some were read before; and those of objects that cannot be read.
  let skipped = 0;
  let unread = 0;
  for (const chunk of chunks) {
    if (page.taken + chunk.rows > maxRows && !page.isEmpty) break;
    if (chunk.keys.length === 0 || (errorsOnly && !chunk.errors)) {
      lost += lostOf(chunk, position.through);
      skipped += chunk.rows;
    } else {
      const read = await readChunk(env.BUCKET, { shard, script, now: Date.now() }, chunk);
      if (!page.take(read.source, read.list)) break;
      unread += read.lost;
    }
    through = chunk.lastId;
  }
  // Whatever is before the log and in no segment had no events, or was of a log whose storage was lost.
  const all = isWhole && through >= (chunks.at(-1)?.lastId ?? 0) && !page.isFull;
  if (all) through = Math.max(through, sealedThrough, log.firstId - 1);
  const waiting = Math.max(rows - skipped - page.seen - unread, 0) + log.waiting;
  const rest = {
    use: log.use,
    isBusy: false,
    lost: lost + unread,
    oldest: chunks[0]?.oldest ?? log.oldest,
    from: "segments" as const,
    waiting,
  };
  return page.build(movedTo(through, position), { ...rest, more: true });
}
