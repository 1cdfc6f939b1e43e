/**
 * What people call a version by: its whole id, the beginning of it that every
 * screen shows, or its tag. Pure. A name that fits two is refused rather than
 * guessed: the wrong version would go out.
 */
import type { Version } from "../../cloudflare/contract.ts";
import { SHORT_ID, versionText } from "./words.ts";

/** So many are named to choose from. */
const MAX_NAMED = 5;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Nothing is to be looked up; that it exists is preflight's question. */
export const isWholeId = (name: string): boolean => UUID.test(name);

/** @param versions newest first */
export function findVersion(
  versions: readonly Version[],
  name: string,
  script: string,
): { ok: true; id: string } | { ok: false; message: string } {
  const exact = versions.find(({ id }) => id === name);
  if (exact !== undefined) return { ok: true, id: exact.id };
  const isPrefix = name.length >= SHORT_ID;
  const found = versions.filter(({ id, tag }) => tag === name || (isPrefix && id.startsWith(name.toLowerCase())));
  const [only, second] = found;
  if (only !== undefined && second === undefined) return { ok: true, id: only.id };
  if (only !== undefined) {
    const message = `${found.length} versions of ${script} are called ${name}: ${namesOf(found)}. Give the id of one.`;
    return { ok: false, message };
  }
  const message = `Cloudflare has no version ${name} of ${script}. ${newestText(versions)} A version's id, its first ${SHORT_ID} characters or its tag will do.`;
  return { ok: false, message };
}

export const newestText = (versions: readonly Version[]): string =>
  versions.length === 0 ? "None is uploaded." : `The newest are ${namesOf(versions)}.`;

function namesOf(versions: readonly Version[]): string {
  const named = versions.slice(0, MAX_NAMED).map((version) => versionText(version));
  const more = versions.length - named.length;
  return `${named.join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}
