/**
 * Events as lines for people. The first event of an invocation says where it
 * belongs (time, Worker, version); those that follow stand indented under it:
 *
 *   04:33:20.206 shop-storefront v1.5.0  GET /api/products/7  exception  500  84 ms  EWR
 *   04:33:20.209   info   looked up  user.id=u-2140
 *   04:33:20.221   error  TypeError: Cannot read properties of null  issue #2
 *                           at price (src/price.ts:12:3)
 *
 * Long texts are shortened unless `full`: the store has them whole.
 */
import type { EventJson } from "../../../workers/api/contract.ts";
import { attributesText } from "./attributes.ts";
import { CODES, coloured, type Paint, plain, VersionColours } from "./colour.ts";
import * as facts from "./facts.ts";
import { messageLines, stackLines } from "./long-text.ts";

export interface LineOptions {
  colour: boolean;
  full: boolean;
  ids: boolean;
  /** Of the terminal; asked for each time, since it can be resized. */
  columns: () => number | undefined;
}

/** Where there is no terminal to say. */
const DEFAULT_COLUMNS = 160;
const GAP = "  ";
/** Of further lines: under the text of a line that follows its invocation. */
const INDENT = " ".repeat(facts.TIME_CHARS + " ".length + GAP.length + "error".length + GAP.length);

export class EventLines {
  readonly #options: LineOptions;
  readonly #paint: Paint;
  readonly #versions = new VersionColours();
  /** Columns grow to the widest that was seen. */
  #workerChars = 0;
  #versionChars = 0;
  #invocation: string | undefined;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#paint = options.colour ? coloured : plain;
  }

  /** With a newline after each line. */
  format(event: EventJson): string {
    const follows = event.invocation_id === this.#invocation && event.kind !== "invocation";
    this.#invocation = event.invocation_id;
    const time = `${this.#painted(facts.time(event))} `;
    const place = follows ? GAP : `${this.#place(event)} `;
    const placeChars = follows ? GAP.length : this.#workerChars + this.#versionChars + 2;
    const room = (this.#options.columns() ?? DEFAULT_COLUMNS) - facts.TIME_CHARS - 1 - placeChars;
    const lines =
      event.kind === "invocation" ? this.#invocationLines(event, room) : this.#textLines(event, room, follows);
    return `${time}${place}${lines.join("\n")}\n`;
  }

  /** Something else was printed: what comes next says again where it belongs. */
  interrupted(): void {
    this.#invocation = undefined;
  }

  #place(event: EventJson): string {
    const worker = facts.worker(event);
    const version = facts.version(event);
    this.#workerChars = Math.max(this.#workerChars, worker.text.length);
    this.#versionChars = Math.max(this.#versionChars, version.text.length);
    const padding = " ".repeat(this.#versionChars - version.text.length);
    const painted = this.#paint(this.#versions.of(event.script, String(event.version_id ?? "")), version.text);
    return `${worker.text.padEnd(this.#workerChars)} ${painted}${padding}`;
  }

  #invocationLines(event: EventJson, room: number): string[] {
    const parts = [facts.request(event), ...facts.result(event), facts.duration(event), facts.colo(event)];
    return [this.#line([...parts, this.#attributes(event, room, parts), this.#id(event)])];
  }

  #textLines(event: EventJson, room: number, follows: boolean): string[] {
    const { full } = this.#options;
    const style = facts.messageStyle(event);
    const [first = "", ...more] = messageLines(event, full);
    const head: facts.Part[] = [facts.level(event), { text: first, style }, facts.issue(event)];
    if (event.kind === "span") head.push(facts.duration(event));
    const end = follows ? [] : [facts.context(event), this.#id(event)];
    const line = this.#line([...head, this.#attributes(event, room, [...head, ...end]), ...end]);
    const rest = more.map((text) => INDENT + this.#painted({ text, style }));
    const stack = stackLines(event, full).map((text) => INDENT + GAP + this.#painted({ text, style: "dim" }));
    return [line, ...rest, ...stack];
  }

  /** In what the others leave of the line. */
  #attributes(event: EventJson, room: number, others: readonly facts.Part[]): facts.Part {
    const used = others.reduce((n, { text }) => n + (text === "" ? 0 : text.length + GAP.length), 0);
    return { text: attributesText(event, { full: this.#options.full, chars: room - used }), style: "dim" };
  }

  #id(event: EventJson): facts.Part {
    return this.#options.ids ? facts.id(event) : { text: "" };
  }

  #line(parts: readonly facts.Part[]): string {
    return parts
      .filter(({ text }) => text !== "")
      .map((part) => this.#painted(part))
      .join(GAP);
  }

  #painted({ text, style }: facts.Part): string {
    return style === undefined ? text : this.#paint(CODES[style], text);
  }
}
