/** Browsing, searching, looking closely. */
import { CATEGORIES, findProduct, PRODUCTS } from "../../../shared/catalog.ts";
import { json, problem } from "../../../shared/http.ts";
import { log, recordFact } from "../../../shared/log.ts";
import { callUpstream } from "../../../shared/upstream.ts";
import type { Call, Release } from "../env.ts";
import { stockLevels } from "../stock-levels.ts";

const PAGE_SIZE = 12;
const CATALOG_MEDIAN_MS = 7;

export async function listProducts({ url, env }: Call): Promise<Response> {
  const category = url.searchParams.get("category");
  if (category !== null && !CATEGORIES.includes(category)) {
    return problem(400, "bad_category", `category must be one of ${CATEGORIES.join(", ")}`);
  }
  await callUpstream("catalog", CATALOG_MEDIAN_MS);
  const page = Math.max(1, Number(url.searchParams.get("page") ?? 1) || 1);
  const goods = PRODUCTS.filter((product) => category === null || product.category === category);
  const shown = goods.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
  const levels = await stockLevels(
    shown.map((product) => product.sku),
    env,
  );
  return json({
    page,
    total: goods.length,
    products: shown.map(({ sku, name, price }) => ({ sku, name, price, available: levels.get(sku) ?? 0 })),
  });
}

export async function showProduct(call: Call, release: Release): Promise<Response> {
  await callUpstream("catalog", CATALOG_MEDIAN_MS);
  const product = findProduct(call.params.sku ?? "");
  if (product === undefined) {
    log.info("product not found", { sku: call.params.sku, referer: call.request.headers.get("referer") });
    return problem(404, "no_such_product", `There is no product ${call.params.sku}`);
  }
  const body = await release.present(product, call);
  recordFact("product.viewed", { sku: product.sku, category: product.category, user: { id: call.session.userId } });
  return json(body);
}

export async function searchProducts(call: Call, release: Release): Promise<Response> {
  const query = (call.url.searchParams.get("q") ?? "").trim();
  if (query === "") return problem(400, "empty_query", "q must not be empty");
  const found = await release.search(query, call);
  if (found === "busy") return problem(503, "search_busy", "Search is busy, try again in a moment");
  log.info("searched", { query, hits: found.length, user: { id: call.session.userId } });
  if (found.length === 0) log.warn("search without a result", { query, country: call.session.country });
  return json({
    query,
    total: found.length,
    products: found.slice(0, PAGE_SIZE).map(({ sku, name, price }) => ({ sku, name, price })),
  });
}
