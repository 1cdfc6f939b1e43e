/** Only holds the Durable Object; the other Workers call that directly. */
export { Stock } from "./stock.ts";

export default { fetch: () => new Response("shop-stock answers over RPC only\n", { status: 404 }) };
