/** Trace items that the dashboard's tests look at: a shop whose second version fails, and a Worker that talks a lot. */

export const GOOD = { id: "11111111-aaaa-4aaa-8aaa-000000000001", tag: "v1", message: "Baseline" };
export const BAD = { id: "22222222-bbbb-4bbb-8bbb-000000000002", tag: "v2", message: "New cart totals" };

/** What a log must not do when a browser shows it. */
export const EVIL = `<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`;
export const FAILURE = "Cannot read properties of undefined (reading 'price')";

export interface Shape {
  script?: string;
  version?: { id: string; tag: string; message: string };
  path?: string;
  status?: number;
  colo?: string;
  logs?: { level: string; message: unknown[]; after?: number }[];
  failure?: string;
}

/** One fetch invocation at `time` (ms). */
export function item(time: number, shape: Shape = {}): Record<string, unknown> {
  const {
    script = "shop",
    version = GOOD,
    path = "/products/7",
    status = 200,
    colo = "LHR",
    logs = [],
    failure,
  } = shape;
  return {
    scriptName: script,
    scriptVersion: version,
    eventTimestamp: time,
    outcome: failure === undefined ? "ok" : "exception",
    executionModel: "stateless",
    truncated: false,
    cpuTime: 2,
    wallTime: version === BAD ? 90 : 20,
    event: {
      request: {
        url: `https://shop.example${path}`,
        method: "GET",
        headers: { "user-agent": "test" },
        cf: { colo, country: "GB" },
      },
      ...(failure === undefined ? { response: { status } } : {}),
    },
    logs: logs.map((l) => ({ timestamp: time + (l.after ?? 1), level: l.level, message: l.message })),
    exceptions:
      failure === undefined
        ? []
        : [{ timestamp: time + 9, name: "TypeError", message: failure, stack: "    at total (cart.js:4:2)" }],
    diagnosticsChannelEvents: [],
  };
}

const MINUTE_MS = 60_000;

/** Forty minutes of the shop, to three minutes before `now`: v1 well throughout, v2 failing for the last ten. */
export function shopTraffic(now: number): Record<string, unknown>[] {
  const items: Record<string, unknown>[] = [];
  for (let minute = 40; minute >= 3; minute--) {
    const start = now - minute * MINUTE_MS;
    for (let i = 0; i < 6; i++)
      items.push(
        item(start + i * 7000, {
          colo: i % 2 === 0 ? "LHR" : "FRA",
          logs: [{ level: "info", message: [`cart loaded for user ${i}`] }],
        }),
      );
    if (minute > 12) continue;
    for (let i = 0; i < 4; i++)
      items.push(
        item(start + 1000 + i * 9000, {
          version: BAD,
          path: "/cart",
          logs: [
            { level: "debug", message: ["first, before it fails"], after: 2 },
            { level: "warn", message: ["second, price is missing"], after: 5 },
          ],
          ...(i % 2 === 0 ? { failure: FAILURE } : {}),
        }),
      );
  }
  items.push(item(now - 5 * MINUTE_MS, { script: "mail", path: "/in", logs: [{ level: "error", message: [EVIL] }] }));
  return items;
}

/** `items` × `logs` events of the Worker `bulk`, spread over the half hour before `now`. */
export function bulkTraffic(now: number, items: number, logs: number): Record<string, unknown>[] {
  const step = (30 * MINUTE_MS) / items;
  return Array.from({ length: items }, (_, i) => {
    const time = Math.floor(now - 2 * MINUTE_MS - i * step);
    return item(time, {
      script: "bulk",
      logs: Array.from({ length: logs }, (_, k) => ({ level: "info", message: [`line ${i}.${k}`], after: k })),
    });
  });
}
