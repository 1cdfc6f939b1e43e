/** Readers as Couriers are: they hold a position, and what they delivered. */
import { env } from "cloudflare:workers";
import type { DestinationRules } from "../../../../workers/api/contract/integrations.ts";
import type { Page, Position } from "../../../../workers/delivery/contract.ts";
import { readShard } from "../../../../workers/delivery/source/read.ts";
import type { TailraceEvent } from "../../../../workers/event/event.ts";
import type { Invocation } from "../../../../workers/integrations/contract.ts";
import { invocation } from "../../buffer/support.ts";

export class Reader {
  position: Position = { through: 0, offset: 0 };
  readonly delivered: Invocation[] = [];
  lost = 0;

  constructor(
    readonly script: string,
    readonly errorsOnly = false,
    private readonly shard = script,
  ) {}

  read(bounds: { maxBytes?: number; maxRows?: number } = {}): Promise<Page> {
    const { script, shard, position, errorsOnly } = this;
    return readShard(env, {
      ...{ shard, script, reader: "reader", position, errorsOnly },
      maxBytes: bounds.maxBytes ?? 1_000_000,
      maxRows: bounds.maxRows ?? 10_000,
    });
  }

  /** Delivers what a page holds, and commits the first `count` of it; all, unless told otherwise. */
  async step(bounds: { maxBytes?: number; maxRows?: number } = {}, count?: number): Promise<Page> {
    const page = await this.read(bounds);
    const n = Math.min(count ?? page.invocations.length, page.invocations.length);
    this.delivered.push(...page.invocations.slice(0, n));
    this.position = page.after(n);
    this.lost += page.lost;
    return page;
  }

  /** Until there is nothing. */
  async drain(bounds: { maxBytes?: number; maxRows?: number } = {}): Promise<void> {
    for (let n = 0; n < 2_000; n++) {
      const page = await this.step(bounds);
      if (!page.more && page.invocations.length === 0) return;
    }
    throw new Error("a reader that comes to no end");
  }

  get ids(): string[] {
    return this.delivered.map(({ id }) => id);
  }
}

/** The invocation's own event, and `logs` of it; with `failed` an exception as well. */
export function invoked(
  script: string,
  time: number,
  { logs = 0, failed = false, logsAfter = 1_000 } = {},
): TailraceEvent[] {
  const own = invocation(script, time, failed ? { outcome: "exception", status: 500 } : {});
  const { invocation_id, outcome, status } = own;
  const shared = { ...own, ...(outcome === undefined ? {} : { outcome }), ...(status === undefined ? {} : { status }) };
  const { duration: _d, cpu_time: _c, ...context } = shared;
  const more = Array.from({ length: logs }, (_, n): TailraceEvent => {
    const text = { kind: "log" as const, level: "log", message: `line ${n} of ${invocation_id}` };
    return { ...context, ...text, seq: n + 1, time: time + (n + 1) * logsAfter, attributes: { n } };
  });
  if (!failed) return [own, ...more];
  const exception = { kind: "exception" as const, level: "error", name: "TypeError", message: "x is not a function" };
  return [own, ...more, { ...context, ...exception, seq: logs + 1, time: time + (logs + 1) * logsAfter }];
}

const RULES: DestinationRules = {
  ...{ workers: [], exceptWorkers: [], versions: [], feeds: ["errors", "logs", "traces"], minLevel: "debug" },
  ...{ notices: [], sampling: [], otherwise: 1, perMinute: null, tags: {} },
};

/** A destination that is paused: what is sealed is kept for it, and nobody is nudged. */
export async function addDestination(
  id: string,
  more: { state?: string; rules?: Partial<DestinationRules>; createdAt?: number } = {},
) {
  const rules = { ...RULES, ...more.rules };
  await env.DB.prepare(
    `INSERT INTO destinations (id, integration, name, state, rules, field_values, sealed, revision, created_at, created_by, updated_at)
      VALUES (?, 'otlp', ?, ?, ?, '{}', '{}', 1, ?, 'test', 0)`,
  )
    .bind(id, id, more.state ?? "paused", JSON.stringify(rules), more.createdAt ?? 0)
    .run();
}

export const removeDestination = (id: string) => env.DB.prepare("DELETE FROM destinations WHERE id = ?").bind(id).run();
