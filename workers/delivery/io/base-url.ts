/**
 * Where people reach Tailrace's pages, for the links in what is sent. A Worker
 * does not know its own address; a request of somebody who is signed in does.
 * `api/` remembers it, `io.ts` reads it. Both once a minute per isolate at most.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { settings } from "../../db/schema.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";

/** Key in `settings`. */
const KEY = "base_url";
const KEPT_MS = 60_000;
/** That nobody has opened it, or that D1 was away. */
const FAILED_KEPT_MS = 6_000;
/** A link is not worth a longer wait. */
const D1_TIMEOUT_MS = 2_000;

/** Of the isolate. */
let known = { url: "", until: 0 };

/** What is known at once; when that is old, the next who asks knows better. A Courier's `Io` lives for days. */
export function baseUrlNow(d1: D1Database): string {
  if (known.until <= Date.now()) void readBaseUrl(d1, Date.now());
  return known.url;
}

/** `url`: any address of a page that somebody who is signed in has asked for. Never throws. */
export async function rememberBaseUrl(d1: D1Database, url: string, now: number): Promise<void> {
  const { origin, protocol } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") return;
  if (known.url === origin && known.until > now) return;
  try {
    await runBatch(d1, [
      sql`INSERT INTO ${settings} (key, value, updated_at) VALUES (${KEY}, ${JSON.stringify(origin)}, ${now})
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
        WHERE value <> excluded.value`,
    ]);
    known = { url: origin, until: now + KEPT_MS };
  } catch (error) {
    console.warn(`the address of this deployment could not be kept: ${rootMessage(error)}`);
  }
}

/** "" when nobody has opened it yet. Never rejects: what was known last is good enough. */
export async function readBaseUrl(d1: D1Database, now: number): Promise<string> {
  if (known.until > now) return known.url;
  // Others who ask meanwhile need not ask, too.
  known = { ...known, until: now + D1_TIMEOUT_MS };
  try {
    const query = runBatch<[{ value: string }]>(d1, [sql`SELECT value FROM ${settings} WHERE key = ${KEY}`]);
    const [rows] = await within(D1_TIMEOUT_MS, "D1", query);
    const url = rows[0] === undefined ? "" : (JSON.parse(rows[0].value) as string);
    known = { url, until: now + (url === "" ? FAILED_KEPT_MS : KEPT_MS) };
  } catch (error) {
    console.warn(`the address of this deployment could not be read: ${rootMessage(error)}`);
    known = { ...known, until: now + FAILED_KEPT_MS };
  }
  return known.url;
}
