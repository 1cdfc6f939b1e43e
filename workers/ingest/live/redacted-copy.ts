/**
 * A value of any shape → what JSON can carry of it, without its secrets: fields
 * with sensitive names are hidden, with all that is in them; every other text,
 * names of fields too, passes the redactor. `trace-item.ts` copies items with it.
 *
 * Bounded in depth, values and characters, all of an item together; getters that
 * throw, functions and cycles are left out. As in `normalize/flatten.ts`, a name
 * whose texts are hidden (`tokens`) shows numbers, and hides the texts within.
 */
import { clip, MAX_MESSAGE_CHARS } from "../limits.ts";
import { scalarOf } from "../normalize/json.ts";
import { hidesSecond, REDACTED, type Redactor } from "../redact/redact.ts";

/** As JSON in logs is seldom deeper; a cycle ends here, too. */
const MAX_DEPTH = 16;
/** Of an item: lists of a thousand records fit. */
const MAX_VALUES = 20_000;
/** What the platform lets through of an invocation: 256 KiB. */
const MAX_CHARS = 262_144;
/** Of a name and the value around it, as JSON writes them. */
const VALUE_CHARS = 4;

export class RedactedCopy {
  /** Something did not fit. */
  isCut = false;
  private isInList = false;
  private values = MAX_VALUES;
  private chars = MAX_CHARS;

  constructor(private readonly redactor: Redactor) {}

  /** Undefined where there is nothing that JSON could carry. */
  of(value: unknown): unknown {
    return this.copy(value, false, 0);
  }

  text(value: string): string {
    return this.bounded(this.redactor.text(this.clipped(value)));
  }

  private copy(value: unknown, hidesText: boolean, depth: number): unknown {
    if (--this.values < 0 || this.chars <= 0) {
      this.isCut = true;
      return undefined;
    }
    switch (typeof value) {
      case "string":
        return hidesText ? this.bounded(REDACTED) : this.text(value);
      case "number":
        this.chars -= VALUE_CHARS;
        return Number.isFinite(value) ? this.redactor.number(value) : null;
      case "boolean":
        this.chars -= VALUE_CHARS;
        return value;
      case "bigint":
        return hidesText ? REDACTED : this.text(String(value));
      case "object":
        return value === null ? null : this.object(value, hidesText, depth);
      default:
        return undefined;
    }
  }

  private object(value: object, hidesText: boolean, depth: number): unknown {
    const scalar = scalarOf(value);
    if (scalar !== undefined) return this.bounded(scalar);
    if (value instanceof Error) return this.error(value, hidesText, depth);
    if (depth >= MAX_DEPTH) {
      this.isCut = true;
      return undefined;
    }
    if (Array.isArray(value) || value instanceof Set) return this.wholeList(value, hidesText, depth);
    return this.fields(value, hidesText, depth);
  }

  private error({ name, message, stack }: Error, hidesText: boolean, depth: number): unknown {
    return this.fields({ name, message, stack }, hidesText, depth);
  }

  /**
   * Events keep a list as text, in which something may be secret beside what stands
   * before it: `["Authorization:", "…"]`. Then it is text here, too.
   */
  private wholeList(values: Iterable<unknown>, hidesText: boolean, depth: number): unknown {
    const isInner = this.isInList;
    this.isInList = true;
    const list = this.list(values, hidesText, depth);
    this.isInList = isInner;
    if (isInner) return list;
    const text = JSON.stringify(list);
    const clean = this.redactor.text(text);
    return clean === text ? list : clean;
  }

  private list(values: Iterable<unknown>, hidesText: boolean, depth: number): unknown[] {
    const list: unknown[] = [];
    const hidden = hidesSecond(this.redactor, values);
    for (const value of values) {
      if (this.values <= 0 || this.chars <= 0) {
        this.isCut = true;
        break;
      }
      const isHidden = hidden && list.length === 1;
      list.push(isHidden ? this.bounded(REDACTED) : (this.copy(value, hidesText, depth + 1) ?? null));
    }
    return list;
  }

  private fields(value: object, hidesText: boolean, depth: number): Record<string, unknown> {
    const fields = value instanceof Map ? Object.fromEntries(value) : (value as Record<string, unknown>);
    const copy: [string, unknown][] = [];
    for (const key in fields) {
      if (this.values <= 0 || this.chars <= 0) {
        this.isCut = true;
        break;
      }
      const field = this.field(key, read(fields, key), hidesText, depth);
      // Maps by e-mail address or by token have secrets for names.
      if (field !== undefined) copy.push([this.text(key), field]);
    }
    // Not by assignment: `__proto__` is a name like any other.
    return Object.fromEntries(copy);
  }

  private field(key: string, value: unknown, hidesText: boolean, depth: number): unknown {
    if (value === null || value === undefined || typeof value === "function") return value === null ? null : undefined;
    if (this.redactor.sensitive(key)) return this.bounded(REDACTED);
    const hides = hidesText || this.redactor.sensitiveAsText(key);
    return hides && Array.isArray(value) ? this.bounded(REDACTED) : this.copy(value, hides, depth + 1);
  }

  /** Before it is looked through, since that takes time; not anywhere: half a token may not look like one. */
  private clipped(text: string): string {
    const limit = text.length > this.chars ? 0 : MAX_MESSAGE_CHARS;
    if (text.length > limit) this.isCut = true;
    return limit === 0 ? "" : clip(text, limit);
  }

  private bounded(text: string): string {
    this.chars -= text.length + VALUE_CHARS;
    return text;
  }
}

function read(fields: Record<string, unknown>, key: string): unknown {
  try {
    return fields[key];
  } catch {
    return undefined;
  }
}
