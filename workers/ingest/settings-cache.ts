/**
 * Settings from D1, kept per isolate. The first call of an isolate waits for D1
 * (redaction must not begin with the wrong keys), but not for long; after that
 * nobody waits: what is there is used, and refreshed behind the scenes when it
 * is old. When D1 fails, ingest goes on with what it has, or the defaults.
 */
import { eq, ne } from "drizzle-orm";
import { database, schema } from "../db/client.ts";
import { within } from "../util/within.ts";
import { compilePolicy, type Policy } from "./policy.ts";
import { DEFAULT_SETTINGS, parsePlatformSettings, parseWorkerSettings, type Settings } from "./settings.ts";

/** How soon a change reaches every isolate; one D1 read per isolate and this time. */
const MAX_AGE_MS = 10_000;
/** A D1 that hangs delays the first events of an isolate by this much. */
const LOAD_TIMEOUT_MS = 2_000;
/** After a failure D1 is asked again only this much later. */
const RETRY_MS = 2_000;

interface Cached {
  policy: Policy;
  freshUntil: number;
}

let cached: Cached | undefined;
let loading: Promise<Policy> | undefined;
/** Counts `forgetSettings`: what was being read before it must not be kept. */
let generation = 0;

/** The settings in force, compiled. Resolves at once unless the isolate is new. */
export async function loadPolicy(env: Pick<Env, "DB">, ctx: Pick<ExecutionContext, "waitUntil">): Promise<Policy> {
  if (cached === undefined) return refresh(env.DB);
  if (Date.now() >= cached.freshUntil && loading === undefined) ctx.waitUntil(refresh(env.DB));
  return cached.policy;
}

/** The settings in force, as stored; for whoever shows them. Always reads D1; throws if it fails. */
export async function readSettings(db: D1Database): Promise<Settings> {
  const d1 = database(db);
  const [platform, workers] = await d1.batch([
    d1
      .select({ value: schema.settings.value })
      .from(schema.settings)
      .where(eq(schema.settings.key, schema.PLATFORM_SETTINGS_KEY)),
    d1
      .select({ script: schema.workers.script, settings: schema.workers.settings })
      .from(schema.workers)
      .where(ne(schema.workers.settings, "{}")),
  ]);
  const own = new Map(
    workers.flatMap(({ script, settings }) => {
      const parsed = parseWorkerSettings(settings);
      return parsed === undefined ? [] : [[script, parsed] as const];
    }),
  );
  const stored = platform[0] === undefined ? undefined : parsePlatformSettings(platform[0].value);
  return { platform: stored ?? DEFAULT_SETTINGS.platform, workers: own };
}

/** Call after a change, so that this isolate reads it before its next event. */
export function forgetSettings(): void {
  generation++;
  cached = undefined;
  loading = undefined;
}

function refresh(db: D1Database): Promise<Policy> {
  loading ??= load(db, generation);
  return loading;
}

async function load(db: D1Database, of: number): Promise<Policy> {
  const settings = await within(LOAD_TIMEOUT_MS, "D1", readSettings(db)).catch((error: unknown) => {
    console.warn("settings could not be read, going on with the last ones", String(error));
    return undefined;
  });
  const now = Date.now();
  const policy = settings === undefined ? (last?.policy ?? compilePolicy(DEFAULT_SETTINGS)) : compiled(settings);
  if (of !== generation) return policy;
  cached = { policy, freshUntil: now + (settings === undefined ? RETRY_MS : MAX_AGE_MS) };
  loading = undefined;
  return policy;
}

let last: { json: string; policy: Policy } | undefined;

/** Unchanged settings keep their policy, and with it the names, headers and token buckets that it knows. */
function compiled(settings: Settings): Policy {
  const json = JSON.stringify([settings.platform, [...settings.workers]]);
  if (last?.json !== json) last = { json, policy: compilePolicy(settings) };
  return last.policy;
}
