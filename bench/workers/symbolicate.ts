/**
 * Symbolication alone, inside workerd, as the Collector does it: `GET /first`
 * opens a map in R2 and answers one frame; `POST /load` brings stacks into
 * memory, `GET /warm` symbolicates them over and over. Nothing is kept between
 * two `/first`. `GET /other` reads
 * another object, so that the bucket is awake, and `GET /nothing` is what a request costs that does nothing.
 */
import { DurableObject } from "cloudflare:workers";
import { readRanges } from "../../workers/errors/maps/ranges.ts";
import { BlockCache, openSeekable, type SeekableMap } from "../../workers/errors/source-map/open.ts";
import { parseStack } from "../../workers/errors/stack/parse.ts";
import { type PlaceMaps, symbolicate, symbolicateCached } from "../../workers/errors/symbolicate/symbolicate.ts";
import type { ErrorTrace } from "../../workers/errors/trace.ts";

/** wrangler.toml binds them. */
export class Ingester extends DurableObject {}
export class LiveHub extends DurableObject {}
export class RolloutGuard extends DurableObject {}

/** As the Collector has for all maps of an isolate (maps/lookup.ts). */
const CACHE_BYTES = 16 << 20;
const WHERE = { script: "bench", version: "bench" };
let maps: PlaceMaps;
let traces: ErrorTrace[] = [];

const mapsOf = (map: SeekableMap): PlaceMaps => ({
  find: async () => map,
  findCached: () => map,
  hasAny: () => true,
});

const open = (env: Env, url: URL) =>
  openSeekable(
    readRanges(env.BUCKET, url.searchParams.get("blob") ?? "", Number(url.searchParams.get("bytes"))),
    new BlockCache(CACHE_BYTES),
  );

const ROUTES: Record<string, (env: Env, url: URL, request: Request) => Promise<unknown> | unknown> = {
  "/healthz": () => ({ status: "ok", checks: [] }),

  "/nothing": () => ({}),

  "/other": async (env, url) => (await env.BUCKET.get(url.searchParams.get("key") ?? ""))?.text(),

  "/first": async (env, url) => {
    const map = await open(env, url);
    return map.locate(Number(url.searchParams.get("line")), Number(url.searchParams.get("column")));
  },

  "/load": async (env, url, request) => {
    maps = mapsOf(await open(env, url));
    traces = ((await request.json()) as string[]).map((text) => parseStack(text));
    const states = await Promise.all(
      traces.map(async (trace) => (await symbolicate(trace, WHERE, maps, { context: false })).state),
    );
    return { states: [...new Set(states)] };
  },

  "/warm": (_env, url) => {
    let frames = 0;
    let mapped = 0;
    for (let round = Number(url.searchParams.get("rounds")); round > 0; round--) {
      for (const trace of traces) {
        const done = symbolicateCached(trace, WHERE, maps);
        frames += trace.frames.length;
        for (const frame of done?.trace.frames ?? []) if (frame.mapped) mapped++;
      }
    }
    return { frames, mapped };
  },
};

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    return Response.json((await ROUTES[url.pathname]?.(env, url, request)) ?? null);
  },
};
