/**
 * Fills a batch, column by column, while the Collector makes events, and encodes
 * it once per group commit (`batch-wire.ts` has the form). Every event of every
 * observed Worker passes through here, so it is written for speed.
 */
import {
  BATCH_VERSION,
  packSmall,
  SMALL_NUMBERS,
  type SmallNumbers,
  type WireBatch,
  type WireNumber,
  type WireString,
} from "./batch-wire.ts";
import { attributeColumn, CORE_COLUMNS, type ColumnType, type CoreColumn, OVERFLOW_COLUMN } from "./columns.ts";
import {
  type AttributeList,
  type AttributeValue,
  INVOCATION_FIELDS,
  type InvocationFields,
  KINDS,
  type Kind,
  listAttributes,
  type OwnFields,
  type TailraceEvent,
} from "./event.ts";

/**
 * Attributes with a column of their own. A decoded column has a place for every
 * row, so a Worker that makes names out of ids would cost memory without end:
 * further names of a row share one JSON object in OVERFLOW_COLUMN, as in segments.
 */
export const MAX_BATCH_ATTRIBUTES = 500;

/** When the first values of a column were all different, later ones are taken to be new too: ids need no dictionary. */
const UNIQUE_AFTER = 64;

/** One column while it is being filled. Only positions that have a value are recorded, in ascending order. */
class Cells {
  type: ColumnType;
  /** Positions of the values; null as long as there is one for every position. */
  at: number[] | null = null;
  /** Dictionary positions for strings, else the values. */
  values: number[] = [];
  readonly strings: string[] = [];
  /** Where each string stands; made when there is a second one. */
  private dict: Map<string, number> | null = null;
  private repeats = 0;
  private unique = false;
  /** Most values equal the one before: comparing is cheaper than hashing. */
  private lastText = "";
  private lastIndex = -1;

  constructor(type: ColumnType) {
    this.type = type;
  }

  /** Returns about how many bytes the encoded batch has grown by. */
  add(position: number, value: AttributeValue | undefined | null): number {
    if (value === undefined || value === null) return 0;
    if (typeof value === "string") {
      if (this.type !== "string") this.widen();
      return this.addText(position, value);
    }
    if (this.type === "string") return this.addText(position, String(value));
    if ((typeof value === "boolean") !== (this.type === "boolean")) {
      this.widen();
      return this.addText(position, String(value));
    }
    this.place(position);
    this.values.push(Number(value));
    return 8;
  }

  /** The last position that has a value. */
  get last(): number {
    return this.at === null ? this.values.length - 1 : (this.at[this.at.length - 1] as number);
  }

  private addText(position: number, value: string): number {
    this.place(position);
    if (this.lastIndex >= 0 && value === this.lastText) {
      this.values.push(this.lastIndex);
      return 3;
    }
    const before = this.strings.length;
    this.lastIndex = this.intern(value);
    this.lastText = value;
    this.values.push(this.lastIndex);
    return this.strings.length > before ? value.length + 6 : 3;
  }

  private intern(value: string): number {
    const { strings } = this;
    if (this.unique) return strings.push(value) - 1;
    if (this.dict === null) {
      if (strings.length === 0) return strings.push(value) - 1;
      if (strings[0] === value) return 0;
      this.dict = new Map([[strings[0] as string, 0]]);
    }
    const known = this.dict.get(value);
    if (known !== undefined) {
      this.repeats++;
      return known;
    }
    const at = strings.push(value) - 1;
    this.dict.set(value, at);
    if (at + 1 === UNIQUE_AFTER && this.repeats === 0) {
      this.unique = true;
      this.dict = null;
    }
    return at;
  }

  private place(position: number): void {
    if (this.at === null) {
      if (this.values.length === position) return;
      this.at = Array.from(this.values.keys());
    }
    this.at.push(position);
  }

  /** Values of two types in one column: all become strings. */
  private widen(): void {
    const asText = this.type === "boolean" ? (v: number) => (v ? "true" : "false") : String;
    this.values = this.values.map((v) => this.intern(asText(v)));
    this.type = "string";
  }
}

/** Attributes of the last event of a kind: mostly the next one has the same in the same order, and need not look them up. */
interface Before {
  names: string[];
  cells: Cells[];
}
const newBefore = (): Before => ({ names: [], cells: [] });

type CellsOf<Fields> = { [Name in keyof Required<Fields>]: Cells };

function cellsOf(columns: readonly CoreColumn[]): Record<string, Cells> {
  return Object.fromEntries(columns.map((c) => [c.name, new Cells(c.type)]));
}

