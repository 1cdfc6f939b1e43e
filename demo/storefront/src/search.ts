/** Search of release 1.4.2: every word must be a tag or begin one. */
import { PRODUCTS, type Product } from "../../shared/catalog.ts";
import { callUpstream } from "../../shared/upstream.ts";

const INDEX_MEDIAN_MS = 12;

export async function searchByWords(query: string): Promise<Product[]> {
  await callUpstream("search-index", INDEX_MEDIAN_MS);
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return PRODUCTS.filter((product) => words.every((word) => product.tags.some((tag) => tag.startsWith(word))));
}
