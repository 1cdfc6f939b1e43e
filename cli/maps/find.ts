/**
 * Which files of a build have a source map: reads the last lines of generated
 * code, and pairs each file with its map by the comment, by the name
 * `<file>.map`, or by the debug id; where none is, by the file that it is a copy
 * of. Hands pairs to `convert.ts`.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { usageFailure } from "../failure.ts";
import { type CodeComments, readComments, readDataUrl } from "./comments.ts";
import { MAX_ENTRIES, readText, walk } from "./files.ts";

const CODE = /\.[cm]?js$/;
/** Maps of styles and of type declarations tell nothing about a stack. */
const OTHER_MAPS = /\.(css|d\.[cm]?ts)\.map$/;

export interface FoundMap {
  /** Name of the generated file as stacks have it: its path within the directory, with slashes. */
  file: string;
  /** Of the generated code; undefined for a map that lies there without it. */
  codePath: string | undefined;
  /** Where the map is, for messages. */
  mapName: string;
  /** Bytes of the map, about: what it costs to have it in memory. */
  size: number;
  read(): Uint8Array;
}

export interface FoundMaps {
  maps: FoundMap[];
  /** Things that look like a mistake of the build, one sentence each. */
  warnings: string[];
}

/**
 * @param path a directory, or one file: generated code or a map
 * @param project where to look for the originals of code that was copied here without its map
 */
export function findMaps(path: string, project?: string): FoundMaps {
  const { base, files } = filesOf(path);
  const nameOf = (file: string) => relative(base, file).split(sep).join("/");
  const maps: FoundMap[] = [];
  const mapless = new Map<string, CodeComments>();
  const taken = new Set<string>();
  const take = (code: string, map: string, mapName = nameOf(map)) => {
    taken.add(map);
    maps.push(onDisk(nameOf(code), code, map, mapName));
  };

  for (const code of files.filter((file) => CODE.test(file))) {
    const comments = readComments(readText(code) ?? "");
    const inline = readDataUrl(comments.url ?? "");
    const map = inline === undefined ? mapBeside(code, comments.url) : undefined;
    if (inline !== undefined) maps.push(inCode(nameOf(code), code, inline));
    else if (map !== undefined) take(code, map);
    else mapless.set(code, comments);
  }
  const alone = files.filter((file) => file.endsWith(".map") && !OTHER_MAPS.test(file) && !taken.has(file));
  for (const [code, map] of pairByDebugId(mapless, alone)) {
    mapless.delete(code);
    take(code, map);
  }
  for (const [code, map] of project === undefined ? [] : pairByOriginal([...mapless.keys()], project)) {
    mapless.delete(code);
    take(
      code,
      map,
      relative(project ?? base, map)
        .split(sep)
        .join("/"),
    );
  }
  for (const map of alone) {
    if (!taken.has(map)) maps.push(onDisk(nameOf(map).replace(/\.map$/, ""), undefined, map, nameOf(map)));
  }
  maps.sort((a, b) => (a.file < b.file ? -1 : 1));
  return { maps, warnings: [...mapless].flatMap(([code, comments]) => warningsOf(nameOf(code), comments)) };
}

function filesOf(path: string): { base: string; files: string[] } {
  const root = resolve(path);
  const stats = statSync(root, { throwIfNoEntry: false });
  if (stats === undefined) throw usageFailure(`${path} is not there; give the directory that the build writes to`);
  if (!stats.isDirectory()) return { base: dirname(root), files: [root] };
  const files = walk(root, (name) => name === "node_modules" || name.startsWith("."));
  if (files === undefined)
    throw usageFailure(`${path} holds more than ${MAX_ENTRIES} files; give the directory that the build writes to`);
  return { base: root, files };
}

const onDisk = (file: string, codePath: string | undefined, map: string, mapName: string): FoundMap => ({
  file,
  codePath,
  mapName,
  size: statSync(map).size,
  read: () => readFileSync(map),
});

const inCode = (file: string, codePath: string, inline: Uint8Array): FoundMap => ({
  file,
  codePath,
  mapName: `${file} (inline)`,
  size: inline.byteLength,
  read: () => inline,
});

function mapBeside(code: string, url: string | undefined): string | undefined {
  // Nothing is fetched: what a URL says lies on a server is, in a build, the file of that name.
  const named = url === undefined || url.startsWith("data:") ? undefined : localName(url);
  const candidates = named === undefined ? [] : [resolve(dirname(code), named), join(dirname(code), basename(named))];
  return [...candidates, `${code}.map`].find((path) => existsSync(path) && statSync(path).isFile());
}

function localName(url: string): string {
  const path = url.replace(/[?#].*$/, "");
  const local = /^[a-z][a-z0-9+.-]*:/i.test(path) || path.startsWith("/") ? basename(path) : path;
  try {
    return decodeURIComponent(local);
  } catch {
    return local;
  }
}

function pairByDebugId(codes: ReadonlyMap<string, CodeComments>, maps: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  if (![...codes.values()].some(({ debugId }) => debugId !== undefined)) return pairs;
  const byId = new Map<string, string>();
  for (const map of maps) {
    const id = /"debug_?id"\s*:\s*"([0-9a-f-]+)"/i.exec(readText(map) ?? "")?.[1];
    if (id !== undefined) byId.set(id.toLowerCase(), map);
  }
  for (const [code, { debugId }] of codes) {
    const map = byId.get(debugId?.toLowerCase() ?? "");
    if (map !== undefined) pairs.set(code, map);
  }
  return pairs;
}

/**
 * wrangler copies what it does not bundle itself (`no_bundle`, the output of the
 * Vite plugin) into its output directory, without maps. The same bytes under
 * the same name somewhere in the project are what was copied.
 */
function pairByOriginal(codes: readonly string[], project: string): Map<string, string> {
  const pairs = new Map<string, string>();
  if (codes.length === 0) return pairs;
  const skips = (name: string) => name === "node_modules" || name === ".git" || name === ".wrangler";
  const files = walk(resolve(project), skips) ?? [];
  for (const code of codes) {
    const bytes = readFileSync(code);
    const originals = files.filter((file) => basename(file) === basename(code) && statSync(file).size === bytes.length);
    for (const original of originals) {
      const map = bytes.equals(readFileSync(original))
        ? mapBeside(original, readComments(bytes.toString()).url)
        : undefined;
      if (map !== undefined) pairs.set(code, map);
    }
  }
  return pairs;
}

function warningsOf(file: string, { url, debugId }: CodeComments): string[] {
  if (debugId !== undefined) return [`${file} has the debug id ${debugId}, and no source map has it`];
  if (url === undefined) return [];
  return [`${file} names the source map ${url.length > 80 ? `${url.slice(0, 80)}…` : url}, which is not there`];
}
