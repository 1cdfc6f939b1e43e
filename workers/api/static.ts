/**
 * The dashboard's files, for every request that no route answers. They hold no
 * data, so they are public; the page asks the API, and that asks who is there.
 * A GET that wants HTML and is no file gets the page: its router knows the path.
 */
import type { ApiContext } from "./context.ts";
import { type Failure, fail } from "./errors.ts";

/** The build puts a content hash into the names under this path. */
const HASHED = "/assets/";
const FOREVER = "public, max-age=31536000, immutable";
/** The page names the hashed files: it is asked for anew each time (an ETag makes that cheap). */
const REVALIDATE = "no-cache";

export async function serveStatic(c: ApiContext): Promise<Response | Failure> {
  const { method, path } = c.req;
  if (path === "/api" || path.startsWith("/api/"))
    return fail("not_found", `There is no ${path}. The routes are listed in docs/access.md.`);
  if (method !== "GET" && method !== "HEAD") return fail("not_found", `Nothing here takes ${method}.`);

  const file = await c.env.ASSETS.fetch(c.req.raw);
  if (file.status !== 404) return withCaching(file, path.startsWith(HASHED) ? FOREVER : REVALIDATE);
  await file.body?.cancel();
  if (path.startsWith(HASHED) || !wantsHtml(c)) return fail("not_found", `There is no ${path}.`);

  const page = await c.env.ASSETS.fetch(new Request(new URL("/", c.req.url), c.req.raw));
  if (page.status !== 404) return withCaching(page, REVALIDATE);
  await page.body?.cancel();
  return fail("unavailable", "The dashboard is not built. Run `npm run build`.");
}

/** Who takes anything (curl, a link checker) gets the page too, unless the path looks like a file's. */
function wantsHtml(c: ApiContext): boolean {
  const accept = c.req.header("accept") ?? "*/*";
  return accept.includes("text/html") || (accept.includes("*/*") && !/\.[^/]*$/.test(c.req.path));
}

/** A copy, because headers of a fetched response cannot be changed. Redirects and errors are not kept. */
function withCaching(file: Response, value: string): Response {
  const copy = new Response(file.body, file);
  copy.headers.set("Cache-Control", file.ok || file.status === 304 ? value : "no-store");
  return copy;
}
