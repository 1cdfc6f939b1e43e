/** A page for people who open the shop in a browser. */
import type { Call, Release } from "../env.ts";

const LINKS = ["/api/products", "/api/products/KI-1001", "/api/search?q=oak", "/api/cart", "/nowhere"];

export function home(_call: Call, release: Release): Response {
  const links = LINKS.map((path) => `<li><a href="${path}">${path}</a></li>`).join("");
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Demo shop</title><style>body{font:16px/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}</style>
<h1>Demo shop</h1><p>Storefront ${release.version}, a real Worker that Tailrace observes. Try:</p><ul>${links}</ul></html>`;
  return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
}
