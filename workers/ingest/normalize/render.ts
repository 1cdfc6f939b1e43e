/**
 * Console arguments → the line that a console would print: `%s` and friends
 * filled in, objects as `{ id: 7, tags: [ 'a' ] }`, on one line, bounded, with
 * sensitive values left out. The result still has to pass `redactor.text`.
 */
import { MAX_MESSAGE_CHARS } from "../limits.ts";
import { hides, hidesSecond, REDACTED, type Redactor } from "../redact/redact.ts";

/** As the console: what lies deeper is `[Object]`. */
const MAX_DEPTH = 3;
/** Entries of one list or object. */
const MAX_ENTRIES = 100;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const DIRECTIVE = /%[sdifjoOc%]/g;

export function renderArguments(args: readonly unknown[], redactor: Redactor): string {
  const out: string[] = [];
  let from = 0;
  let chars = 0;
  if (args.length > 1 && typeof args[0] === "string" && args[0].includes("%")) {
    const [text, used] = fill(args[0], args, redactor);
    out.push(text);
    chars = text.length;
    from = used;
  }
  for (let i = from; i < args.length && chars <= MAX_MESSAGE_CHARS; i++) {
    const text = render(args[i], redactor);
    chars += text.length + 1;
    out.push(text);
  }
  return out.join(" ");
}

/** The text with its directives filled in, and how many arguments it took. */
function fill(format: string, args: readonly unknown[], redactor: Redactor): [string, number] {
  let used = 1;
  const text = format.replace(DIRECTIVE, (directive) => {
    if (directive === "%%") return "%";
    if (used >= args.length) return directive;
    const value = args[used++];
    if (directive === "%c") return "";
    if (directive === "%d" || directive === "%f") return String(Number(value));
    if (directive === "%i") return String(Math.trunc(Number(value)));
    return render(value, redactor);
  });
  return [text, used];
}

/** One argument: strings as they are, anything else as the console shows it. */
export function render(value: unknown, redactor: Redactor): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return String(value);
  const left = { chars: MAX_MESSAGE_CHARS };
  return renderObject(value, redactor, 0, left);
}

type Left = { chars: number };

function renderNested(value: unknown, redactor: Redactor, depth: number, left: Left): string {
  if (typeof value === "string") {
    left.chars -= value.length;
    return value.includes("'") ? JSON.stringify(value) : `'${value}'`;
  }
  left.chars -= 8;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  return renderObject(value, redactor, depth, left);
}

function renderObject(value: object, redactor: Redactor, depth: number, left: Left): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return `[${value.constructor.name} ${value.byteLength}]`;
  if (depth >= MAX_DEPTH) return Array.isArray(value) ? "[Array]" : "[Object]";
  if (Array.isArray(value)) return renderList(value, value.length, redactor, depth, left);
  if (value instanceof Set) return `Set(${value.size}) ${renderList(value, value.size, redactor, depth, left)}`;
  if (value instanceof Map) return `Map(${value.size}) ${renderEntries(value, value.size, redactor, depth, left)}`;
  const keys = Object.keys(value);
  const fields = value as Record<string, unknown>;
  return renderEntries(pairs(fields, keys), keys.length, redactor, depth, left);
}

function* pairs(fields: Record<string, unknown>, keys: string[]): Generator<[string, unknown]> {
  for (const key of keys) yield [key, fields[key]];
}

function renderList(values: Iterable<unknown>, size: number, redactor: Redactor, depth: number, left: Left): string {
  const parts: string[] = [];
  const hidden = hidesSecond(redactor, values);
  for (const value of values) {
    if (parts.length >= MAX_ENTRIES || left.chars <= 0) break;
    parts.push(hidden && parts.length === 1 ? REDACTED : renderNested(value, redactor, depth + 1, left));
  }
  if (parts.length < size) parts.push(`... ${size - parts.length} more`);
  return parts.length === 0 ? "[]" : `[ ${parts.join(", ")} ]`;
}

function renderEntries(
  entries: Iterable<[unknown, unknown]>,
  size: number,
  redactor: Redactor,
  depth: number,
  left: Left,
): string {
  const parts: string[] = [];
  for (const [key, value] of entries) {
    if (parts.length >= MAX_ENTRIES || left.chars <= 0) break;
    const name = String(key);
    left.chars -= name.length;
    const text = hides(redactor, name, value) ? REDACTED : renderNested(value, redactor, depth + 1, left);
    parts.push(`${IDENTIFIER.test(name) ? name : `'${name}'`}: ${text}`);
  }
  if (parts.length < size) parts.push(`... ${size - parts.length} more`);
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}
