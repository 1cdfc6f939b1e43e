/**
 * Paths → routes: what varies from request to request is replaced by `:id`, so
 * that `/products/8812` and `/products/8813` count as one. Works from the path
 * alone, so every isolate, and every replay, comes to the same route. Paths of
 * scanners (`/wp-admin.php` …) would still be without end: see `RouteTable`.
 */

/** Deeper paths end in `/*`. */
const MAX_PATH_SEGMENTS = 8;
/** Words are shorter. */
const MAX_WORD_CHARS = 40;
/** `oauth2`, `utf8`, `iphone15`: short words with one or two digits are names. */
const MAX_NAME_CHARS = 8;
const MAX_NAME_DIGITS = 2;
const VERSION = /^v\d{1,3}$/;
const HEX = /^[0-9a-f]{8,}$/i;
const PLAIN = /^[A-Za-z0-9_.~-]+$/;
const ID = ":id";

export function normalizeRoute(path: string): string {
  const segments = path.split("/");
  let route = "";
  let count = 0;
  for (const segment of segments) {
    if (segment === "") continue;
    if (++count > MAX_PATH_SEGMENTS) return `${route}/*`;
    route += `/${normalizeSegment(segment)}`;
  }
  return route === "" ? "/" : route;
}

function normalizeSegment(segment: string): string {
  // Matrix parameters: `;jsessionid=…`.
  const semicolon = segment.indexOf(";");
  const name = semicolon < 0 ? segment : segment.slice(0, semicolon);
  if (!isVariable(name)) return name;
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && !name.includes("@") ? name.slice(dot + 1) : "";
  // `app-3f2a9c1d.js` → `:id.js`
  return extension !== "" && extension.length <= 5 && /^[a-z]+$/i.test(extension) ? `${ID}.${extension}` : ID;
}

function isVariable(name: string): boolean {
  if (name.length > MAX_WORD_CHARS || name.includes("REDACTED") || !PLAIN.test(name)) return true;
  let digits = 0;
  let upper = 0;
  let lower = 0;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code >= 48 && code <= 57) digits++;
    else if (code >= 65 && code <= 90) upper++;
    else if (code >= 97) lower++;
  }
  if (digits > 0) {
    if (VERSION.test(name)) return false;
    const word = name.length <= MAX_NAME_CHARS && digits <= MAX_NAME_DIGITS && digits < name.length;
    // `sku-1`, `order_17`: a number with a word before it.
    return !(word && !/[-_.~]\d+$/.test(name));
  }
  if (HEX.test(name) && name.length >= 16) return true;
  // Random letters in both cases: base64-like ids.
  return upper > 2 && lower > 2 && name.length >= 16 && !name.includes("-");
}

/** What every request of a route has in common. */
export interface Route {
  route: string;
  /** `GET /products/:id` */
  titles: Map<string, string>;
}

/** Different routes of one Worker and isolate; a Worker has some hundred. */
const MAX_ROUTES = 1_000;
const OVERFLOW = "/*";

/** Routes of one Worker. Past the bound, unknown routes share `/first/*`, then `/*`. */
export class RouteTable {
  private readonly routes = new Map<string, Route>();

  // Paths are not remembered: most are new, and keeping them cost more than taking them apart.
  of(path: string): Route {
    const name = normalizeRoute(path);
    return this.routes.get(name) ?? this.bounded(name);
  }

  private bounded(name: string): Route {
    if (this.routes.size < MAX_ROUTES) return this.add(name);
    const second = name.indexOf("/", 1);
    const family = `${second < 0 ? "" : name.slice(0, second)}${OVERFLOW}`;
    return this.routes.get(family) ?? (this.routes.size < MAX_ROUTES * 2 ? this.add(family) : this.last());
  }

  private last(): Route {
    return this.routes.get(OVERFLOW) ?? this.add(OVERFLOW);
  }

  private add(name: string): Route {
    const route = { route: name, titles: new Map<string, string>() };
    this.routes.set(name, route);
    return route;
  }
}

/** `GET /products/:id`, made once per route and method. */
export function titleOf(route: Route, method: string): string {
  let title = route.titles.get(method);
  if (title === undefined) {
    title = `${method} ${route.route}`;
    // Methods are free text: no more than a handful are remembered.
    if (route.titles.size < 16) route.titles.set(method, title);
  }
  return title;
}
