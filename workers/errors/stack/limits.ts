/**
 * What bounds one parsed stack. V8 prints ten frames unless told otherwise;
 * stacks that come as text may be anything. Lengths are in characters.
 */

/** Text after this is not looked at: a second of reading would be too much, and no program prints this. */
export const MAX_TEXT_CHARS = 4 << 20;
/** Kept of one error: the first, which are next to the throw. The rest is counted. */
export const MAX_FRAMES = 100;
/** Function names and files beyond this are data: URLs and generated names. */
export const MAX_NAME_CHARS = 512;
/** A longer line is no frame that anybody can read: its two ends are looked at, the middle is left out. */
export const MAX_LINE_CHARS = 4_096;
/** Message that is read from the text. */
export const MAX_MESSAGE_CHARS = 8_192;
/** Causes of causes: Node's inspect shows fewer. */
export const MAX_CAUSES = 8;
/** Parts of one AggregateError. */
export const MAX_ERRORS = 16;
/** Errors of one text, all together. */
export const MAX_TRACES = 32;
