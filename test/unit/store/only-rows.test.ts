/** Reading a few rows of a row group leaves pages packed, and gives those rows as they are. */
import { expect, test } from "vitest";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { openSegment } from "../../../workers/store/segment-reader.ts";
import { writeSegment } from "../../../workers/store/segment-writer.ts";
import { batchOf, cells, seeded, sourceOf } from "../../support/segments.ts";

test("rows that are asked for are right in every column", async () => {
  const random = seeded(3);
  const events: TailraceEvent[] = Array.from({ length: 30_000 }, (_, i) => ({
    time: 1_700_000_000_000_000 + i * 1_000,
    kind: i % 4 === 0 ? "invocation" : "log",
    script: "shop",
    invocation_id: Math.floor(random() * 2 ** 48)
      .toString(16)
      .padStart(32, "0"),
    seq: i % 4,
    sample_weight: 1,
    message: `order ${random()} by user ${random()} took ${random()} ms`,
    ...(i % 4 === 0 ? { duration: random() * 1_000, status: 200 + Math.floor(random() * 300) } : {}),
    ...(i % 7 === 0 ? { attributes: { "user.id": `u${Math.floor(random() * 1e6)}`, flag: random() < 0.5 } } : {}),
  }));
  const { bytes } = writeSegment(batchOf(events));
  const segment = await openSegment(sourceOf(bytes), bytes.length);
  const names = segment.columns.map((c) => c.name);
  const whole = await segment.read(0, names);
  for (const only of [[0], [29_999], [12_345], [0, 1, 2, 15_000, 29_998], []]) {
    const part = await segment.read(0, names, Int32Array.from(only));
    expect(part.rows).toBe(whole.rows);
    for (const name of names) {
      const found = cells(part.columns.get(name), part.rows);
      const wanted = cells(whole.columns.get(name), whole.rows);
      expect(only.map((row) => found[row])).toEqual(only.map((row) => wanted[row]));
    }
  }
  const one = await segment.read(0, ["message"], Int32Array.of(12_345));
  expect(cells(one.columns.get("message"), one.rows).filter((m) => m !== undefined).length).toBeLessThan(10_000);
});
