/** Work in the background of a Durable Object: one run at a time, and what is left undone is tried again, later and later. */
import { rootMessage } from "../util/error-message.ts";
import { backoff } from "./sealer.ts";

export class Chore {
  /** ms; undefined when there is nothing to do. Who wants it done sets it. */
  dueAt: number | undefined;
  private failures = 0;
  private running: Promise<void> = Promise.resolve();

  /** `work` says whether all is done. */
  constructor(
    private readonly name: string,
    private readonly work: () => Promise<boolean>,
  ) {}

  /** Never throws. */
  run(): Promise<void> {
    this.dueAt = undefined;
    this.running = this.running.then(() => this.once());
    return this.running;
  }

  private async once(): Promise<void> {
    try {
      if (await this.work()) {
        this.failures = 0;
        return;
      }
    } catch (error) {
      console.error(`${this.name} failed: ${rootMessage(error)}`);
    }
    this.failures += 1;
    this.dueAt = Date.now() + backoff(this.failures);
  }
}
