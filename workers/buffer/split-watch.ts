/**
 * Notices that a Worker's traffic may be split between versions: one is new
 * here, or active again, while another was active lately. The Worker's guard is
 * told (`rollouts/`), which looks whether somebody deployed two and watches them.
 * A Worker with one version costs nothing but a look-up per append, and appends
 * wait for none of this.
 */
import type { AppendRequest } from "./contract.ts";
import { MAX_ACTIVE_VERSIONS, TELL_AGAIN_MS, TOGETHER_MS, VERSION_PAUSE_MS } from "./limits.ts";

/** `againAfterMs`: it does not want to hear of versions for so long; nothing is connected, say. */
export type Tell = (version: string) => Promise<{ againAfterMs: number }>;

export class SplitWatch {
  /** Version → when it was seen last, ms; in order of first sight. */
  private readonly active = new Map<string, number>();
  private quietUntil = 0;
  private toldAt = Number.NEGATIVE_INFINITY;
  private isTelling = false;

  constructor(private readonly tell: Tell) {}

  see({ rollups }: Pick<AppendRequest, "rollups">, now: number): void {
    for (const { version_id: version } of rollups) {
      if (version === "") continue;
      const last = this.active.get(version);
      this.active.set(version, now);
      if (this.active.size === 1) continue;
      const isBack = last === undefined || now - last >= VERSION_PAUSE_MS;
      if ((isBack || now - this.toldAt >= TELL_AGAIN_MS) && this.hasCompany(version, now)) this.note(version, now);
      if (last === undefined) this.bound();
    }
  }

  private hasCompany(version: string, now: number): boolean {
    for (const [other, at] of this.active) if (other !== version && now - at < TOGETHER_MS) return true;
    return false;
  }

  private note(version: string, now: number): void {
    if (this.isTelling || now < this.quietUntil) return;
    this.isTelling = true;
    this.toldAt = now;
    this.tell(version)
      .then(({ againAfterMs }) => {
        this.quietUntil = now + againAfterMs;
      })
      // It is told again by the next news, or in some minutes.
      .catch(() => undefined)
      .finally(() => {
        this.isTelling = false;
      });
  }

  private bound(): void {
    for (const version of this.active.keys()) {
      if (this.active.size <= MAX_ACTIVE_VERSIONS) return;
      this.active.delete(version);
    }
  }
}
