/**
 * The limits of a comparison of attributes (`read.ts`). It samples, so they bound
 * work and memory, not what can be asked: shares of some thousand invocations are
 * as good as those of millions.
 */

/** Invocations of the issue, and of the rest: a share of 1 % is known to 0.3 and 0.1 %. */
export const MAX_ISSUE_INVOCATIONS = 3_000;
export const MAX_REST_INVOCATIONS = 10_000;
/** Events looked through for the rest: some seconds at most. */
export const MAX_REST_EVENTS = 3_000_000;
/** What was found by then is compared, ms. */
export const COMPARE_MS = 8_000;

/** Attributes, and values of each: beyond, they are ids or generated names. */
export const MAX_ATTRIBUTES = 500;
export const MAX_ATTRIBUTE_VALUES = 5_000;
/** Of one value: longer ones are texts. */
export const MAX_VALUE_CHARS = 200;
/** Of all values that are kept, some 20 MB. */
export const MAX_COUNTED_CHARS = 4 << 20;
/** Values of one invocation. */
export const MAX_PAIRS = 300;
