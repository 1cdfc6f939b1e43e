/**
 * The platform with every priced operation counted: calls to Durable Objects,
 * rows that they write, rows that D1 writes, R2 puts. `GET /__counts` tells,
 * and starts again from zero.
 */
import worker, { Ingester as RealIngester } from "../../workers/index.ts";

export { Counters, Courier, LiveHub, RolloutGuard } from "../../workers/index.ts";

const ZERO = { doRequests: 0, doRows: 0, alarms: 0, d1Rows: 0, r2Puts: 0, tailCalls: 0, tailItems: 0 };
/** One isolate runs the Worker and its Durable Objects, so this sees both. */
let counts = { ...ZERO };

/** Calls `after[method]` with what that method of `target` answered. */
function watch<T extends object>(target: T, after: Record<string, (answer: unknown) => unknown>): T {
  return new Proxy(target, {
    get(real, property) {
      const value = Reflect.get(real, property) as unknown;
      const watcher = after[String(property)];
      // A method of a stub is itself a proxy that must be called on the stub.
      if (watcher === undefined) return typeof value === "function" ? value.bind(real) : value;
      return (...args: unknown[]) => {
        const answer = (real as Record<string | symbol, (...args: unknown[]) => unknown>)[property]?.(...args);
        return answer instanceof Promise ? answer.then(watcher) : watcher(answer);
      };
    },
  });
}

function countD1(results: unknown): unknown {
  for (const { meta } of results as D1Result[]) counts.d1Rows += meta.rows_written;
  return results;
}

function countCalls(stub: unknown): unknown {
  const count = (answer: unknown) => {
    counts.doRequests++;
    return answer;
  };
  return watch(stub as object, { append: count, unsealed: count, unsealedRollups: count, seal: count, status: count });
}

function countPut(answer: unknown): unknown {
  counts.r2Puts++;
  return answer;
}

function countedEnv(env: Env): Env {
  return {
    ...env,
    BUCKET: watch(env.BUCKET, { put: countPut }),
    DB: watch(env.DB, { batch: countD1 }),
    INGESTER: watch(env.INGESTER, { getByName: countCalls, get: countCalls }),
  };
}

export class Ingester extends RealIngester {
  private changes = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, countedEnv(env));
  }

  override async append(...args: Parameters<RealIngester["append"]>): ReturnType<RealIngester["append"]> {
    const answer = await super.append(...args);
    this.countRows();
    return answer;
  }

  override async alarm(): Promise<void> {
    await super.alarm();
    // Setting an alarm is billed as a row, and each alarm that went off had been set.
    counts.alarms++;
    this.countRows();
  }

  /** SQLite itself counts the rows that were inserted, changed or deleted. */
  private countRows(): void {
    const { n } = this.ctx.storage.sql.exec<{ n: number }>("SELECT total_changes() AS n").one();
    counts.doRows += n - this.changes;
    this.changes = n;
  }
}

export default {
  ...worker,
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    if (new URL(request.url).pathname === "/__counts") {
      const answer = Response.json(counts);
      counts = { ...ZERO };
      return answer;
    }
    return worker.fetch(request as Request<unknown, IncomingRequestCfProperties>, countedEnv(env), ctx);
  },
  tail(items: TraceItem[], env: Env, ctx: ExecutionContext) {
    counts.tailCalls++;
    counts.tailItems += items.length;
    return worker.tail(items, countedEnv(env), ctx);
  },
};
