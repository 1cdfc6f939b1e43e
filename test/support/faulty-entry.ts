/**
 * The platform with a bucket and a database that can be made to fail: main
 * module of a stack for tests. `POST /__faults {"r2": "before"}` breaks, `{}`
 * heals. `before` fails without doing anything; `after` does the work and then
 * says that it failed, which is what makes retries dangerous.
 */
import worker, { Ingester as RealIngester } from "../../workers/index.ts";

export { Counters, Courier, LiveHub, RolloutGuard } from "../../workers/index.ts";

type Fault = "before" | "after";
/** One isolate runs the Worker and its Durable Objects, so this reaches both. */
let faults: { r2?: Fault; d1?: Fault } = {};

function failing(what: "r2" | "d1", method: string): Error {
  return new Error(`${what} ${method}: injected fault (internal error; please try again)`);
}

/** `methods` answer with a failure while `what` is broken; everything else passes through. */
function breakable<T extends object>(target: T, what: "r2" | "d1", methods: readonly string[]): T {
  return new Proxy(target, {
    get(real, property) {
      const value = Reflect.get(real, property) as unknown;
      if (typeof value !== "function") return value;
      if (typeof property !== "string" || !methods.includes(property)) return value.bind(real);
      return async (...args: unknown[]) => {
        if (faults[what] === "before") throw failing(what, property);
        const result: unknown = await value.apply(real, args);
        if (faults[what] === "after") throw failing(what, property);
        return result;
      };
    },
  });
}

function breakableEnv(env: Env): Env {
  return {
    ...env,
    BUCKET: breakable(env.BUCKET, "r2", ["put", "get", "head", "delete", "list"]),
    DB: breakable(env.DB, "d1", ["batch", "exec"]),
  };
}

export class Ingester extends RealIngester {
  constructor(state: DurableObjectState, env: Env) {
    super(state, breakableEnv(env));
  }
}

export default {
  ...worker,
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    if (new URL(request.url).pathname === "/__faults") {
      faults = await request.json();
      return new Response("noted");
    }
    return worker.fetch(request as Request<unknown, IncomingRequestCfProperties>, breakableEnv(env), ctx);
  },
};
