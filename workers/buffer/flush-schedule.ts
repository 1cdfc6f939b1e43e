/**
 * When issue deltas are flushed: soon for what may be new or a regression, which
 * somebody is to be told within 5 s; seldom for what keeps failing, since every
 * flush costs D1 some six rows per fingerprint. Pure.
 */
import { FLUSH_KNOWN_MS, FLUSH_NEWS_MS, KNOWN_FOR_MS, MAX_KNOWN } from "./limits.ts";

interface Occurred {
  fingerprint: string;
  versionId: string;
}

export class FlushSchedule {
  /** ms; undefined when nothing waits. */
  dueAt: number | undefined;
  private flushedAt = 0;
  /** Fingerprint and version → when they were flushed last, oldest first. */
  private readonly known = new Map<string, number>();

  note(occurred: readonly Occurred[], now: number): void {
    // Nothing can make it earlier: a busy Worker need not look up a hundred fingerprints with every append.
    if (this.dueAt !== undefined && this.dueAt <= now + FLUSH_NEWS_MS) return;
    const isNew = occurred.some((o) => now - (this.known.get(keyOf(o)) ?? 0) > KNOWN_FOR_MS);
    if (isNew) this.news(now);
    else this.by(Math.max(this.flushedAt + FLUSH_KNOWN_MS, now + FLUSH_NEWS_MS));
  }

  news(now: number): void {
    this.by(now + FLUSH_NEWS_MS);
  }

  flushed(occurred: readonly { fingerprint: string; version: { id: string } }[], now: number): void {
    this.flushedAt = now;
    for (const { fingerprint, version } of occurred) {
      const key = keyOf({ fingerprint, versionId: version.id });
      this.known.delete(key);
      this.known.set(key, now);
    }
    for (const key of this.known.keys()) {
      if (this.known.size <= MAX_KNOWN) break;
      this.known.delete(key);
    }
  }

  /** Nothing waits any more. */
  done(): void {
    this.dueAt = undefined;
  }

  private by(due: number): void {
    this.dueAt = Math.min(this.dueAt ?? due, due);
  }
}

function keyOf({ fingerprint, versionId }: Occurred): string {
  return `${fingerprint}\0${versionId}`;
}
