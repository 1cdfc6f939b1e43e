/**
 * The live side of the Collector: `group-commit.ts` hands every append through
 * here on its way out, and every answer on its way in. While nobody watches,
 * both are left as they are.
 */
import type { AppendRequest, AppendResult } from "../../buffer/contract.ts";
import { MAX_UNWATCHED, MAX_WATCHED, Witnesses } from "./extras.ts";
import { LeaseBook } from "./lease-book.ts";

/** `IngesterRpc.supply` of a shard of a Worker. */
export type Supply = (script: string, shard: number, batchId: string, extras: string) => Promise<void>;

/** The Ingester waits no longer for extras that it asked for: nor does whoever brings them. */
const SUPPLY_TIMEOUT_MS = 300;

interface Clock {
  now(): number;
  after(ms: number, run: () => void): () => void;
}

/** A group on its way, as far as viewers are concerned. */
export interface Shown {
  witnesses: Witnesses;
  /** Made once, however often the append is tried; again for an Ingester that wants items as well. */
  extras?: { text: string; items: boolean };
  /** Its events went into several appends, or only some of them will be kept: then there are no extras. */
  isWhole: boolean;
}

export class Viewers {
  private readonly book = new LeaseBook();
  private complained = false;

  constructor(
    private readonly supply: Supply,
    private readonly clock: Clock,
  ) {}

  /** For a group that begins. */
  witnesses(script: string): Witnesses {
    return new Witnesses(this.book.of(script, this.clock.now()) === undefined ? MAX_UNWATCHED : MAX_WATCHED);
  }

  /** The append as it leaves: with the leases that we know of, and with what they ask for. */
  shown(request: AppendRequest, shown: Shown): AppendRequest {
    const leases = this.book.of(request.script, this.clock.now());
    if (leases === undefined) return request;
    if (request.rows === 0) return { ...request, leases };
    const items = leases.some((lease) => lease.items);
    return { ...request, leases, extras: this.extras(shown, items) };
  }

  /** An Ingester's answer. Resolves when it has the extras that it asked for, or does not want them any more. */
  async heard(request: AppendRequest, answer: AppendResult & { ok: true }, shard: number, shown: Shown): Promise<void> {
    this.book.heard(request, answer);
    if (answer.supply !== true) return;
    const items = answer.leases?.some((lease) => lease.items) === true;
    const supplied = this.supply(request.script, shard, request.batchId, this.extras(shown, items));
    await this.within(SUPPLY_TIMEOUT_MS, supplied);
  }

  /** Nothing about viewers may cost an event. */
  private extras(shown: Shown, items: boolean): string {
    if (!shown.isWhole) return "";
    try {
      if (shown.extras === undefined || (items && !shown.extras.items)) {
        shown.extras = { text: shown.witnesses.extras({ items }), items };
      }
    } catch (error) {
      if (!this.complained) console.error("BUG: what viewers get beside the events could not be made", error);
      this.complained = true;
    }
    return shown.extras?.text ?? "";
  }

  private async within(ms: number, work: Promise<void>): Promise<void> {
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.clock.after(ms, resolve);
    });
    await Promise.race([work.catch(() => {}), late]);
    cancel();
  }
}
