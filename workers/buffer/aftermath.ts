/**
 * What follows from a flush of issues: notifications are passed on, and stacks
 * whose source map is there by now are led to their issue. Neither waits for the
 * other, nor the flush for them. Both lie in D1 and may be repeated: what is lost
 * with this object's memory is found again by the next flush of any shard, or by
 * the hourly sweep.
 */
import type { Flushed } from "../errors/issues/apply.ts";
import { publishNotifications } from "../errors/issues/notify.ts";
import { regroupAll } from "../errors/issues/regroup.ts";
import { Chore } from "./chore.ts";
import { MAX_KNOWN, MAX_REGROUPS } from "./limits.ts";

type AftermathEnv = Pick<Env, "DB" | "BUCKET" | "LIVE" | "DELIVERY" | "COUNTERS">;

interface Mapped {
  script: string;
  versionId: string;
}

export class Aftermath {
  private readonly telling = new Chore("passing notifications on", () => this.tell());
  private readonly regrouping = new Chore("regrouping", () => this.regroup());
  private readonly chores = [this.telling, this.regrouping];
  /** By script and version. */
  private readonly mapped = new Map<string, Mapped>();
  /** Fingerprints that were led to their source, or could not be: not again with every flush. */
  private readonly tried = new Set<string>();

  constructor(private readonly env: () => AftermathEnv) {}

  /** ms; undefined when there is nothing to do. */
  get dueAt(): number | undefined {
    const wanted = this.chores.map((chore) => chore.dueAt).filter((at) => at !== undefined);
    return wanted.length === 0 ? undefined : Math.min(...wanted);
  }

  note({ told, mapped }: Pick<Flushed, "told" | "mapped">): void {
    // At once, whatever failed before: it has seconds to arrive.
    if (told) this.telling.dueAt = 0;
    for (const { fingerprint, script, versionId } of mapped) {
      if (this.tried.has(fingerprint) || this.mapped.size >= MAX_REGROUPS) continue;
      this.tried.add(fingerprint);
      this.mapped.set(`${script}\0${versionId}`, { script, versionId });
      this.regrouping.dueAt ??= 0;
    }
    if (this.tried.size > MAX_KNOWN) this.tried.clear();
  }

  /** Does what is due; never throws. */
  async run(): Promise<void> {
    const now = Date.now();
    const due = this.chores.filter(({ dueAt }) => dueAt !== undefined && dueAt <= now);
    await Promise.all(due.map((chore) => chore.run()));
  }

  private async tell(): Promise<boolean> {
    for (;;) {
      const { more, published } = await publishNotifications(this.env(), Date.now());
      if (!more) return true;
      // Those that are left are claimed by somebody else, who may fail.
      if (published === 0) return false;
    }
  }

  private async regroup(): Promise<boolean> {
    for (const [key, { script, versionId }] of this.mapped) {
      const { failed } = await regroupAll(this.env(), script, versionId, Date.now(), "waiting");
      if (failed === 0) this.mapped.delete(key);
    }
    return this.mapped.size === 0;
  }
}
