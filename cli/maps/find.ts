/**
 * Which files of a build have a source map: walks a directory, reads the last
 * lines of generated code, and pairs each file with its map by the comment, by
 * the name `<file>.map`, or by the debug id. Hands pairs to `convert.ts`.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { usageFailure } from "../failure.ts";
import { readComments, readDataUrl } from "./comments.ts";

/** A directory with more is not a build but somebody's home. */
const MAX_ENTRIES = 50_000;
/** V8 has no longer text than 512 MB. */
const MAX_CODE_BYTES = 256 << 20;
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

/** @param path a directory, or one file: generated code or a map */
export function findMaps(path: string): FoundMaps {
  const root = resolve(path);
  const stats = statSync(root, { throwIfNoEntry: false });
  if (stats === undefined) throw usageFailure(`${path} is not there; give the directory that the build writes to`);
  const base = stats.isDirectory() ? root : dirname(root);
  const files = stats.isDirectory() ? walk(root) : [root];
  const nameOf = (file: string) => relative(base, file).split(sep).join("/");

  const maps: FoundMap[] = [];
  const warnings: string[] = [];
  const taken = new Set<string>();
  const waiting: { path: string; debugId: string }[] = [];
  for (const code of files.filter((file) => CODE.test(file))) {
    const { url, debugId } = readComments(readCode(code) ?? "");
    const inline = url?.startsWith("data:") ? readDataUrl(url) : undefined;
    if (inline !== undefined) {
      const mapName = `${nameOf(code)} (inline)`;
      maps.push({ file: nameOf(code), codePath: code, mapName, size: inline.byteLength, read: () => inline });
      continue;
    }
    const map = mapBeside(code, url);
    if (map !== undefined) {
      taken.add(map);
      maps.push(onDisk(nameOf(code), code, map, nameOf(map)));
    } else if (debugId !== undefined) {
      waiting.push({ path: code, debugId });
    } else if (url !== undefined) {
      warnings.push(`${nameOf(code)} names the source map ${shorten(url)}, which is not there`);
    }
  }
  const alone = files.filter((file) => file.endsWith(".map") && !OTHER_MAPS.test(file) && !taken.has(file));
  const byDebugId = waiting.length === 0 ? new Map<string, string>() : debugIds(alone);
  for (const { path: code, debugId } of waiting) {
    const map = byDebugId.get(debugId.toLowerCase());
    if (map === undefined) {
      warnings.push(`${nameOf(code)} has the debug id ${debugId}, and no source map has it`);
      continue;
    }
    taken.add(map);
    maps.push(onDisk(nameOf(code), code, map, nameOf(map)));
  }
  for (const map of alone) {
    if (!taken.has(map)) maps.push(onDisk(nameOf(map).replace(/\.map$/, ""), undefined, map, nameOf(map)));
  }
  maps.sort((a, b) => (a.file < b.file ? -1 : 1));
  return { maps, warnings };
}

function onDisk(file: string, codePath: string | undefined, map: string, mapName: string): FoundMap {
  return { file, codePath, mapName, size: statSync(map).size, read: () => readFileSync(map) };
}

function mapBeside(code: string, url: string | undefined): string | undefined {
  // Nothing is fetched: what a URL says lies on a server is, in a build, the file of that name.
  const named = url === undefined || url.startsWith("data:") ? undefined : localName(url);
  const candidates = named === undefined ? [] : [resolve(dirname(code), named), join(dirname(code), basename(named))];
  return [...candidates, `${code}.map`].find((path) => existsSync(path) && statSync(path).isFile());
}

function localName(url: string): string | undefined {
  const path = url.replace(/[?#].*$/, "");
  const local = /^[a-z][a-z0-9+.-]*:/i.test(path) || path.startsWith("/") ? basename(path) : path;
  try {
    return decodeURIComponent(local);
  } catch {
    return local;
  }
}

function debugIds(maps: readonly string[]): Map<string, string> {
  const ids = new Map<string, string>();
  for (const map of maps) {
    const id = /"debug_?id"\s*:\s*"([0-9a-f-]+)"/i.exec(readCode(map) ?? "")?.[1];
    if (id !== undefined) ids.set(id.toLowerCase(), map);
  }
  return ids;
}

/** Undefined for code that is too long to be text in V8: no Worker has so much. */
export function readCode(path: string): string | undefined {
  return statSync(path).size > MAX_CODE_BYTES ? undefined : readFileSync(path, "utf8");
}

/** Files below a directory; not in `node_modules` and hidden directories, and no link is followed. */
function walk(root: string): string[] {
  const files: string[] = [];
  const directories = [root];
  let seen = 0;
  for (let next = directories.pop(); next !== undefined; next = directories.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      if (++seen > MAX_ENTRIES)
        throw usageFailure(`${root} holds more than ${MAX_ENTRIES} files; give the directory that the build writes to`);
      const path = join(next, entry.name);
      if (entry.isFile()) files.push(path);
      else if (entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
        directories.push(path);
    }
  }
  return files.sort();
}

const shorten = (url: string) => (url.length > 80 ? `${url.slice(0, 80)}…` : url);
