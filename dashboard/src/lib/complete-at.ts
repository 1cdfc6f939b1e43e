export interface Completion {
  kind: "field" | "value" | "pipe" | "function" | "none";
  prefix: string;
  field?: string;
  from: number;
  to: number;
}
export function completeAt(text: string, cursor: number): Completion {
  const head = text.slice(0, cursor);
  const m = /[^\s()|,]*$/.exec(head)![0];
  const from = cursor - m.length;
  if (/\|\s*[a-z]*$/.test(head)) return { kind: "pipe", prefix: m, from, to: cursor };
  if (/\|\s*stats\s+(?!.*\bby\b)[^|]*$/.test(head)) return { kind: "function", prefix: m, from, to: cursor };
  const colon = m.indexOf(":");
  if (colon > 0)
    return {
      kind: "value",
      field: m.slice(m.startsWith("-") ? 1 : 0, colon),
      prefix: m.slice(colon + 1),
      from: from + colon + 1,
      to: cursor,
    };
  return { kind: "field", prefix: m.replace(/^-/, ""), from: from + (m.startsWith("-") ? 1 : 0), to: cursor };
}
