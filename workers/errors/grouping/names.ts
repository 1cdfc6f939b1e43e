/**
 * Frames → names that stay the same from build to build and from machine to
 * machine. Functions: without the receiver where it says nothing. Files: a path
 * within the project, without hosts, hashes and query strings.
 */
import type { SourceFrame } from "../trace.ts";

/** Receivers that V8 prints for plain objects, modules and static methods: the source has no such name. */
const GENERIC_RECEIVERS = new Set(["Object", "Function", "Module", "Class", "Proxy"]);
/** Minified classes have shorter names. */
const MIN_CLASS_CHARS = 3;
const MARKERS = ["async ", "get ", "set ", "static ", "new "];

/** `Object.fetch` and `fetch` are one; `Cart.add` keeps its class. "" for anonymous functions. */
export function functionName(name: string | null): string {
  if (name === null) return "";
  let text = name;
  for (const marker of MARKERS) if (text.startsWith(marker)) text = text.slice(marker.length);
  let dot = text.indexOf(".");
  while (dot > 0 && !isClassName(text.slice(0, dot))) {
    text = text.slice(dot + 1);
    dot = text.indexOf(".");
  }
  if (text === "anonymous" || text.includes("<anonymous>")) return "";
  // V8 numbers functions of a wasm module without names.
  return text.startsWith("wasm-function[") ? "wasm-function" : text;
}

/** A class that takes its name from its constructor is called `cn` in one minified build and `ln` in the next. */
export const typeName = (type: string): string => (type.length < MIN_CLASS_CHARS ? "Error" : type);

/** V8 prints `Object.fetch` where a source map's scopes say `app.fetch`: only classes are told the same by both. */
function isClassName(name: string): boolean {
  const first = name.charCodeAt(0);
  return first >= 65 && first <= 90 && name.length >= MIN_CLASS_CHARS && !GENERIC_RECEIVERS.has(name);
}

/** Where a project's own paths begin, if the path is of somebody's machine. */
const PROJECT_ROOTS = ["packages", "apps", "services", "workers", "libs", "src", "app", "functions", "lib", "dist"];
/** Segments kept of an absolute path that has none of these. */
const KEPT_SEGMENTS = 3;
/** A longer path is a URL with data in it. */
const MAX_PATH_CHARS = 256;

export function fileName(file: string | null): string {
  if (file === null || file === "") return "";
  if (file.startsWith("wasm:") || file.startsWith("data:") || file.startsWith("blob:")) {
    return file.slice(0, file.indexOf(":"));
  }
  if (file.startsWith("node:") || file.startsWith("cloudflare")) return file;
  let path = file.length > MAX_PATH_CHARS ? file.slice(0, MAX_PATH_CHARS) : file;
  const query = firstOf(path, "?#");
  if (query >= 0) path = path.slice(0, query);
  if (path.includes("\\")) path = path.replaceAll("\\", "/");
  const parts = path.split("/");
  const absolute = isAbsolute(parts);
  let segments = withoutScheme(parts).filter((part) => part !== "" && part !== "." && part !== "..");
  if (absolute) segments = withinProject(segments);
  const last = segments.length - 1;
  if (last >= 0) segments[last] = withoutHash(segments[last] as string);
  return segments.join("/");
}

function firstOf(text: string, characters: string): number {
  for (let i = 0; i < text.length; i++) if (characters.includes(text[i] as string)) return i;
  return -1;
}

/** `/x`, `C:/x`, `file:///x`; a bundler's `webpack://shop/./src/x` and a URL are relative to what they name. */
function isAbsolute([first = "", second]: string[]): boolean {
  return (first === "" && second !== undefined) || first === "file:" || /^[A-Za-z]:$/.test(first);
}

/** `webpack://shop/src/x` → `src/x`: the part behind the scheme is a host or the name of a build. */
function withoutScheme(parts: string[]): string[] {
  const [first = "", second] = parts;
  if (/^[A-Za-z]:$/.test(first)) return parts.slice(1);
  if (!first.endsWith(":") || second !== "") return parts;
  return parts.slice(3);
}

function withinProject(segments: string[]): string[] {
  for (const root of PROJECT_ROOTS) {
    const at = segments.lastIndexOf(root, segments.length - 2);
    if (at >= 0) return segments.slice(at);
  }
  return segments.slice(-KEPT_SEGMENTS);
}

/** `index-BfR3kx2a.js`, `chunk.3f2a9c1d.mjs`, `chunk-4XQZ7KLM.js` → without the hash. */
function withoutHash(name: string): string {
  const dot = name.lastIndexOf(".");
  if (dot <= 0) return name;
  const stem = name.slice(0, dot);
  const cut = Math.max(stem.lastIndexOf("-"), stem.lastIndexOf("."), stem.lastIndexOf("_"));
  if (cut <= 0) return isHash(stem) && stem.length >= 16 ? name.slice(dot) : name;
  return isHash(stem.slice(cut + 1)) ? stem.slice(0, cut) + name.slice(dot) : name;
}

/** Six to 64 letters and digits that are no word: with a digit, in both cases or all upper. */
function isHash(text: string): boolean {
  if (text.length < 6 || text.length > 64) return false;
  let digits = 0;
  let upper = 0;
  let lower = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 48 && code <= 57) digits++;
    else if (code >= 65 && code <= 90) upper++;
    else if (code >= 97 && code <= 122) lower++;
    else return false;
  }
  if (digits > 0) return digits + upper + lower >= 8 || (digits > 1 && upper > 0);
  return text.length === 8 && upper > 2;
}

/** `add (src/cart.ts)`: what a frame counts as. Column and line are left out: they move with every build. */
export function frameName(frame: SourceFrame): string {
  return `${functionName(frame.function)}|${fileName(frame.file)}`;
}

/** `add (src/cart.ts)`, for people. */
export function culpritOf(frame: SourceFrame): string {
  const name = functionName(frame.function) || enclosing(frame.function ?? "");
  const file = fileName(frame.file);
  if (file === "") return name;
  return name === "" ? file : `${name} (${file})`;
}

/** `routes.pay.<anonymous>` has no name to count by, but a place to be found at. */
function enclosing(name: string): string {
  const at = name.indexOf(".<anonymous>");
  const around = at < 0 ? "" : name.slice(0, at);
  return GENERIC_RECEIVERS.has(around) ? "" : functionName(around);
}