const SHARED = CORE_COLUMNS.filter((c) => (INVOCATION_FIELDS as readonly string[]).includes(c.name));
const OWN = CORE_COLUMNS.filter((c) => !SHARED.includes(c));

export class BatchBuilder {
  rows = 0;
  minTime = Number.POSITIVE_INFINITY;
  maxTime = Number.NEGATIVE_INFINITY;
  /** Rough size of the encoded batch in bytes; bounds group commits. */
  bytes = 0;
  private readonly shared = cellsOf(SHARED) as CellsOf<InvocationFields>;
  private readonly own = cellsOf(OWN) as CellsOf<Omit<OwnFields, "attributes">>;
  private readonly attributes = new Map<string, Cells>();
  private readonly overflow = new Cells("string");
  private readonly before = Object.fromEntries(KINDS.map((kind) => [kind, newBefore()])) as Record<Kind, Before>;
  /** Rows of each invocation. */
  private readonly groups: number[] = [];

  /** Attribute columns so far. */
  get width(): number {
    return this.attributes.size;
  }

  push(event: TailraceEvent): void {
    const { attributes, ...own } = event;
    this.pushInvocation(event, [attributes === undefined ? own : { ...own, attributes: listAttributes(attributes) }]);
  }

  /** All events of one invocation: what they share is stored once. */
  pushInvocation(shared: InvocationFields, events: readonly OwnFields[]): void {
    if (events.length === 0) return;
    this.pushShared(shared, this.groups.length);
    this.groups.push(events.length);
    for (let i = 0; i < events.length; i++) this.pushOwn(events[i] as OwnFields, this.rows++);
  }

  // Field by field, not in a loop over names: the runtime makes each of these a load at a fixed offset.
  private pushShared(f: InvocationFields, group: number): void {
    const c = this.shared;
    this.bytes +=
      c.script.add(group, f.script) +
      c.invocation_id.add(group, f.invocation_id) +
      c.sample_weight.add(group, f.sample_weight) +
      c.entrypoint.add(group, f.entrypoint) +
      c.version_id.add(group, f.version_id) +
      c.version_tag.add(group, f.version_tag) +
      c.version_message.add(group, f.version_message) +
      c.event_type.add(group, f.event_type) +
      c.outcome.add(group, f.outcome) +
      c.trace_id.add(group, f.trace_id) +
      c.ray_id.add(group, f.ray_id) +
      c.method.add(group, f.method) +
      c.route.add(group, f.route) +
      c.status.add(group, f.status) +
      c.colo.add(group, f.colo) +
      c.country.add(group, f.country) +
      c.durable_object_id.add(group, f.durable_object_id);
  }

  private pushOwn(e: OwnFields, row: number): void {
    if (e.time < this.minTime) this.minTime = e.time;
    if (e.time > this.maxTime) this.maxTime = e.time;
    const c = this.own;
    this.bytes +=
      c.time.add(row, e.time) +
      c.kind.add(row, e.kind) +
      c.seq.add(row, e.seq) +
      c.level.add(row, e.level) +
      c.message.add(row, e.message) +
      c.name.add(row, e.name) +
      c.span_id.add(row, e.span_id) +
      c.parent_span_id.add(row, e.parent_span_id) +
      c.duration.add(row, e.duration) +
      c.cpu_time.add(row, e.cpu_time) +
      c.fingerprint.add(row, e.fingerprint) +
      c.stack.add(row, e.stack);
    if (e.attributes !== undefined) this.pushAttributes(e.attributes, row, this.before[e.kind]);
  }

