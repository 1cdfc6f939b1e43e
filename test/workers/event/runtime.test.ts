import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchBuilder } from "../../../workers/event/batch-builder.ts";
import { decodeBatch } from "../../../workers/event/batch-wire.ts";
import { arbitraryEvent } from "../../support/events.ts";

test("a batch encodes and decodes inside the runtime as it does in Node", () => {
  expect(navigator.userAgent).toBe("Cloudflare-Workers");
  fc.assert(
    fc.property(fc.array(arbitraryEvent, { maxLength: 20 }), (events) => {
      const builder = new BatchBuilder();
      for (const event of events) builder.push(event);
      expect(decodeBatch(builder.encode()).rows).toBe(events.length);
    }),
  );
});

test("the tables of migrations/ are there", async () => {
  const tables = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all<{ name: string }>();
  expect(tables.results.map((t) => t.name)).toEqual(expect.arrayContaining(["segments", "shards", "tokens"]));
});
