/**
 * Names with `*` for any characters, matched without regular expressions: whoever
 * writes a pattern of many stars cannot make it slow. Answers are remembered, since
 * the same few names come again and again. Pure.
 */
import { MAX_REMEMBERED } from "./limits.ts";

export type Matcher = (name: string) => boolean;

/** True when any of the patterns matches. */
export function matcherOf(patterns: readonly string[]): Matcher {
  const known = new Map<string, boolean>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const matches = patterns.some((pattern) => matchesPattern(pattern, name));
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(name, matches);
    return matches;
  };
}

/** What stands between two stars is found where it first can be: at most length × length steps. */
export function matchesPattern(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
