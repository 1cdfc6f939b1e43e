/**
 * Release 1.5.0: search that forgives typing errors. It asks the spelling
 * service for one candidate after the other where one call would do, which is
 * the slow route, and hands its statistics to waitUntil without a catch.
 */
import { PRODUCTS, type Product } from "../../../shared/catalog.ts";
import { callUpstream } from "../../../shared/upstream.ts";
import type { Call } from "../env.ts";
import { reportSearch } from "./search-statistics.ts";

const SPELLING_MEDIAN_MS = 35;
/** Candidates that are checked one by one. */
const MAX_CHECKED = 24;
/** The spelling service allows so many calls and no more; then the visitor gets a 503, of which nothing is logged. */
const REFUSED_SHARE = 0.002;

export async function searchFuzzy(query: string, call: Call): Promise<Product[] | "busy"> {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const candidates = PRODUCTS.filter((product) => words.some((word) => product.tags.some((tag) => isNear(word, tag))));
  const found: Product[] = [];
  for (const candidate of candidates.slice(0, MAX_CHECKED)) {
    await callUpstream("spelling", SPELLING_MEDIAN_MS);
    if (Math.random() < REFUSED_SHARE) return "busy";
    if (words.every((word) => candidate.tags.some((tag) => isNear(word, tag)))) found.push(candidate);
  }
  call.ctx.waitUntil(reportSearch(query, found.length, call.session));
  return found;
}

/** One letter may be wrong, missing or too many. */
function isNear(word: string, tag: string): boolean {
  if (tag.startsWith(word)) return true;
  if (Math.abs(word.length - tag.length) > 1) return false;
  let i = 0;
  while (i < word.length && word[i] === tag[i]) i++;
  return (
    word.slice(i + 1) === tag.slice(i + 1) || word.slice(i + 1) === tag.slice(i) || word.slice(i) === tag.slice(i + 1)
  );
}
