/** The Live page's pure parts: the bounded list, the meter, and the links out of it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { toRow } from "../../../../dashboard/src/lib/event-row.ts";
import { LiveBuffer } from "../../../../dashboard/src/lib/live/buffer.ts";
import { advance, isHeard } from "../../../../dashboard/src/lib/live/cursor.ts";
import { exploreAt, invocationAt, liveQuery, watchHref } from "../../../../dashboard/src/lib/live/links.ts";
import { RateMeter } from "../../../../dashboard/src/lib/live/rate.ts";
import { event } from "./world.ts";

test("the buffer holds the newest, within its rows and its characters, under lasting numbers", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 300 }),
      fc.integer({ min: 1, max: 40 }),
      (sizes, max) => {
        const buffer = new LiveBuffer(max, 200);
        for (const [n, chars] of sizes.entries()) buffer.push({ event: event(n) }, chars);
        expect(buffer.length).toBeLessThanOrEqual(max);
        expect(buffer.chars).toBeLessThanOrEqual(200);
        expect(buffer.length + buffer.dropped).toBe(sizes.length);
        for (let i = 0; i < buffer.length; i++) {
          const n = buffer.dropped + i;
          expect(buffer.at(i)).toMatchObject({ n, event: { message: `event ${n}` } });
          expect(buffer.indexOf(n)).toBe(i);
        }
        expect(buffer.indexOf(buffer.dropped - 1)).toBe(-1);
        expect(buffer.chars).toBe(sizes.slice(buffer.dropped).reduce((a, b) => a + b, 0));
      },
    ),
  );
});

test("one row that is larger than the bound is still shown", () => {
  const buffer = new LiveBuffer(10, 100);
  buffer.push({ event: event(1) }, 60);
  buffer.push({ event: event(2) }, 500);
  expect(buffer.length).toBe(1);
  expect(buffer.at(0)?.event?.message).toBe("event 2");
});

test("a row that follows one of its invocation does so for good; one after a note or a cleared list does not", () => {
  const buffer = new LiveBuffer(3);
  const of = (id: string) => ({ event: event(0, { invocation_id: id }) });
  const follows = () => Array.from({ length: buffer.length }, (_, i) => buffer.at(i)?.follows);
  for (const id of ["a", "a", "a", "b"]) buffer.push(of(id), 1);
  expect(follows()).toEqual([true, true, false]);
  expect([0, 1, 2, 3].map((i) => buffer.followersEver(i))).toEqual([0, 1, 2, 2]);
  buffer.push({ note: { kind: "gone", from: 0, to: 1, events: 1 } }, 1);
  buffer.push(of("b"), 1);
  expect(follows()).toEqual([false, false, false]);
  buffer.clear();
  buffer.push(of("b"), 1);
  expect(follows()).toEqual([false]);
});

test("positions only move on, and a message is heard when all of its are", () => {
  const heard = {};
  advance(heard, { a: "10.400", b: "3.9" });
  advance(heard, { a: "9.380" });
  expect(heard).toEqual({ a: "10.400", b: "3.9" });
  expect(isHeard(heard, { a: "10.400" })).toBe(true);
  expect(isHeard(heard, { a: "9.1", b: "3.9" })).toBe(true);
  expect(isHeard(heard, { a: "9.1", b: "4.10" })).toBe(false);
  expect(isHeard(heard, { c: "1.1" })).toBe(false);
  expect(isHeard(heard, {})).toBe(false);
});

test("the meter shows the rate of the last whole seconds, and forgets after a minute", () => {
  const meter = new RateMeter();
  const start = 1_000_000;
  for (let s = 0; s < 10; s++) meter.add(start + s * 1000, { matched: 100, shown: 40, errors: 1 });
  expect(meter.rate(start + 10_000)).toEqual({ matched: 100, shown: 40 });
  expect(meter.series(start + 10_000).filter((s) => s.matched > 0)).toHaveLength(10);
  expect(meter.rate(start + 20_000)).toEqual({ matched: 0, shown: 0 });
  expect(meter.series(start + 80_000).every((s) => s.matched === 0)).toBe(true);
  // A clock that was set back loses nothing and breaks nothing.
  meter.add(start, { matched: 7, shown: 7, errors: 0 });
  expect(meter.series(start).at(-1)?.matched).toBe(7);
});

test("links lead to the same filter: at the moment of an event, to its invocation, and back", () => {
  const row = toRow(event(0, { seq: 3 }));
  const at = new URL(exploreAt(liveQuery("shop", "status:500"), row), "http://localhost").searchParams;
  expect(at.get("q")).toBe("status:500 script:shop");
  expect(Number(at.get("to")) - Number(at.get("from"))).toBeLessThanOrEqual(60_001);
  expect(Number(at.get("from"))).toBeLessThan(row.time);
  expect(at.get("event")).toBe(`inv-0.3.${row.time}`);
  expect(invocationAt(row)).toBe(`/invocations/inv-0?around=${row.time}`);
  expect(watchHref('message:"a | b" | stats count() by route')).toBe(
    `/live?${new URLSearchParams({ q: 'message:"a | b"' })}`,
  );
  expect(watchHref("", "shop")).toBe("/live?script=shop");
});
