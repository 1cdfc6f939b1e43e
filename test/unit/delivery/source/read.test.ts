/** An Ingester that is busy puts readers off: they stay where they are. */
import { expect, it } from "vitest";
import type { ReadLogAnswer } from "../../../../workers/buffer/contract.ts";
import { readShard, type SourceEnv } from "../../../../workers/delivery/source/read.ts";

function envOf(answer: Partial<ReadLogAnswer>): SourceEnv {
  const busy = { batches: [], more: true, waiting: 7, oldest: 5, use: 1.5, isBusy: true };
  const readLog = async ({ afterId }: { afterId: number }) => ({ firstId: 1, through: afterId, ...busy, ...answer });
  return { INGESTER: { getByName: () => ({ readLog }) } } as unknown as SourceEnv;
}

it("gives an empty page that moves nobody, and says how busy it is", async () => {
  const position = { through: 41, offset: 2 };
  const request = { shard: "s", script: "s", reader: "r", position, maxBytes: 1, maxRows: 1, errorsOnly: false };
  // In the log, or gone from it: neither is read.
  for (const firstId of [1, 1_000]) {
    const page = await readShard(envOf({ firstId }), request);
    expect(page).toMatchObject({ invocations: [], from: "log", use: 1.5, more: true, waiting: 7, lost: 0 });
    expect(page.after(0)).toEqual(position);
  }
});
