/**
 * Cross-site request forgery: a change that rides on a cookie must come from
 * our own pages. SameSite=Strict does that already; this holds where it does
 * not reach (Access's cookie, sibling subdomains). Pure.
 */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

export function isSameOrigin(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = request.headers.get("origin");
  if (origin === null) return false;
  try {
    // Hosts, not whole origins: behind a proxy that ends TLS the scheme differs.
    return new URL(origin).host === new URL(request.url).host;
  } catch {
    return false;
  }
}

/** Cookies are enough for reading; a change must be ours. */
export const mayChange = (request: Request) => SAFE.has(request.method) || isSameOrigin(request);

/** For the log-in, where no cookie is at stake yet: a page of someone else's is refused, a script without a page is not. */
export function isForeignPage(request: Request): boolean {
  const fromPage = request.headers.has("sec-fetch-site") || request.headers.has("origin");
  return fromPage && !isSameOrigin(request);
}