  private pushAttributes({ names, values }: AttributeList, row: number, before: Before): void {
    let rest: Record<string, AttributeValue> | undefined;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      const value = values[i];
      if (value === undefined || value === null) continue;
      let cells = before.names[i] === name ? before.cells[i] : this.attributes.get(name);
      if (cells === undefined) {
        if (this.attributes.size >= MAX_BATCH_ATTRIBUTES) {
          rest ??= Object.create(null) as Record<string, AttributeValue>;
          rest[attributeColumn(name)] ??= value;
          continue;
        }
        cells = new Cells(typeof value as ColumnType);
        this.attributes.set(name, cells);
        this.bytes += name.length + 16;
      } else if (cells.last === row) continue;
      before.names[i] = name;
      before.cells[i] = cells;
      this.bytes += cells.add(row, value);
    }
    if (rest !== undefined) this.bytes += this.overflow.add(row, JSON.stringify(rest));
  }

  encode(): string {
    // No prototype: an attribute may be called `__proto__`.
    const wire: WireBatch = { v: BATCH_VERSION, n: this.rows, c: Object.create(null) };
    const grouped = this.groups.length < this.rows;
    if (grouped) wire.g = this.groups;
    const lists = new PositionLists();
    for (const { name, physical } of SHARED) {
      const cells = this.shared[name as keyof InvocationFields];
      if (cells.values.length === 0) continue;
      const column = toWire(cells, this.groups.length, lists);
      if (grouped) column.p = 1;
      wire.c[physical] = column;
    }
    for (const { name, physical } of OWN) {
      const cells = this.own[name as Exclude<keyof OwnFields, "attributes">];
      if (cells.values.length > 0) wire.c[physical] = toWire(cells, this.rows, lists);
    }
    for (const [key, cells] of this.attributes) wire.c[attributeColumn(key)] = toWire(cells, this.rows, lists);
    if (this.overflow.values.length > 0) wire.c[OVERFLOW_COLUMN] = toWire(this.overflow, this.rows, lists);
    if (lists.known.length > 0) wire.r = lists.known.map(stepsToWire);
    return JSON.stringify(wire);
  }
}

/** Lists of positions compared with: columns that come together follow each other. */
const MAX_COMPARED = 4;

/** The lists of a batch, each once. */
class PositionLists {
  readonly known: number[][] = [];

  of(positions: number[]): number {
    const { known } = this;
    for (let n = known.length - 1; n >= 0 && n >= known.length - MAX_COMPARED; n--) {
      if (isSame(known[n] as number[], positions)) return n;
    }
    return known.push(positions) - 1;
  }
}

function isSame(a: number[], b: number[]): boolean {
  if (a.length !== b.length) return false;
  // From the end: lists that differ somewhere mostly have different ends.
  for (let k = a.length - 1; k >= 0; k--) if (a[k] !== b[k]) return false;
  return true;
}

function stepsToWire(positions: number[]): number[] | SmallNumbers {
  let last = -1;
  let small = true;
  const steps = positions.map((at) => {
    const step = at - last;
    last = at;
    if (step >= SMALL_NUMBERS) small = false;
    return step;
  });
  return small ? packSmall(steps) : steps;
}

function toWire(cells: Cells, positions: number, lists: PositionLists): WireString | WireNumber {
  const wire = cells.type === "string" ? stringsToWire(cells) : numbersToWire(cells);
  if (cells.values.length < positions) wire.r = lists.of(cells.at ?? Array.from(cells.values.keys()));
  return wire;
}

function stringsToWire({ strings, values }: Cells): WireString {
  // Entries are numbered as they come: as many of them as values means 0, 1, 2 …
  const implied = strings.length === 1 || (strings.length === values.length && isIdentity(values));
  if (implied) return { t: "s", d: strings };
  return { t: "s", d: strings, i: strings.length <= SMALL_NUMBERS ? packSmall(values) : values };
}

/** Widening may leave the dictionary in another order than the values. */
function isIdentity(values: number[]): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== i) return false;
  return true;
}

function numbersToWire({ type, values }: Cells): WireNumber {
  const first = values[0] as number;
  if (type === "time") {
    const steps = values.map((v) => v - first);
    if (!steps.every((v) => v % US_PER_MS === 0)) return { t: "t", o: first, x: steps };
    return { t: "t", o: first, m: US_PER_MS, x: steps.map((v) => v / US_PER_MS) };
  }
  const t = type === "number" ? "n" : "b";
  if (values.every((v) => Object.is(v, first))) return { t, x: [first] };
  if (values.every((v) => v >= 0 && v < SMALL_NUMBERS && Number.isInteger(v))) return { t, x: packSmall(values) };
  const whole = thousandths(values);
  return whole === null ? { t, x: values } : { t, s: 1000, x: whole };
}

/** What platforms report has whole milliseconds. */
const US_PER_MS = 1000;

/** Of values of which some have a fraction, none of more than three digits: durations, prices. Null if that would not be exact. */
function thousandths(values: number[]): number[] | null {
  const whole = values.map((v) => Math.round(v * 1000));
  let fractions = false;
  for (let i = 0; i < whole.length; i++) {
    const value = values[i] as number;
    if ((whole[i] as number) / 1000 !== value) return null;
    if (!Number.isInteger(value)) fractions = true;
  }
  return fractions ? whole : null;
}
