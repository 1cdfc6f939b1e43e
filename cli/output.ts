/** What a command prints: one live line on a terminal, plain lines elsewhere (CI logs). Results go to stdout, all else to stderr. */
import type { Reporter, UploadedMap } from "./maps/upload.ts";

export interface Stream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  on?(event: "drain", listener: () => void): unknown;
  on?(event: "error", listener: (error: Error) => void): unknown;
}

export interface Streams {
  out: Stream;
  err: Stream;
}

/** Redrawing more often is seen by nobody. */
const REDRAW_MS = 80;
const BAR_CHARS = 24;
/** Bytes of one map that a log gets a line for: a line per part. */
const LOG_STEP_BYTES = 8 << 20;

export class Output implements Reporter {
  readonly #streams: Streams;
  readonly #now: () => number;
  #live = "";
  #drawnAt = 0;
  readonly #logged = new Map<string, number>();

  constructor(streams: Streams, now: () => number = Date.now) {
    this.#streams = streams;
    this.#now = now;
  }

  say(text: string): void {
    this.#clear();
    this.#streams.out.write(`${text}\n`);
  }

  note(text: string): void {
    this.#clear();
    this.#streams.err.write(`${text}\n`);
  }

  warn(text: string): void {
    this.note(`warning: ${text}`);
  }

  error(text: string): void {
    this.note(`error: ${text}`);
  }

  problem(file: string, problems: string[]): void {
    this.error(`${file} is no valid source map: ${problems[0]}`);
    for (const more of problems.slice(1)) this.note(`       ${more}`);
  }

  converting(file: string, bytes: number): void {
    if (this.#streams.err.isTTY) this.#redraw(`  reading ${file}, ${size(bytes)}`);
    else if (bytes > LOG_STEP_BYTES) this.note(`  reading ${file}, ${size(bytes)}`);
  }

  progress(file: string, done: number, total: number): void {
    if (this.#streams.err.isTTY) this.#draw(file, done, total);
    else this.#log(file, done, total);
  }

  uploaded(map: UploadedMap): void {
    const what = `${map.file}  ${size(map.bytes)}, ${count(map.sources, "source")}, ${count(map.mappings, "mapping")}`;
    const how =
      map.sent === 0
        ? "in place already"
        : map.found > 0
          ? `uploaded, ${size(map.found)} were there already`
          : "uploaded";
    this.say(`  ${what}: ${how}`);
  }

  #draw(file: string, done: number, total: number): void {
    const now = this.#now();
    if (now - this.#drawnAt < REDRAW_MS && done < total) return;
    this.#drawnAt = now;
    const share = total === 0 ? 1 : done / total;
    const full = Math.round(share * BAR_CHARS);
    const bar = "█".repeat(full) + "░".repeat(BAR_CHARS - full);
    const line = `  ${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${size(done)} of ${size(total)}  ${file}`;
    this.#redraw(line);
  }

  #redraw(line: string): void {
    // A line that wraps could not be taken back.
    this.#live = line.slice(0, Math.max(20, (this.#streams.err.columns ?? 80) - 1));
    this.#streams.err.write(`\r\u001b[2K${this.#live}`);
  }

  #log(file: string, done: number, total: number): void {
    const last = this.#logged.get(file);
    if (
      total <= LOG_STEP_BYTES ||
      done === last ||
      (last !== undefined && done - last < LOG_STEP_BYTES && done < total)
    )
      return;
    this.#logged.set(file, done);
    this.note(`  ${file}  ${size(done)} of ${size(total)}`);
  }

  #clear(): void {
    if (this.#live !== "") this.#streams.err.write("\r\u001b[2K");
    this.#live = "";
  }
}

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export const seconds = (ms: number): string => `${Number((ms / 1000).toFixed(1))} s`;

export const count = (n: number, what: string): string => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
