/**
 * What can be told of a frame by the name of its file alone, before any source
 * map is asked: whether there is something to map, and whose code it is.
 * `symbolicate.ts` asks. Pure.
 */
import type { Frame } from "../trace.ts";

export type Origin =
  /** The runtime's own, or no file at all. */
  | "runtime"
  /** A source as the team wrote it: the stack was mapped before it came here. */
  | "source"
  /** A file of the deployed bundle: a map may lead further. */
  | "bundle";

/** `node:internal/…`, `cloudflare:workers`, `node-internal:…` */
const RUNTIME = /^(?:node|cloudflare|workerd|internal|v8|native)(?:-internal)?:/;
/** Languages that nothing runs as they are. */
const SOURCE_EXTENSION = /\.(?:tsx?|[cm]ts|jsx|vue|svelte|astro|mdx|coffee|civet|res|elm|gleam)$/i;
/** Schemes that only bundlers' maps use. */
const SOURCE_SCHEME = /^(?:webpack|webpack-internal|turbopack|rspack|rollup|vite|ng|parcel):/;
/** The deployed bundle has no folder above it, and its packages are inside it. */
const SOURCE_PATH = /^\.\.\/|(?:^|[/\\])node_modules[/\\]/;

export function originOf({ file, isNative, isWasm }: Frame): Origin {
  if (file === null || isNative || isWasm || RUNTIME.test(file)) return "runtime";
  return SOURCE_EXTENSION.test(file) || SOURCE_SCHEME.test(file) || SOURCE_PATH.test(file) ? "source" : "bundle";
}

/** Packages, and what bundlers and wrangler put around the team's code. */
const LIBRARY =
  /(?:^|[/\\])(?:node_modules|bower_components|jspm_packages|\.yarn[/\\](?:cache|unplugged|__virtual__)|\.wrangler[/\\]tmp)[/\\]|(?:^|[/\\(])webpack\)?[/\\](?:runtime|bootstrap|buildin|universalModuleDefinition)|^(?:\0|virtual:|jsr:|npm:|https:\/\/(?:esm\.sh|cdn\.jsdelivr\.net|unpkg\.com|deno\.land)\/)/;

/** Is it the team's own code? */
export function isOwn(file: string | null): boolean {
  return file !== null && !RUNTIME.test(file) && !LIBRARY.test(file);
}

/** A relative path with a folder. */
export const isInFolder = (file: string | null): boolean => file !== null && /^(?![a-z]+:)[^/\\]+[/\\]/i.test(file);

/** `t`, `#n`, `$a`: what minifiers call things. Properties keep their names. */
const MINIFIED = /^[#$_]{0,2}[A-Za-z0-9]{1,2}$/;

/** `n.add` → `add`; null where nothing is left that a person gave: a made-up name would mislead, and change with every build. */
export function withoutMinified(name: string | null): string | null {
  if (name === null) return null;
  const given = name.split(".").filter((part) => part !== "" && !MINIFIED.test(part));
  return given.length === 0 ? null : given.join(".");
}
