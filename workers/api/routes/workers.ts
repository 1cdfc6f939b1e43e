/** `GET /api/v1/workers/:script`: one Worker, its versions side by side. */
import type { Handler } from "../context.ts";
import type { WorkerAnswer } from "../contract.ts";
import { bucketsFor, readCharted } from "../counts.ts";
import { fail } from "../errors.ts";
import { addUp, breakDown, countBy, summarizeWorker } from "../measures/summaries.ts";
import { readRange } from "../range.ts";
import { readSeen } from "../seen.ts";

/** Each has a chart of its own. */
const MAX_VERSIONS = 50;

export const worker: Handler = async (c) => {
  const now = Date.now();
  const range = readRange(c, now);
  if (!range.ok) return range.failure;
  const script = range.value.script ?? "";
  const buckets = bucketsFor(range.value, now);
  const [counts, known] = await Promise.all([
    readCharted(c.env, buckets, script),
    readSeen(c.env.DB, buckets.from, script),
  ]);
  const { rollups, completeness } = counts;
  if (rollups.length === 0 && known.scripts.length === 0)
    return fail("not_found", `Nothing has arrived from a Worker named ${script}. Is it tailed by this Worker?`);

  const versions = addUp(rollups, buckets).get(script) ?? new Map();
  const { sums: _, ...summary } = summarizeWorker(script, versions, buckets, known, MAX_VERSIONS);
  const { from, to, bucketMs } = buckets;
  const answer: WorkerAnswer = {
    from,
    to,
    bucketMs,
    worker: summary,
    entrypoints: breakDown(rollups, "entrypoint"),
    eventTypes: breakDown(rollups, "event_type"),
    outcomes: countBy(rollups, "outcomes"),
    statuses: countBy(rollups, "statuses"),
    completeness,
  };
  return c.json(answer);
};
