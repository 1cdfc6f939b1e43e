/**
 * Values of any shape → attributes: nested objects become dotted names, lists
 * become JSON text, everything is redacted and bounded. Structured logs,
 * diagnostics-channel messages, console arguments and request details come
 * through here. `log.ts` and `normalize.ts` hand in values; the batch builder
 * takes the lists.
 */
import type { AttributeList, AttributeValue } from "../../event/event.ts";
import { clip, MAX_ATTRIBUTES, MAX_DEPTH, MAX_KEY_CHARS, MAX_VALUE_CHARS } from "../limits.ts";
import { REDACTED, type Redactor } from "../redact/redact.ts";
import { jsonOf, scalarOf } from "./json.ts";

/**
 * Names seen, as a tree: `user` → `user.id`. A name is joined, measured and
 * judged once, not once per event. A Worker that makes names out of ids fills
 * it up; then it starts anew.
 */
interface Name {
  name: string;
  hidden: boolean;
  /** Hidden unless it is a number, or has fields of its own. */
  hiddenText: boolean;
  /** The last text under it in which there was nothing to hide: often the next one is the same. */
  harmless: string | undefined;
  fields: Map<string, Name>;
}
const MAX_NAMES = 20_000;

export class NameTree {
  private root: Name = { name: "", hidden: false, hiddenText: false, harmless: undefined, fields: new Map() };
  private size = 0;
  private readonly redactor: Redactor;

  constructor(redactor: Redactor) {
    this.redactor = redactor;
  }

  top(key: string): Name {
    return this.field(this.root, key);
  }

  field(parent: Name, key: string): Name {
    return parent.fields.get(key) ?? this.add(parent, key);
  }

  private add(parent: Name, key: string): Name {
    const joined = parent.name === "" ? key : `${parent.name}.${key}`;
    const name: Name = {
      // Maps by e-mail address or by token have secrets for names.
      name: clip(joined === "" ? "_" : this.redactor.text(joined), MAX_KEY_CHARS),
      hidden: parent.hidden || this.redactor.sensitive(key),
      hiddenText: parent.hiddenText || this.redactor.sensitiveAsText(key),
      harmless: undefined,
      fields: new Map(),
    };
    if (++this.size > MAX_NAMES) {
      this.size = 0;
      this.root = { name: "", hidden: false, hiddenText: false, harmless: undefined, fields: new Map() };
    } else parent.fields.set(key, name);
    return name;
  }
}

/** Collects the attributes of one event; what does not fit is counted, not kept. */
export class AttributeCollector implements AttributeList {
  readonly names: string[] = [];
  readonly values: AttributeValue[] = [];
  dropped = 0;
  /** Characters of names and values; the caller bounds an item by it. */
  chars = 0;
  private readonly redactor: Redactor;
  private readonly tree: NameTree;

  constructor(redactor: Redactor, tree: NameTree) {
    this.redactor = redactor;
    this.tree = tree;
  }

  /** A value that is safe as it is, under a name that is. */
  set(name: string, value: AttributeValue): void {
    if (this.names.length >= MAX_ATTRIBUTES) {
      this.dropped++;
      return;
    }
    this.names.push(name);
    this.values.push(value);
    this.chars += name.length + (typeof value === "string" ? value.length : 8);
  }

  /** What Tailrace itself has to say always has a place. */
  note(name: string, value: AttributeValue): void {
    this.names.push(name);
    this.values.push(value);
  }

  /** Says how many attributes were left out. Call it when nothing more will be added. */
  close(): void {
    if (this.dropped > 0) this.note("tailrace.dropped_attributes", this.dropped);
  }

  /** Any value, under a name that is safe. */
  add(name: string, value: unknown): void {
    if (value === undefined || value === null) return;
    this.addValue(this.tree.top(name), value, 1);
  }

  /** The fields of an object, without a common prefix. `except` names those used elsewhere. */
  addFields(value: object, except?: ReadonlySet<string>): void {
    const fields = value as Record<string, unknown>;
    for (const key in fields) if (!except?.has(key)) this.addValue(this.tree.top(key), fields[key], 1);
  }

  private addValue(name: Name, value: unknown, depth: number): void {
    if (typeof value === "string") this.set(name.name, name.hiddenText ? REDACTED : this.cleanText(name, value));
    else if (typeof value === "number") this.set(name.name, name.hidden ? REDACTED : this.number(value));
    else if (value === null || value === undefined) return;
    else if (name.hidden) this.set(name.name, REDACTED);
    else if (typeof value === "boolean") this.set(name.name, value);
    else if (typeof value === "bigint") this.set(name.name, this.text(String(value)));
    else if (typeof value === "object") this.addObject(name, value, depth);
  }

  private addObject(name: Name, value: object, depth: number): void {
    const scalar = scalarOf(value);
    if (scalar !== undefined) this.set(name.name, scalar);
    else if (value instanceof Error) this.addNested(name, errorFields(value), depth + 1);
    else if (Array.isArray(value) || value instanceof Set || depth >= MAX_DEPTH) {
      this.set(name.name, name.hiddenText ? REDACTED : this.text(jsonOf(value, this.redactor)));
    } else this.addNested(name, value instanceof Map ? Object.fromEntries(value) : value, depth + 1);
  }

  private addNested(parent: Name, value: object, depth: number): void {
    const fields = value as Record<string, unknown>;
    for (const key in fields) {
      if (this.names.length >= MAX_ATTRIBUTES) {
        this.dropped++;
        return;
      }
      this.addValue(this.tree.field(parent, key), fields[key], depth);
    }
  }

  private cleanText(name: Name, value: string): string {
    if (value === name.harmless) return value;
    const clean = this.text(value);
    if (clean === value) name.harmless = value;
    return clean;
  }

  private text(value: string): string {
    return this.redactor.text(clip(value, MAX_VALUE_CHARS));
  }

  private number(value: number): number | string {
    return Number.isFinite(value) ? this.redactor.number(value) : String(value);
  }
}

const errorFields = (error: Error) => ({ type: error.name, message: error.message, stacktrace: error.stack });
