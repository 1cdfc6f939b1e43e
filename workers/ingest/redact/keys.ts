/**
 * Which names hold secrets. A pattern is a name with `*` for "anything";
 * case, `-`, `_`, `.` and spaces do not count, so `*apikey` covers `api_key`,
 * `X-Api-Key` and `myApiKey`. Used for headers, query parameters, attributes
 * and for `key=value` in text. Answers are remembered: a Worker uses few names.
 */

/** Kept narrow enough for `tokens: 812`, `author` and `cookie_consent` to stay readable. */
export const DEFAULT_REDACTED_KEYS: readonly string[] = [
  "*password*",
  "*passwd*",
  "pwd",
  "pass",
  "*passphrase*",
  "passcode",
  "*secret*",
  "*token",
  "*authorization*",
  "auth",
  "bearer",
  "*jwt*",
  "*credential*",
  "*cookie",
  "cookies",
  "*apikey*",
  "*accesskey*",
  "*privatekey*",
  "*signingkey*",
  "*encryptionkey*",
  "*authkey*",
  "*signature",
  "*sessionid",
  "*sessionkey",
  "sid",
  "*csrf*",
  "*xsrf*",
  "otp",
  "ssn",
  "cvv",
  "cvc",
  "*cardnumber",
  "*creditcard*",
];

/** Names of lists of secrets, and of harmless counts: texts under them are hidden, numbers are not. */
const TEXT_KEYS: readonly string[] = ["*tokens"];
/** Bare names that hold a secret in a query string or a header only: elsewhere `key` is any key. */
const QUERY_KEYS: readonly string[] = ["key", "sig"];

/** Longer patterns are cut, so that matching a name stays cheap whatever was configured. */
export const MAX_PATTERN_CHARS = 64;
export const MAX_PATTERNS = 200;
/** Only the end of a longer name is looked at: it says what the value is. */
const MAX_KEY_CHARS = 128;
/** Names remembered; a Worker that logs ids as names would fill memory. */
const MAX_REMEMBERED = 4096;

export interface KeyMatcher {
  /** Header, attribute or a name found in text. */
  sensitive(key: string): boolean;
  /** Query parameter. */
  sensitiveInQuery(key: string): boolean;
  /** Is it secret unless it is a number? */
  sensitiveAsText(key: string): boolean;
}

export function compileKeys(keys: readonly string[], except: readonly string[]): KeyMatcher {
  const custom = patterns(keys);
  const spared = patterns(except);
  const standard = patterns(DEFAULT_REDACTED_KEYS);
  const inQuery = patterns([...DEFAULT_REDACTED_KEYS, ...TEXT_KEYS, ...QUERY_KEYS]);
  const asText = patterns([...DEFAULT_REDACTED_KEYS, ...TEXT_KEYS]);
  const decide = (set: Patterns) => (key: string) =>
    forms(key).some((form) => matches(custom, form) || (matches(set, form) && !matches(spared, form)));
  return {
    sensitive: remember(decide(standard)),
    sensitiveInQuery: remember(decide(inQuery)),
    sensitiveAsText: remember(decide(asText)),
  };
}

function remember(decide: (key: string) => boolean): (key: string) => boolean {
  const known = new Map<string, boolean>();
  return (key) => {
    let answer = known.get(key);
    if (answer === undefined) {
      if (known.size >= MAX_REMEMBERED) known.clear();
      answer = decide(key);
      known.set(key, answer);
    }
    return answer;
  };
}

/** The name as a whole, and its last part: `db.pwd` is a `pwd`. */
function forms(key: string): string[] {
  const text = decoded(key.length > MAX_KEY_CHARS ? key.slice(-MAX_KEY_CHARS) : key);
  const whole = squeeze(text);
  const last = squeeze(text.slice(Math.max(text.lastIndexOf("."), text.lastIndexOf("[")) + 1));
  return last === whole ? [whole] : [whole, last];
}

function decoded(key: string): string {
  if (!key.includes("%")) return key;
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

const squeeze = (name: string) => name.toLowerCase().replace(/[-_.\s[\]"']/g, "");

/** Does a pattern say anything? `*` would hide all, and no letter or digit none. */
export const isPattern = (name: string): boolean => /[^*]/.test(squeeze(name));

/** What stands between the `*` of each pattern. */
type Patterns = readonly (readonly string[])[];

function patterns(names: readonly string[]): Patterns {
  return names
    .slice(0, MAX_PATTERNS)
    .map((name) => squeeze(name.slice(0, MAX_PATTERN_CHARS)).replace(/\*+/g, "*"))
    .filter(isPattern)
    .map((name) => name.split("*"));
}

const matches = (set: Patterns, form: string) => set.some((parts) => matchesParts(parts, form));

/** The first part at the start, the last at the end, the others in between at the first chance: never goes back. */
function matchesParts(parts: readonly string[], form: string): boolean {
  const first = parts[0] as string;
  const last = parts[parts.length - 1] as string;
  if (parts.length === 1) return form === first;
  if (form.length < first.length + last.length || !form.startsWith(first) || !form.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = form.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= form.length - last.length;
}
