/** Reviews of products, each by a made-up customer. Deployed without a tail: the Worker of the shop that nobody has connected yet. */
import { findProduct, type Product } from "../../shared/catalog.ts";
import { json, problem } from "../../shared/http.ts";
import { log } from "../../shared/log.ts";
import { summarize } from "./summary.ts";

const ROUTE = new URLPattern({ pathname: "/reviews/:sku" });
const WORDS = [
  "Sturdy.",
  "Smaller than it looks.",
  "Arrived quickly.",
  "A present, well received.",
  "Bought it again.",
];
/** One product in so many has no review yet. */
const UNREVIEWED = 9;
const MOST = 12;

export interface Review {
  stars: number;
  text: string;
}

/** The same for a product every time: made of its number. */
function reviewsOf({ sku }: Product): Review[] {
  const seed = Number(sku.slice(3));
  if (seed % UNREVIEWED === 0) return [];
  return Array.from({ length: (seed % MOST) + 1 }, (_, i) => ({
    stars: ((seed * 7 + i * 3) % 5) + 1,
    text: WORDS[(seed + i) % WORDS.length] as string,
  }));
}

export default {
  fetch(request) {
    const sku = ROUTE.exec(request.url)?.pathname.groups.sku;
    const product = sku === undefined ? undefined : findProduct(sku);
    if (product === undefined) {
      log.warn("no such product", { sku });
      return problem(404, "not_found", "There are no reviews of that.");
    }
    const reviews = reviewsOf(product);
    const summary = summarize(reviews);
    log.info("reviews shown", { sku, category: product.category, count: reviews.length, stars: summary.average });
    return json({ sku, reviews, summary });
  },
} satisfies ExportedHandler;
