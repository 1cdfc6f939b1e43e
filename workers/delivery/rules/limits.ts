/** Bounds of a destination's rules: they are one row of D1 and are asked for every event. */

export const MAX_PATTERNS = 200;
/** Names of Workers have 63 characters, tags of versions 100. */
export const MAX_PATTERN_CHARS = 255;
export const MAX_SAMPLE_RULES = 50;
export const MAX_OUTCOME_CHARS = 64;
/** Receivers bound tags too: Sentry takes keys of 32 characters and values of 200, Datadog 200 together. */
export const MAX_TAGS = 32;
export const MAX_TAG_NAME_CHARS = 32;
export const MAX_TAG_VALUE_CHARS = 200;
/** Above it there is no need for a ceiling. */
export const MAX_PER_MINUTE = 100_000_000;
/** Answers of patterns that are remembered, per pattern list: Workers and types of exceptions that a team has. */
export const MAX_REMEMBERED = 2_000;
/**
 * Minutes whose count is kept. A Courier that catches up reads its shards side by
 * side, so the minutes in use lie close together; a day bridges one that lags.
 */
export const MAX_CEILING_MINUTES = 1_440;
