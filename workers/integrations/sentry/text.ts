/** Texts and numbers as Sentry's parsers take them. Pure. */

/** Cuts at a limit, not within a surrogate pair, and says so. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  if (limit <= 1) return limit === 1 ? "…" : "";
  const last = text.charCodeAt(limit - 2);
  const whole = last >= 0xd800 && last <= 0xdbff ? limit - 2 : limit - 1;
  return `${text.slice(0, whole)}…`;
}

/** One line: tags, releases and names of transactions must be. */
export const oneLine = (text: string, limit: number): string =>
  clip(/\s/.test(text) ? text.replace(/\s+/g, " ").trim() : text, limit);

/** Seconds with a fraction, as Sentry counts time. */
export const seconds = (micros: number): number => (Number.isFinite(micros) ? micros / 1e6 : 0);

/** Of something that has a duration, in ms. */
export function endOf({ time, duration }: { time: number; duration?: number }): number {
  const lasted = duration !== undefined && duration > 0 && Number.isFinite(duration) ? duration / 1_000 : 0;
  return seconds(time) + lasted;
}

const LONE_OR_NUL = /\\u(?:d[89a-f]|0000)/;

/**
 * JSON that any parser takes. Half surrogate pairs are legal JSON and refused by
 * Sentry's parser, and so is NUL by its stores; they are rare, so texts are only
 * looked through when the result has them.
 */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!LONE_OR_NUL.test(json)) return json;
  const clean = (text: string) => text.toWellFormed().replaceAll("\u0000", "\ufffd");
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each === "string") return clean(each);
    if (typeof each !== "object" || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).map(([name, own]) => [clean(name), own]));
  });
}
