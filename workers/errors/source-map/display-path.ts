/**
 * What a map calls its sources, as something to read: `webpack://shop/./src/a.ts?1f`
 * and `../../src/a.ts` are both `src/a.ts`. It is shown and grouped by, never
 * opened or fetched, and says nothing that could be taken for more than a name:
 * no `..`, no scheme of the web, no credentials, no control characters.
 */
import { MAX_PATH_CHARS } from "./limits.ts";

/** A source that the map does not name. */
export const UNNAMED_SOURCE = "(unnamed)";
const INLINE_SOURCE = "(inline)";

/** `webpack://name/…`: the host is the name of a bundle, not a place. */
const BUNDLER_SCHEMES = new Set([
  "webpack",
  "webpack-internal",
  "turbopack",
  "rspack",
  "parcel",
  "ng",
  "vite",
  "rollup",
  "metro",
  "meteor",
]);
/** `node:fs`: the scheme is part of the name. */
const MODULE_SCHEMES = new Set(["node", "cloudflare", "workerd", "npm", "jsr", "bun", "virtual", "internal"]);

export function displayPath(source: string | null, sourceRoot: string): string {
  if (source === null) return UNNAMED_SOURCE;
  const joined = sourceRoot === "" ? source : `${sourceRoot.replace(/\/$/, "")}/${source}`;
  // Cut twice: before, so that a source of megabytes costs nothing, and after.
  const text = printable(joined.slice(0, MAX_PATH_CHARS * 4)).replaceAll("\\", "/");
  let path = text;
  for (let round = 0; round < MAX_SCHEMES; round++) {
    const next = withoutDots(withoutScheme(path));
    if (next === path) return path.slice(0, MAX_PATH_CHARS) || UNNAMED_SOURCE;
    path = next;
  }
  return UNNAMED_SOURCE;
}

/** `webpack://shop/https://…` has two; nothing honest has more. */
const MAX_SCHEMES = 8;

/** Without control characters, and without those that turn the direction of text or do not show. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "").trim();
}

function withoutScheme(text: string): string {
  const [, scheme, rest] = /^([a-zA-Z][a-zA-Z0-9+.-]+):(.*)$/.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return text;
  const known = scheme.toLowerCase();
  if (known === "data" || known === "blob" || known === "javascript") return INLINE_SOURCE;
  if (MODULE_SCHEMES.has(known) && !rest.startsWith("//")) return `${known}:${withoutDots(rest)}`;
  if (!rest.startsWith("//")) return rest;
  const path = rest.replace(/[?#].*$/, "").slice(2);
  if (known === "file") return path.replace(/^\/([a-zA-Z]:)/, "$1");
  if (BUNDLER_SCHEMES.has(known)) return path.replace(/^[^/]*\/+/, "");
  const [host = "", ...below] = path
    .replace(/^\/+/, "")
    .replace(/^[^/@]*@/, "")
    .split("/");
  return [host, withoutDots(below.join("/"))].join("/");
}

/** `.` and `..` resolved; what would climb out at the top is left away. */
function withoutDots(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return (path.startsWith("/") ? "/" : "") + parts.join("/");
}
