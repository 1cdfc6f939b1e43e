/**
 * Versions that this Ingester meets for the first time, from the rollups of
 * appends: the flush of issues registers them. What is lost with the object's
 * memory is registered by the seal, though only to the minute.
 */
import type { SeenVersion } from "../errors/issues/versions.ts";
import type { AppendRequest } from "./contract.ts";
import { MAX_KNOWN } from "./limits.ts";

const MINUTE_MS = 60_000;

export class VersionWatch {
  private readonly known = new Set<string>();
  private readonly waiting = new Map<string, SeenVersion>();

  get news(): SeenVersion[] {
    return [...this.waiting.values()];
  }

  /** True when the append has a version that is new here. */
  see(request: AppendRequest, now: number): boolean {
    let news = false;
    for (const { script, version_id: id, version_tag: tag, version_message: message, minute } of request.rollups) {
      const key = `${script}\0${id}`;
      if (id === "" || this.known.has(key)) continue;
      // The rollup knows the minute; within it, when it arrived is later than it happened only by a moment.
      const at = Math.min(Math.max(now, minute * 1000), minute * 1000 + MINUTE_MS - 1);
      const waiting = this.waiting.get(key);
      const first = Math.min(waiting?.first ?? at, at);
      this.waiting.set(key, { script, id, tag, message, first, last: Math.max(waiting?.last ?? at, at) });
      news = true;
    }
    return news;
  }

  registered(versions: readonly SeenVersion[]): void {
    for (const seen of versions) {
      const key = `${seen.script}\0${seen.id}`;
      // What came earlier, but arrived meanwhile, is registered by the next flush.
      if (this.waiting.get(key)?.first === seen.first) this.waiting.delete(key);
      this.known.add(key);
    }
    if (this.known.size > MAX_KNOWN) this.known.clear();
  }
}
