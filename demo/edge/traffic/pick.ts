/**
 * Which version answers, by Cloudflare's rules for gradual deployments: an
 * override names a version of the deployment, a version key always leads to
 * the same version, everything else is drawn by percentage. A key's draw is of
 * the Worker: if one session had the new version of all Workers or of none, each
 * would look as bad as the worst of them. Pure, but for the draw that is passed in.
 */
import type { Share } from "../account/types.ts";

export interface Wish {
  script: string;
  /** Cloudflare-Workers-Version-Key */
  key: string | null;
  /** Cloudflare-Workers-Version-Overrides: `name="<id>", …` */
  override: string | null;
}

/** @returns the version's id; undefined when nothing is deployed */
export function pickVersion(
  shares: readonly Share[],
  wish: Wish,
  draw: () => number = Math.random,
): string | undefined {
  const wished = wish.override === null ? undefined : overrideFor(wish.override, wish.script);
  if (wished !== undefined && shares.some((share) => share.version_id === wished)) return wished;
  let point = (wish.key === null ? draw() : unitHash(`${wish.script}\n${wish.key}`)) * 100;
  for (const share of shares) {
    point -= share.percentage;
    if (point < 0) return share.version_id;
  }
  return shares.at(-1)?.version_id;
}

/** The header is an RFC 8941 dictionary: worker names to version ids. */
function overrideFor(header: string, script: string): string | undefined {
  for (const [, name, id] of header.matchAll(/([\w.-]+)="([^"]*)"/g)) if (name === script) return id;
  return undefined;
}

/** FNV-1a, to [0, 1): spreads session ids evenly and is the same in every isolate. */
function unitHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // FNV's high bits mix poorly for short keys; one round of murmur3's finalizer spreads them.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
