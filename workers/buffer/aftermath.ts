/**
 * What follows from a flush of issues: notifications are passed on, and stacks
 * whose source map is there by now are led to their issue. Apart from the flush,
 * which must not wait for it. Both lie in D1 and may be repeated: what is lost
 * with this object's memory is found again by the next flush of any shard, or by
 * the hourly sweep.
 */
import type { Flushed } from "../errors/issues/apply.ts";
import { publishNotifications } from "../errors/issues/notify.ts";
import { regroupAll } from "../errors/issues/regroup.ts";
import { rootMessage } from "../util/error-message.ts";
import { MAX_KNOWN, MAX_REGROUPS } from "./limits.ts";
import { backoff } from "./sealer.ts";

type AftermathEnv = Pick<Env, "DB" | "BUCKET" | "LIVE">;

interface Mapped {
  script: string;
  versionId: string;
}

export class Aftermath {
  /** ms; undefined when there is nothing to do. */
  dueAt: number | undefined;
  private told = false;
  /** Consecutive runs that left something undone. */
  private failures = 0;
  /** By script and version. */
  private readonly mapped = new Map<string, Mapped>();
  /** Fingerprints that were led to their source, or could not be: not again with every flush. */
  private readonly tried = new Set<string>();
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly env: () => AftermathEnv) {}

  note({ told, mapped }: Pick<Flushed, "told" | "mapped">): void {
    this.told ||= told;
    for (const { fingerprint, script, versionId } of mapped) {
      if (this.tried.has(fingerprint) || this.mapped.size >= MAX_REGROUPS) continue;
      this.tried.add(fingerprint);
      this.mapped.set(`${script}\0${versionId}`, { script, versionId });
    }
    if (this.tried.size > MAX_KNOWN) this.tried.clear();
    if (told) this.dueAt = 0;
    else if (this.mapped.size > 0) this.dueAt ??= 0;
  }

  /** One caller at a time; never throws. */
  run(): Promise<void> {
    this.dueAt = undefined;
    this.running = this.running.then(() => this.work());
    return this.running;
  }

  private async work(): Promise<void> {
    try {
      while (this.told) {
        const { more, published } = await publishNotifications(this.env(), Date.now());
        // Those that are left are claimed by somebody else, who may fail.
        if (more && published === 0) return this.later();
        this.told = more;
      }
      for (const [key, { script, versionId }] of this.mapped) {
        const { failed } = await regroupAll(this.env(), script, versionId, Date.now(), "waiting");
        if (failed === 0) this.mapped.delete(key);
      }
      if (this.mapped.size > 0) return this.later();
      this.failures = 0;
    } catch (error) {
      console.error(`what follows from a flush of issues failed: ${rootMessage(error)}`);
      this.later();
    }
  }

  private later(): void {
    this.failures += 1;
    this.dueAt = Date.now() + backoff(this.failures);
  }
}
