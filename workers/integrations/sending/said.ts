/**
 * What a receiver said of a failure → a few words for people. Protocols hand in
 * the bounded text of the answer; secrets have been masked by `Io`.
 */
const MAX_CHARS = 300;
/** Where JSON answers keep their message, in the order of how telling it is. */
const KEYS = ["message", "error_description", "error", "detail", "title", "reason", "errors"];
const MAX_DEPTH = 3;

export function said(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  if (looksLikeHtml(trimmed)) return "a web page";
  const found = trimmed.startsWith("{") || trimmed.startsWith("[") ? ofJson(trimmed) : undefined;
  return short(found ?? trimmed);
}

export const looksLikeHtml = (text: string): boolean => /^\s*<(!doctype|html|head|body|\?xml)/i.test(text);

export function short(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would obey is taken out.
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\ufffd\s]+/g, " ").trim();
  return line.length > MAX_CHARS ? `${line.slice(0, MAX_CHARS)}…` : line;
}

function ofJson(text: string): string | undefined {
  try {
    return messageIn(JSON.parse(text), 0);
  } catch {
    return undefined;
  }
}

function messageIn(value: unknown, depth: number): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return messageIn(value[0], depth + 1);
  for (const key of KEYS) {
    const found = messageIn((value as Record<string, unknown>)[key], depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
