/**
 * What words say about the variable parts beside them. `template.ts` asks. All
 * lower case.
 */
import { DASH, DOLLAR, DOT, HASH, isLower, SLASH, UNDERSCORE } from "./characters.ts";

/** Behind a number: how much, not what. */
const UNITS = new Set(
  `ns µs μs us ms s sec secs second seconds millisecond milliseconds microsecond microseconds m min mins minute minutes
  h hr hrs hour hours d day days week weeks month months year years b bytes byte kb mb gb tb kib mib gib kbit mbit
  am pm utc gmt z px th st nd rd`.split(/\s+/),
);

/** A name in quotes beside one of these comes from a schema or the code, not from a request. */
const SCHEMA_WORDS = new Set(
  `reading setting property properties argument arguments parameter parameters param field fields column columns
  table relation index constraint module package require export named import binding method function option attribute
  header class type variable identifier environment directive`.split(/\s+/),
);

/** A three-digit number beside one of these is an HTTP status. */
const STATUS_WORDS = new Set("status statuscode code http https response responded responds error answered".split(" "));
/** … or before one of these: the reason phrases of RFC 9110. */
const REASONS = new Set(
  `bad unauthorized payment forbidden not method conflict gone precondition unprocessable too internal service
  gateway request client server upgrade unsupported`.split(/\s+/),
);

const WEEKDAYS = new Set(
  "mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday".split(" "),
);
const MONTHS = new Set(
  `jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august september october
  november december`.split(/\s+/),
);

const ZONES = new Set(["gmt", "utc", "z"]);

/** Keys whose values say what happened; those of other keys (`user=alice`) say to whom. */
const TELLING_KEYS = new Set(
  "status statuscode code error err reason type kind op operation method event name level msg message state cause".split(
    " ",
  ),
);

export const isZone = (word: string): boolean => ZONES.has(word);
export const isTellingKey = (word: string): boolean => TELLING_KEYS.has(word);
export const isUnit = (word: string): boolean => UNITS.has(word);

/** Longer names are data. */
const MAX_NAME_CHARS = 40;

export function keepsName(before: string, content: string, after: string): boolean {
  if (content.length === 0 || content.length > MAX_NAME_CHARS) return false;
  if (!SCHEMA_WORDS.has(before) && !SCHEMA_WORDS.has(after)) return false;
  // `--verbose` is what somebody typed.
  if (content.charCodeAt(0) === DASH) return false;
  for (let i = 0; i < content.length; i++) {
    const code = content.charCodeAt(i);
    const letter = isLower(code | 32);
    // Letters, and what joins them in names: $ - . _ / #
    if (
      !letter &&
      code !== DOLLAR &&
      code !== DASH &&
      code !== DOT &&
      code !== UNDERSCORE &&
      code !== SLASH &&
      code !== HASH
    )
      return false;
  }
  return true;
}

/** Is a number between these words the status of an HTTP answer? */
export function keepsStatus(digits: string, before: string, after: string): boolean {
  if (digits.length !== 3 || !"45".includes(digits[0] as string)) return false;
  return STATUS_WORDS.has(before) || REASONS.has(after);
}

export const isMonth = (word: string): boolean => MONTHS.has(word);
export const isWeekday = (word: string): boolean => WEEKDAYS.has(word);

/** Letters that months and weekdays begin with, in either case: spares most words the look-up. */
const DATE_LETTERS = new Set(Array.from("jfmasondtwJFMASONDTW", (letter) => letter.charCodeAt(0)));
export const opensDateWord = (code: number): boolean => DATE_LETTERS.has(code);
