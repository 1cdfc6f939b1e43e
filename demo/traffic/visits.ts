/** What a visitor does: a list of steps, decided when the visit begins. */
import { CATEGORIES, PRODUCTS } from "../shared/catalog.ts";
import type { Random } from "./random.ts";
import type { Visitor } from "./visitors.ts";

export interface Step {
  method: "GET" | "POST" | "DELETE";
  path: string;
  body?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** The client gives up after this many ms. */
  leaveAfterMs?: number;
  /** A WebSocket that stays this long, ms. */
  socketMs?: number;
}

const WORDS = ["oak", "linen", "lamp", "shelf", "glass mug", "walnut clock", "wool throw", "brass", "vase", "planter"];
/** As typed on a phone; the last ones trip over encodings. */
const TYPOS = ["oka", "linnen", "lmap", "shelv", "walnt clock", "łampa", "花瓶", "вaза"];
const PROBES = ["/.env", "/wp-login.php", "/admin", "/api/v0/users", "/favicon.ico", "/api/products/KI-9999"];
const FAKE_CARD = "4242 4242 4242 4242";
const DECLINED_CARD = "4000 0000 0000 0002";
/** Most of them have their answer before they go. */
const LEAVE_SHARE = 0.1;
const COUPONS = [undefined, undefined, undefined, "WELCOME10", "SPRING5", "FREEBEER"];

/** Popularity falls with the rank (Zipf); a drop-shipped product is among the favourites. */
const RANKED = [...PRODUCTS].sort((a, b) => popularity(b.sku) - popularity(a.sku));
const DROP_SHIPPED_RANK = 3;
const favourite = RANKED.findIndex((product) => product.supplier.region === null);
RANKED.splice(DROP_SHIPPED_RANK, 0, ...RANKED.splice(favourite, 1));

function popularity(sku: string): number {
  return (Number(sku.slice(3)) * 2_654_435_761) % 1_000_003;
}

function drawProduct(random: Random) {
  const rank = Math.floor(RANKED.length ** random.next()) - 1;
  return RANKED[rank] ?? PRODUCTS[0];
}

const KINDS: readonly { weight: number; plan: (random: Random, visitor: Visitor) => Step[] }[] = [
  { weight: 34, plan: browse },
  { weight: 22, plan: seek },
  { weight: 22, plan: buy },
  { weight: 6, plan: logIn },
  { weight: 4, plan: watch },
  { weight: 6, plan: lost },
];

export function planVisit(random: Random, visitor: Visitor): Step[] {
  const steps = visitor.agent.isBot ? crawl(random) : random.weighted(KINDS).plan(random, visitor);
  return steps.map((step) =>
    random.chance(LEAVE_SHARE) && step.method === "GET" ? { ...step, leaveAfterMs: random.between(1, 40) } : step,
  );
}

const get = (path: string): Step => ({ method: "GET", path });

const productPage = (random: Random) => get(`/api/products/${drawProduct(random)?.sku}`);

function browse(random: Random): Step[] {
  const category = random.pick(CATEGORIES);
  const steps = [get("/"), get(`/api/products?category=${category}&page=${random.between(1, 4)}`)];
  for (let i = random.between(1, 4); i > 0; i--) steps.push(productPage(random));
  return steps;
}

function seek(random: Random): Step[] {
  const query = random.chance(0.35) ? random.pick(TYPOS) : random.pick(WORDS);
  const steps = [get(`/api/search?q=${encodeURIComponent(query)}`)];
  if (random.chance(0.7)) steps.push(productPage(random));
  return steps;
}

function buy(random: Random, visitor: Visitor): Step[] {
  const steps = [get("/api/products"), productPage(random)];
  for (let i = random.between(1, 3); i > 0; i--) {
    const quantity = random.chance(0.03) ? 99 : random.between(1, 3);
    steps.push({ method: "POST", path: "/api/cart", body: { sku: drawProduct(random)?.sku, quantity } });
  }
  steps.push(get("/api/cart"));
  if (random.chance(0.15)) steps.push({ method: "DELETE", path: `/api/cart/${drawProduct(random)?.sku}` });
  if (random.chance(0.75)) steps.push(pay(random, visitor));
  return steps;
}

function pay(random: Random, visitor: Visitor): Step {
  const method = random.pick(["card", "card", "card", "wallet", "invoice"]);
  const card = random.chance(0.08) ? DECLINED_CARD : FAKE_CARD;
  return {
    method: "POST",
    path: "/api/checkout",
    body: { method, email: visitor.email, coupon: random.pick(COUPONS), ...(method === "card" ? { card } : {}) },
    headers: { authorization: `Bearer demo-not-a-token-${visitor.userId}` },
  };
}

function logIn(random: Random, visitor: Visitor): Step[] {
  const attempts = random.chance(0.3) ? random.between(1, 4) : 0;
  const wrong = Array.from({ length: attempts }, () => `demo-password-${random.between(1, 99)}`);
  return [...wrong, "correct-horse"].map((password) => ({
    method: "POST",
    path: "/api/login",
    body: { email: visitor.email, password },
  }));
}

function watch(random: Random): Step[] {
  return [{ ...get("/live"), socketMs: random.between(8_000, 40_000) }];
}

/** Of the Worker that nobody has connected yet. */
export function readReviews(random: Random): Step {
  const { sku } = drawProduct(random) ?? {};
  return { ...get(`/reviews/${sku}`), headers: { "x-demo-worker": "shop-reviews" } };
}

function lost(random: Random): Step[] {
  return [get(random.pick(PROBES)), get("/api/products")];
}

function crawl(random: Random): Step[] {
  return Array.from({ length: random.between(2, 6) }, () =>
    random.chance(0.4) ? get(random.pick(PROBES)) : productPage(random),
  );
}
