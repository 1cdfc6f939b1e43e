/**
 * A block of lines on a terminal that is drawn again in its place, and only when
 * it says something else. What is to stay goes above it.
 */
import type { Stream } from "../output.ts";

/** A terminal that does not say how high it is. */
const USUAL_ROWS = 24;

export class Screen {
  readonly #out: Stream;
  #drawn: string[] = [];

  constructor(out: Stream) {
    this.#out = out;
  }

  draw(lines: readonly string[]): void {
    // What has left the screen at the top cannot be drawn again.
    const shown = lines.slice(0, Math.max(1, (this.#out.rows ?? USUAL_ROWS) - 2));
    if (shown.length === this.#drawn.length && shown.every((line, i) => line === this.#drawn[i])) return;
    this.#out.write(this.#back() + shown.map((line) => `\u001b[2K${line}\n`).join("") + CLEAR_BELOW);
    this.#drawn = shown;
  }

  /** A line that stays, above the block. */
  say(line: string): void {
    const block = this.#drawn;
    this.#out.write(`${this.#back()}${CLEAR_BELOW}${line}\n`);
    this.#drawn = [];
    if (block.length > 0) this.draw(block);
  }

  #back(): string {
    return this.#drawn.length === 0 ? "" : `\u001b[${this.#drawn.length}A\r`;
  }
}

const CLEAR_BELOW = "\u001b[J";
