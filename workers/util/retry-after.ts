/** The header Retry-After, for everything that asks others: Cloudflare's API, receivers of integrations. Pure. */

/** An hour: whoever asks for more has a broken header, or will be asked again then. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Retry-After (RFC 9110, 10.2.3): seconds, or an HTTP date.
 * @returns ms from `now` on; null where there is none, or nothing that can be read
 */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  const isSeconds = /^\d+(\.\d+)?$/.test(text);
  // All three forms of a date begin with the day's name; Date.parse would take a mere "-5" for one.
  if (!isSeconds && !/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return null;
  const ms = isSeconds ? Number(text) * 1_000 : Date.parse(text) - now;
  if (Number.isNaN(ms)) return null;
  return Math.min(Math.max(0, Math.ceil(ms)), MAX_RETRY_AFTER_MS);
}
