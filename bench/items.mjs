/**
 * Believable trace items for loads: what a Tail Worker would be given by a shop
 * of a few Workers, the way JSON.stringify writes it. Seeded, so a run can be
 * repeated byte for byte.
 *
 * Fetch invocations mostly, some RPC, queue and cron; one or two log lines each,
 * a few errors; two versions per Worker, the newer one with more errors; request
 * ids and user ids with millions of values, everything else with few. About
 * 460 bytes of JSON for each event that Tailrace makes of them (an invocation,
 * a log line or an exception is one event).
 */

const SCRIPTS = [
  { name: "storefront", weight: 60, event: "fetch" },
  { name: "checkout", weight: 20, event: "rpc" },
  { name: "search", weight: 14, event: "fetch" },
  { name: "orders", weight: 5, event: "queue" },
  { name: "nightly", weight: 1, event: "scheduled" },
];
const ROUTES = [
  { method: "GET", path: (r) => `/products/${r.int(20_000)}`, status: 200, ms: 18 },
  { method: "GET", path: () => "/", status: 200, ms: 8 },
  { method: "GET", path: (r) => `/categories/${r.pick(CATEGORIES)}`, status: 200, ms: 25 },
  {
    method: "GET",
    path: (r) => `/search?q=${r.pick(WORDS)}+${r.pick(WORDS)}&page=${1 + r.int(5)}`,
    status: 200,
    ms: 60,
  },
  { method: "POST", path: (r) => `/cart/${r.hex(8)}/items`, status: 201, ms: 30 },
  { method: "POST", path: () => "/orders", status: 201, ms: 140 },
  { method: "GET", path: (r) => `/orders/${r.hex(12)}`, status: 200, ms: 22 },
];
const CATEGORIES = ["shoes", "coats", "bags", "hats", "socks", "belts", "scarves", "gloves"];
const WORDS = ["red", "blue", "wool", "light", "winter", "summer", "small", "large", "linen", "leather"];
const PLACES = [
  ["LHR", "GB", "London", 2856],
  ["FRA", "DE", "Frankfurt", 3320],
  ["CDG", "FR", "Paris", 3215],
  ["IAD", "US", "Ashburn", 7922],
  ["SJC", "US", "San Jose", 7018],
  ["NRT", "JP", "Tokyo", 2516],
  ["SYD", "AU", "Sydney", 1221],
  ["GRU", "BR", "Sao Paulo", 28573],
  ["BOM", "IN", "Mumbai", 55836],
  ["JNB", "ZA", "Johannesburg", 3741],
];
const AGENTS = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 20_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/20.1 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
  "curl/8.16.0",
];
const ERRORS = [
  ["TypeError", "Cannot read properties of undefined (reading 'price')", "priceOf"],
  ["Error", "card declined: insufficient funds", "charge"],
  ["RangeError", "Invalid time value", "deliveryDate"],
  ["PaymentError", "upstream answered 503 after 3 attempts", "capture"],
];
/** Share of invocations that end in an exception: old and new version. */
const ERROR_RATES = [0.004, 0.03];

/** xorshift32: small, fast, good enough for loads. */
export class Random {
  constructor(seed) {
    this.state = seed >>> 0 || 1;
  }
  next() {
    let x = this.state;
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state / 4294967296;
  }
  int(below) {
    return Math.floor(this.next() * below);
  }
  pick(list) {
    return list[this.int(list.length)];
  }
  hex(digits) {
    let text = "";
    while (text.length < digits)
      text += this.int(16 ** 6)
        .toString(16)
        .padStart(6, "0");
    return text.slice(0, digits);
  }
  /** Log-normal around `median`: most near it, some far above. */
  skewed(median) {
    const normal = Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
    return median * Math.exp(0.6 * normal);
  }
}

const VERSIONS = new Map(
  SCRIPTS.map(({ name }, at) => {
    const random = new Random(7919 * (at + 1));
    const id = () => `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-8${random.hex(3)}-${random.hex(12)}`;
    return [
      name,
      [
        { id: id(), tag: "v41", message: "Faster product pages" },
        { id: id(), tag: "v42", message: "New price rules" },
      ],
    ];
  }),
);

const round = (ms) => Math.round(ms * 1000) / 1000;

/**
 * One trace item that happened at `time` (ms since the epoch).
 * @param {Random} random
 * @param {number} time
 * @param {string} [only] of this script; without it, of any
 */
