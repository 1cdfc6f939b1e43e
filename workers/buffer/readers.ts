/**
 * Who reads the log gives way to who writes it: while appends come thick, a
 * reader is put off, for a minute at most. It counts what all Ingesters of the
 * isolate take in, since they share its one thread, with Couriers among others.
 */
import { GIVE_WAY_MS, GIVE_WAY_USE, MAX_PUT_OFF } from "./limits.ts";
import { Pace } from "./pressure.ts";

/** Of the isolate. */
const everything = new Pace();

export class Readers {
  private readonly own = new Pace();
  /** Since when each is put off, ms. */
  private readonly waiting = new Map<string, number>();

  appended(now: number, rows: number, bytes: number): void {
    this.own.add(now, rows, bytes);
    everything.add(now, rows, bytes);
  }

  /** 0 to 1 and beyond. */
  use(now: number): number {
    return Math.max(this.own.use(now), everything.use(now));
  }

  /** Whether it is to come again later. */
  putsOff(reader: string, now: number): boolean {
    if (this.use(now) <= GIVE_WAY_USE) {
      this.waiting.clear();
      return false;
    }
    const since = this.waiting.get(reader);
    if (since !== undefined) return now - since < GIVE_WAY_MS;
    if (this.waiting.size >= MAX_PUT_OFF) return false;
    this.waiting.set(reader, now);
    return true;
  }
}
