/**
 * stdout, as what may be slow or gone: tells when it is full and when it has
 * room again, so that no more is read than can be written, and when nobody
 * reads it any more (`| head`).
 */
import type { Stream } from "../output.ts";

export interface SinkListener {
  full(): void;
  free(): void;
  /** Nobody reads any more. */
  gone(): void;
  /** It cannot be written (a full disk). */
  broken(error: Error): void;
}

export class Sink {
  readonly #stream: Stream;
  readonly #listener: SinkListener;
  #isFull = false;
  #isOver = false;

  constructor(stream: Stream, listener: SinkListener) {
    this.#stream = stream;
    this.#listener = listener;
    stream.on?.("drain", () => {
      if (!this.#isFull) return;
      this.#isFull = false;
      listener.free();
    });
    stream.on?.("error", (error) => this.#ended(error));
  }

  write(text: string): void {
    if (this.#isOver) return;
    if (this.#stream.write(text) !== false || this.#isFull) return;
    this.#isFull = true;
    this.#listener.full();
  }

  #ended(error: NodeJS.ErrnoException): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED") this.#listener.gone();
    else this.#listener.broken(error);
  }
}
