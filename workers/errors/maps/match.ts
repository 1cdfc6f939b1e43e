/**
 * Which of a version's maps a frame's file means. Frames name the module as it
 * was uploaded (`index.js`); a runtime may put a folder of its own or `file://`
 * before it, and a map may have been uploaded with the folder of its build. Pure.
 */

/**
 * The map of that very name. Else the one whose name ends in the asked one
 * (`dist/index.js` for `index.js`), or, where the asked one is absolute, that it
 * ends in (`index.js` for `file:///x/index.js`); by whole segments, the longest
 * first. A relative `src/index.js` is not `index.js`: that is another module, or
 * a frame that is led back already. Two that fit equally well are none: no map
 * is better than the wrong one.
 */
export function matchFile<T extends { file: string }>(maps: readonly T[], file: string): T | undefined {
  const asked = segmentsOf(file);
  if (asked.length === 0) return undefined;
  const isAbsolute = ABSOLUTE.test(file);
  let best: T | undefined;
  let bestShared = 0;
  let tied = false;
  for (const map of maps) {
    const segments = segmentsOf(map.file);
    const shared = sharedEnd(segments, asked);
    if (shared === asked.length && shared === segments.length) return map;
    const fits = shared === asked.length || (isAbsolute && shared === segments.length);
    if (!fits || shared < bestShared || shared === 0) continue;
    tied = shared === bestShared;
    best = map;
    bestShared = shared;
  }
  return tied ? undefined : best;
}

/** Paths from the root, of a drive or a share, and URLs of any scheme. */
const ABSOLUTE = /^([\\/]|[a-z][a-z0-9+.-]*:)/i;

function sharedEnd(a: readonly string[], b: readonly string[]): number {
  let shared = 0;
  while (shared < a.length && shared < b.length && a[a.length - 1 - shared] === b[b.length - 1 - shared]) shared++;
  return shared;
}

function segmentsOf(file: string): string[] {
  const path = file.replace(/[?#].*$/, "").replace(/^[a-z][a-z0-9+.-]*:(\/\/[^/]*)?/i, "");
  return path.split(/[\\/]+/).filter((segment) => segment !== "" && segment !== ".");
}