export function traceItem(random, time, only) {
  const script = SCRIPTS.find(({ name }) => name === only) ?? pickWeighted(random);
  const newer = random.next() < 0.2 ? 1 : 0;
  const failed = random.next() < ERROR_RATES[newer];
  const route = random.pick(ROUTES);
  const wallTime = round(random.skewed(route.ms));
  const item = {
    event: eventOf(script.event, route, random, failed),
    eventTimestamp: time,
    logs: [],
    exceptions: [],
    diagnosticsChannelEvents: [],
    scriptName: script.name,
    scriptVersion: VERSIONS.get(script.name)[newer],
    outcome: failed ? "exception" : "ok",
    executionModel: "stateless",
    truncated: false,
    cpuTime: Math.max(1, Math.round(wallTime * 0.2)),
    wallTime,
  };
  if (script.event === "rpc") item.entrypoint = "Checkout";
  addLogs(item, random, time, wallTime);
  if (failed) addException(item, random, time + wallTime);
  return item;
}

/** How many events Tailrace makes of an item. */
export function eventsOf(item) {
  return 1 + item.logs.length + item.exceptions.length;
}

/**
 * NDJSON bodies of `perBody` items each, `count` items in all, spread evenly over `spanMs` from `from`.
 * @param {{ seed?: number, count: number, perBody: number, from: number, spanMs: number, script?: string }} options
 * @returns {Generator<{ body: string, items: number, events: number }>}
 */
export function* bodies({ seed = 1, count, perBody, from, spanMs, script }) {
  const random = new Random(seed);
  for (let done = 0; done < count; ) {
    const lines = [];
    let events = 0;
    for (; lines.length < perBody && done < count; done++) {
      const item = traceItem(random, Math.floor(from + (spanMs * done) / count), script);
      events += eventsOf(item);
      lines.push(JSON.stringify(item));
    }
    yield { body: `${lines.join("\n")}\n`, items: lines.length, events };
  }
}

function pickWeighted(random) {
  let at = random.int(100);
  for (const script of SCRIPTS) {
    at -= script.weight;
    if (at < 0) return script;
  }
  return SCRIPTS[0];
}

function eventOf(kind, route, random, failed) {
  if (kind === "rpc") return { rpcMethod: random.pick(["quote", "charge", "refund"]) };
  if (kind === "queue") return { queue: "orders", batchSize: 1 + random.int(10) };
  if (kind === "scheduled") return { cron: "17 3 * * *", scheduledTime: 1_790_000_000_000 };
  const [colo, country, city, asn] = random.pick(PLACES);
  return {
    request: {
      url: `https://shop.example${route.path(random)}`,
      method: route.method,
      headers: {
        accept: "text/html,application/json;q=0.9,*/*;q=0.8",
        "accept-encoding": "gzip, br, zstd",
        "accept-language": random.pick(["en-GB,en;q=0.9", "de-DE,de;q=0.9", "fr-FR,fr;q=0.9", "ja-JP,ja;q=0.9"]),
        "cf-connecting-ip": `203.0.113.${random.int(256)}`,
        "cf-ray": `${random.hex(16)}-${colo}`,
        host: "shop.example",
        referer: `https://shop.example/categories/${random.pick(CATEGORIES)}`,
        "user-agent": random.pick(AGENTS),
        "x-forwarded-proto": "https",
      },
      cf: { colo, country, city, asn, httpProtocol: "HTTP/3", tlsVersion: "TLSv1.3", clientTcpRtt: random.int(180) },
    },
    response: { status: failed ? 500 : random.next() < 0.03 ? 404 : route.status },
  };
}

function addLogs(item, random, time, wallTime) {
  const lines = 1 + random.int(2);
  const requestId = random.hex(20);
  for (let n = 0; n < lines; n++) {
    const details = {
      requestId,
      user: { id: `u-${random.int(2_000_000)}`, plan: random.pick(["free", "plus", "pro"]) },
      cart: { items: random.int(12), total: Math.round(random.skewed(4_000)) / 100, currency: "EUR" },
      cache: random.pick(["hit", "miss", "stale"]),
      tookMs: round(random.next() * wallTime),
    };
    item.logs.push({
      timestamp: Math.floor(time + (wallTime * n) / lines),
      level: random.next() < 0.05 ? "warn" : random.pick(["log", "info", "debug"]),
      message: [`${random.pick(["loaded", "priced", "ranked", "reserved"])} ${random.pick(WORDS)} basket`, details],
    });
  }
}

function addException(item, random, at) {
  const [name, message, where] = random.pick(ERRORS);
  const stack = [
    `    at ${where} (index.js:${10 + random.int(40)}:${1 + random.int(80)})`,
    "    at handle (index.js:204:17)",
  ];
  item.exceptions.push({ timestamp: Math.floor(at), name, message, stack: `${name}: ${message}\n${stack.join("\n")}` });
  item.logs.push({ timestamp: Math.floor(at), level: "error", message: [`request failed: ${message}`] });
}
