/**
 * An event as JSON, as the API and the live stream show it: core fields by their
 * names, time as ISO text, attributes beside them. Two makers of one shape:
 * `toJson` from cells (`invocation.ts`), and `EventTexts` from a batch, which
 * writes each entry of a dictionary once and puts texts together: `live/` writes
 * hundreds of events a second out of every batch.
 */
import type { EventJson } from "../api/contract.ts";
import { type Column, type ColumnBatch, cell } from "../event/batch.ts";
import { CORE_BY_PHYSICAL, OVERFLOW_COLUMN } from "../event/columns.ts";
import { formatTimeUs } from "./language/time.ts";
import type { Cell } from "./table.ts";

export function toJson(cells: ReadonlyMap<string, Cell>): EventJson {
  const event: Record<string, unknown> = {};
  // No prototype: an attribute may be called `__proto__`.
  const attributes: EventJson["attributes"] = Object.create(null);
  for (const [physical, value] of cells) {
    const core = CORE_BY_PHYSICAL.get(physical);
    if (core !== undefined) event[core.name] = core.type === "time" ? formatTimeUs(Number(value)) : value;
    else if (value !== null) attributes[physical] = value;
  }
  return { ...event, attributes } as EventJson;
}

/** `"name":value` of a row; "" where it has none. */
type Member = (row: number) => string;

export class EventTexts {
  private readonly core: Member[] = [];
  private readonly attributes: Member[] = [];
  private readonly overflow: Column | undefined;

  constructor(batch: ColumnBatch) {
    for (const [physical, column] of batch.columns) {
      const known = CORE_BY_PHYSICAL.get(physical);
      if (known !== undefined) this.core.push(memberOf(known.name, column, known.type === "time"));
      else if (physical !== OVERFLOW_COLUMN) this.attributes.push(memberOf(physical, column, false));
    }
    this.overflow = batch.columns.get(OVERFLOW_COLUMN);
  }

  /** `more`: further fields of the event. */
  text(row: number, more?: Readonly<Record<string, string>>): string {
    let text = "{";
    for (const member of this.core) text += member(row);
    for (const name in more) text += `${JSON.stringify(name)}:${JSON.stringify(more[name])},`;
    let attributes = "";
    for (const member of this.attributes) attributes += member(row);
    const rare = cell(this.overflow, row);
    // An object as JSON; its members go beside the others.
    if (typeof rare === "string" && rare.length > 2) attributes += `${rare.slice(1, -1)},`;
    return `${text}"attributes":{${attributes.slice(0, -1)}}}`;
  }
}

/** Each with a comma behind it. */
function memberOf(name: string, column: Column, isTime: boolean): Member {
  const key = `${JSON.stringify(name)}:`;
  if (column.type === "string") {
    const { dict, index } = column;
    const texts: string[] = [];
    return (row) => {
      const at = index[row] as number;
      if (at < 0) return "";
      const known = texts[at];
      if (known !== undefined) return known;
      const made = `${key}${JSON.stringify(dict[at])},`;
      texts[at] = made;
      return made;
    };
  }
  const { data, type } = column;
  const shown = isTime
    ? (value: number) => `"${formatTimeUs(value)}"`
    : type === "boolean"
      ? (value: number) => (value === 1 ? "true" : "false")
      : (value: number) => (Number.isFinite(value) ? String(value) : "null");
  let last = Number.NaN;
  let text = "";
  return (row) => {
    const value = data[row] as number;
    if (value === last) return text;
    if (Number.isNaN(value)) return "";
    last = value;
    text = `${key}${shown(value)},`;
    return text;
  };
}
