/** What generated code says about its map in its last lines (ECMA-426, 11.1.2). Pure. */

export interface CodeComments {
  /** `//# sourceMappingURL=`: a data: URL, or relative to the file. */
  url: string | undefined;
  /** `//# debugId=` */
  debugId: string | undefined;
}

export function readComments(code: string): CodeComments {
  return { url: lastComment(code, "sourceMappingURL"), debugId: lastComment(code, "debugId") };
}

/**
 * The last one counts, and only when no code follows it. Found from the end, so
 * that an inline map of megabytes is not looked through.
 */
function lastComment(code: string, name: string): string | undefined {
  const at = code.lastIndexOf(`${name}=`);
  if (at === -1) return undefined;
  const before = code.slice(Math.max(0, at - 4), at);
  if (!/\/\/[#@][ \t]$/.test(before)) return undefined;
  const start = at + name.length + 1;
  const space = /\s/g;
  space.lastIndex = start;
  const end = space.exec(code)?.index ?? code.length;
  const value = code.slice(start, end);
  // In a string literal of a tool that writes such comments.
  if (value === "" || /["'`]/.test(value.slice(0, 4096))) return undefined;
  return hasCode(code.slice(end)) ? undefined : value;
}

function hasCode(rest: string): boolean {
  return rest.split("\n").some((line) => line.trim() !== "" && !line.trim().startsWith("//"));
}

/** The bytes of a `data:` URL (RFC 2397), undefined for one that is broken or no JSON. */
export function readDataUrl(url: string): Uint8Array | undefined {
  const comma = url.indexOf(",");
  if (!url.startsWith("data:") || comma === -1) return undefined;
  const type = url.slice(5, comma).toLowerCase();
  if (!/^(application|text)\/json\b/.test(type)) return undefined;
  const data = url.slice(comma + 1);
  if (/;\s*base64$/.test(type)) return new Uint8Array(Buffer.from(data, "base64"));
  try {
    return new TextEncoder().encode(decodeURIComponent(data));
  } catch {
    return undefined;
  }
}
