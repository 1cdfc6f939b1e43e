/** The storefront's bindings, and what differs between its releases. */

import type { Product } from "../../shared/catalog.ts";
import type { CheckoutService } from "../../shared/contracts.ts";
import type { Stock } from "../../stock/src/stock.ts";

export interface Env {
  CARTS: KVNamespace;
  ORDERS: KVNamespace;
  CHECKOUT: CheckoutService;
  LIVE: Fetcher;
  STOCK: DurableObjectNamespace<Stock>;
  SEARCH_API_KEY: string;
}

export interface Call {
  request: Request;
  url: URL;
  env: Env;
  ctx: ExecutionContext;
  session: Session;
  /** What the route's pattern caught. */
  params: Record<string, string>;
}

export interface Session {
  id: string;
  userId: string;
  country: string;
}

/** What a release may do differently. */
export interface Release {
  version: string;
  /** "busy": not now. */
  search(query: string, call: Call): Promise<Product[] | "busy">;
  present(product: Product, call: Call): Promise<Record<string, unknown>>;
}
