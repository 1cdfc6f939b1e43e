/** The cart: lines in KV under the session, gone after a day. */
import { findProduct } from "../../../shared/catalog.ts";
import type { CartLine } from "../../../shared/contracts.ts";
import { json, problem, readJson } from "../../../shared/http.ts";
import { log, recordFact } from "../../../shared/log.ts";
import type { Call } from "../env.ts";

const CART_TTL_S = 86_400;
const MAX_QUANTITY = 20;

export const readCart = async ({ env, session }: Call): Promise<CartLine[]> =>
  (await env.CARTS.get<CartLine[]>(session.id, "json")) ?? [];

export const clearCart = ({ env, session }: Call) => env.CARTS.delete(session.id);

const writeCart = ({ env, session }: Call, lines: CartLine[]) =>
  env.CARTS.put(session.id, JSON.stringify(lines), { expirationTtl: CART_TTL_S });

export async function showCart(call: Call): Promise<Response> {
  const lines = await readCart(call);
  return json({ lines, total: lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0) });
}

export async function addToCart(call: Call): Promise<Response> {
  const body = await readJson(call.request);
  const product = findProduct(String(body?.sku ?? ""));
  const quantity = Number(body?.quantity ?? 1);
  if (product === undefined) return problem(404, "no_such_product", "That product does not exist");
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > MAX_QUANTITY) {
    return problem(422, "bad_quantity", `quantity must be 1 to ${MAX_QUANTITY}`);
  }
  const lines = (await readCart(call)).filter((line) => line.sku !== product.sku);
  lines.push({ sku: product.sku, quantity, unitPrice: product.price });
  await writeCart(call, lines);
  const amount = lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
  log.info("added to cart", {
    sku: product.sku,
    quantity,
    cart: { size: lines.length, amount },
    user: { id: call.session.userId },
  });
  recordFact("cart.changed", { size: lines.length, amount, currency: "EUR" });
  return json({ lines }, 201);
}

export async function removeFromCart(call: Call): Promise<Response> {
  const lines = await readCart(call);
  const left = lines.filter((line) => line.sku !== call.params.sku);
  await writeCart(call, left);
  log.debug("removed from cart", { sku: call.params.sku, was_in: left.length < lines.length });
  return json({ lines: left });
}
