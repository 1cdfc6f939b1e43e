/**
 * Reads the segments that a back-fill listed (`start.ts`), in their order. One
 * that was compacted away since is still there: the bucket is swept by the list.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { backfillSegments } from "../../db/schema.ts";
import type { BackfillRead, Page, Position } from "../contract.ts";
import { type Found, Invocations } from "./invocations.ts";
import { type Decoded, keeping } from "./kept.ts";
import { BACKFILL_LISTED, SEALED_SUMMED } from "./limits.ts";
import { PageBuilder } from "./page.ts";
import { readGroups } from "./segments.ts";

interface Listed {
  number: number;
  key: string;
  script: string;
  rows: number;
  /** µs. */
  minTime: number;
}

/** `offset` counts through one row group, and this much on to the next: more than the invocations of any. */
const GROUP = 2 ** 20;

/** Throws when a store is away. */
export async function readBackfill(env: Pick<Env, "DB" | "BUCKET">, request: BackfillRead): Promise<Page> {
  const { destination, position, maxRows, errorsOnly, wants } = request;
  const next = sql`FROM ${backfillSegments} WHERE destination = ${destination} AND number > ${position.through} ORDER BY number`;
  const [listed, sums] = await runBatch<[Listed, { rows: number }]>(env.DB, [
    sql`SELECT number, key, script, rows, min_time AS minTime ${next} LIMIT ${BACKFILL_LISTED}`,
    sql`SELECT total(rows) AS rows FROM (SELECT rows ${next} LIMIT ${SEALED_SUMMED})`,
  ]);
  const page = new PageBuilder(position, maxRows, errorsOnly);
  let { through } = position;
  let lost = 0;
  let skipped = 0;
  for (const segment of listed) {
    if (page.taken + segment.rows > maxRows && !page.isEmpty) break;
    if (wants?.(segment.script) === false) skipped += segment.rows;
    else {
      const first = segment.number === position.through + 1 ? Math.floor(position.offset / GROUP) : 0;
      const read = await takeSegment(env.BUCKET, segment, first, page);
      if (!read.all) break;
      lost += read.lost;
    }
    through = segment.number;
  }
  const rest = { use: 0, isBusy: false, lost, oldest: oldestOf(listed), from: "segments" as const };
  const waiting = Math.max((sums[0]?.rows ?? 0) - skipped - page.seen - lost, 0);
  const end: Position = { through, offset: 0 };
  return page.build(end, {
    ...rest,
    waiting,
    more: through < (listed.at(-1)?.number ?? 0) || listed.length === BACKFILL_LISTED,
  });
}

const oldestOf = (listed: readonly Listed[]) => (listed[0] === undefined ? null : Math.floor(listed[0].minTime / 1000));

async function takeSegment(
  bucket: R2Bucket,
  { number, key, script, rows }: Listed,
  first: number,
  page: PageBuilder,
): Promise<{ all: boolean; lost: number }> {
  let lost = 0;
  for (let group = first, groups = first + 1; group < groups; group++) {
    const decoded = await readGroup(bucket, { number, key, script, rows }, group);
    groups = decoded.groups;
    lost += decoded.lost;
    if (!page.take(decoded.source, decoded.list)) return { all: false, lost };
  }
  return { all: true, lost };
}

/** One row group at a time: a compacted segment has up to three, of 65,536 rows each. */
function readGroup(
  bucket: R2Bucket,
  { number, key, script, rows }: Pick<Listed, "number" | "key" | "script" | "rows">,
  group: number,
): Promise<Decoded & { groups: number }> {
  return keeping(`group ${group} of ${number}: ${key}`, Date.now(), async () => {
    const source = new Invocations(script);
    const read = await readGroups(bucket, key, (batch) => source.add(batch, () => number), group);
    const list: Found[] = source.list();
    for (const found of list) found.place += group * GROUP;
    return { source, list, lost: read === undefined && group === 0 ? rows : 0, groups: read?.groups ?? 0 };
  });
}
