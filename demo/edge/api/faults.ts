/**
 * Bad days of the API, for tests and demonstrations:
 *
 *   GET /__edge/faults            what is still to come
 *   PUT /__edge/faults  [{ path, method?, status?, retryAfter?, hang?, dropAfterEffect?, lie?, times? }]
 *
 * The first that fits a request is used up by it, `times` times (default 1).
 * `path` is a part of the request's path. Kept in memory: gone with the edge.
 */

interface Fault {
  path: string;
  method?: string;
  /** Answers with this and does nothing. */
  status?: number;
  /** Seconds, beside a status. */
  retryAfter?: number;
  /** Does nothing, and does not answer. */
  hang?: boolean;
  /** Does it, and does not answer; with a status: answers with that. */
  dropAfterEffect?: boolean;
  /** Does nothing, and answers 200 without a result. */
  lie?: boolean;
  times?: number;
}

/** Longer than any client waits. A promise that nobody will settle would be noticed by the runtime, and answered. */
const HANG_MS = 120_000;
const MAX_FAULTS = 100;

let faults: Fault[] = [];

export async function handleFaults(request: Request): Promise<Response> {
  if (request.method !== "PUT") return Response.json(faults);
  const given: unknown = await request.json().catch(() => null);
  const list = (Array.isArray(given) ? given : [given]) as (Partial<Fault> | null)[];
  if (list.length > MAX_FAULTS || !list.every((fault) => typeof fault?.path === "string")) {
    return Response.json({ error: "expected a list of faults, each with a path" }, { status: 400 });
  }
  faults = list as Fault[];
  return Response.json(faults);
}

/** Answers in place of the API, or lets it. */
export async function withFaults(request: Request, handle: () => Promise<Response>): Promise<Response> {
  const { pathname } = new URL(request.url);
  const fits = ({ path, method = request.method }: Fault) => pathname.includes(path) && method === request.method;
  const fault = faults.find(fits);
  if (fault === undefined) return handle();
  fault.times = (fault.times ?? 1) - 1;
  if (fault.times <= 0) faults = faults.filter((other) => other !== fault);
  if (fault.dropAfterEffect) await handle();
  if (fault.lie) return Response.json({ success: true, errors: [], messages: [], result: null });
  if (fault.status === undefined) await scheduler.wait(HANG_MS);
  const status = fault.status ?? 504;
  const headers = fault.retryAfter === undefined ? undefined : { "retry-after": String(fault.retryAfter) };
  const errors = [{ code: status === 429 ? 971 : 10013, message: `Local edge: told to answer ${status}.` }];
  return Response.json({ success: false, errors, messages: [], result: null }, { status, ...(headers && { headers }) });
}
