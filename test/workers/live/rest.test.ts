/** How long a hub lets the next push wait: fewer and fuller frames, but nothing dropped and nobody alone kept waiting. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { Filters } from "../../../workers/live/filters.ts";
import { MAX_REST_CHARS, MAX_REST_MS } from "../../../workers/live/limits.ts";
import { Stream } from "../../../workers/live/stream.ts";
import { Viewer } from "../../../workers/live/viewer.ts";
import { Shard } from "./support.ts";

/** A stream with viewers of everything, at 5 events/s each. */
function streamOf(viewers: number): Stream {
  const filters = new Filters(env.DB);
  const lost = (): never => expect.unreachable();
  const stream = new Stream({ filters, sockets: () => viewers, lost });
  const read = filters.peek("", 0);
  if (!read.ok) throw new Error("the filter of everything is one");
  for (let n = 0; n < viewers; n++) {
    const socket = { send: () => {}, serializeAttachment: () => {} } as unknown as WebSocket;
    const attachment = { kind: "viewer", q: "", rate: 5, who: { credential: "token x" }, held: false } as const;
    stream.audiences.join(new Viewer(socket, { ...attachment }, true), read.filter, 0);
  }
  return stream;
}

const restAfter = (stream: Stream, events: number) => {
  const shard = new Shard("rest");
  return stream.push(shard.push([shard.some(events)]), 1_000).restMs;
};

it("a hundred viewers of a sample wait longer than a hundred who see everything; one alone hardly waits", () => {
  const all = restAfter(streamOf(100), 3);
  const sample = restAfter(streamOf(100), 50);
  expect(sample).toBeGreaterThan(all);
  expect(sample).toBeLessThanOrEqual(MAX_REST_MS);
  expect(restAfter(streamOf(1), 50)).toBe(0);
});

it("after much it does not rest: more is waiting where it came from", () => {
  const stream = streamOf(100);
  const shard = new Shard("much");
  const entry = shard.some(50);
  const entries = [entry];
  for (let chars = entry.batch.length; chars <= MAX_REST_CHARS; chars += entry.batch.length)
    entries.push(shard.some(50));
  expect(stream.push(shard.push(entries), 1_000).restMs).toBe(0);
});
