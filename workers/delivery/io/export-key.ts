/**
 * Keys of what log files are written to: always below `exports/`, which nothing
 * of Tailrace's own lies in and no sweep looks at, whatever somebody typed as a
 * folder. `io.ts` asks. Pure.
 */
const ROOT = "exports";
/** R2 takes 1,024 bytes; a character takes three at most. */
const MAX_CHARS = 300;

/** `.` and `..` mean folders to the tools that read a bucket; control characters break their lists. */
export function exportKey(prefix: string, key: string): string {
  const parts = `${prefix}/${key}`.toWellFormed().split("/").map(clean);
  const path = parts.filter((part) => part !== "" && part !== "." && part !== "..").join("/");
  if (path === "") throw new Error(`BUG: an export without a name: ${JSON.stringify({ prefix, key })}`);
  // The end tells objects apart.
  return `${ROOT}/${path.length > MAX_CHARS ? path.slice(-MAX_CHARS).toWellFormed() : path}`;
}

const clean = (part: string): string => part.replace(/[\p{Cc}\\]/gu, "_").trim();
