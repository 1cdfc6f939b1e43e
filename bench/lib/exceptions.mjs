/**
 * Trace items that all fail: some hundred different errors of a few Workers,
 * each with a stack into the bundle of big-app.mjs and a message whose numbers
 * and ids differ every time, as errors of one bug do. NDJSON, seeded.
 */
import { Random } from "../items.mjs";
import { placesIn } from "./big-app.mjs";

/** All Workers of this load have the same code, and so the same map. */
export const SCRIPTS = ["orders-api", "billing", "catalog", "sessions"];
export const VERSION = "7d1f3c52-90ab-4c1e-8f00-00000000b19a";
const BUGS = 160;
const FRAMES = [4, 12];
/** What of a message varies stands in braces. */
const MESSAGES = [
  ["TypeError", "Cannot read properties of undefined (reading '{word}')"],
  ["RangeError", "order {id} has {number}, more than {number}"],
  ["Error", "invoice {uuid} is not in eu-{number}"],
  ["PaymentError", "gave up on {id} after {number} ms: upstream answered 503"],
  ["ValidationError", "{number} parts of {id} are broken: user{number}@shop.example"],
  ["Error", "fetch of https://api.shop.example/v2/orders/{id}?page={number} timed out after {number}ms"],
];
const WORDS = ["price", "items", "region", "total"];

/** @param {string} code the bundle */
export function bugsOf(code) {
  const random = new Random(4_711);
  const places = placesIn(code, BUGS * FRAMES[1]);
  return Array.from({ length: BUGS }, (_, bug) => {
    const [name, message] = MESSAGES[bug % MESSAGES.length];
    const depth = FRAMES[0] + random.int(FRAMES[1] - FRAMES[0]);
    const frames = Array.from({ length: depth }, (_, at) => {
      const { line, column } = places[(bug * FRAMES[1] + at) % places.length];
      const prefix = at > 2 ? "async " : "";
      return `    at ${prefix}${random.pick(["t", "e", "Object.n", "Kt.load", "new Zr"])} (index.js:${line}:${column})`;
    });
    return { script: SCRIPTS[bug % SCRIPTS.length], name, message, stack: frames.join("\n") };
  });
}

/** @returns {{ body: string, items: number }[]} */
export function failingBodies(bugs, { seed, count, perBody, from }) {
  const random = new Random(seed);
  const bodies = [];
  for (let done = 0; done < count; ) {
    const lines = [];
    for (; lines.length < perBody && done < count; done++) {
      lines.push(JSON.stringify(failingItem(random.pick(bugs), random, from + done)));
    }
    bodies.push({ body: `${lines.join("\n")}\n`, items: lines.length });
  }
  return bodies;
}

function failingItem(bug, random, time) {
  const message = bug.message.replace(/\{(\w+)\}/g, (_, kind) => VALUES[kind](random));
  const exception = { timestamp: time + 5, name: bug.name, message, stack: `${bug.name}: ${message}\n${bug.stack}` };
  return {
    event: {
      request: {
        url: `https://shop.example/orders/${random.hex(12)}`,
        method: "POST",
        headers: { "user-agent": "ShopApp/7.3.1 (Android 16)", "cf-ray": `${random.hex(16)}-LHR` },
        cf: { colo: random.pick(["LHR", "FRA", "IAD", "NRT"]), country: random.pick(["GB", "DE", "US", "JP"]) },
      },
      response: { status: 500 },
    },
    eventTimestamp: time,
    logs: [],
    exceptions: [exception],
    diagnosticsChannelEvents: [],
    scriptName: bug.script,
    scriptVersion: { id: VERSION, tag: "v7", message: "Bigger" },
    outcome: "exception",
    executionModel: "stateless",
    truncated: false,
    cpuTime: 3,
    wallTime: 12,
  };
}

const VALUES = {
  word: (random) => random.pick(WORDS),
  id: (random) => `ord_${random.hex(14)}`,
  number: (random) => String(random.int(100_000)),
  uuid: (random) => `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-8${random.hex(3)}-${random.hex(12)}`,
};
