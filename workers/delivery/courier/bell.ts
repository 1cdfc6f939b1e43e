/** Wakes one who waits; a ring that nobody waited for is not lost. */
export class Bell {
  private hasRung = false;
  private waiting: (() => void) | undefined;

  ring(): void {
    this.hasRung = true;
    this.waiting?.();
    this.waiting = undefined;
  }

  async rung(): Promise<void> {
    if (!this.hasRung) {
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    }
    this.hasRung = false;
  }
}
