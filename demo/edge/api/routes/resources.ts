/** What Workers are bound to and triggered by: KV namespaces and queues that wrangler looks up or makes, and what has no place here. */
import { registryOf } from "../../env.ts";
import type { Handler, Route } from "../api.ts";
import { failure, ok } from "../envelope.ts";

const page = (found: unknown[]) => ({
  result_info: { page: 1, per_page: 100, total_pages: 1, count: found.length, total_count: found.length },
});

/** Of one page only: wrangler asks until a page is empty. */
const listed = (query: URLSearchParams, found: unknown[]) => (Number(query.get("page") ?? 1) > 1 ? [] : found);

const namespaces: Handler = async ({ env, query }) => {
  const own = Object.keys(env.SHOP.kv).map((id) => ({ id, title: id }));
  const found = listed(query, [...own, ...(await registryOf(env).namespaces())]);
  return ok(found, page(found));
};

const makeNamespace: Handler = async ({ request, env }) => {
  const { title } = await request.json<{ title?: string }>().catch(() => ({ title: undefined }));
  if (typeof title !== "string" || title === "") {
    return failure({ status: 400, code: 10019, message: "A namespace has a title." });
  }
  const known = await registryOf(env).namespaces();
  if (known.some((namespace) => namespace.title === title)) {
    const message = "a namespace with this account ID and title already exists";
    return failure({ status: 400, code: 10014, message });
  }
  const id = crypto.randomUUID().replaceAll("-", "");
  await registryOf(env).addNamespace(id, title);
  return ok({ id, title, supports_url_encoding: true });
};

const queues: Handler = async ({ env, query }) => {
  const wanted = query.getAll("name");
  const names = Object.keys(env.SHOP.queues).filter((name) => wanted.length === 0 || wanted.includes(name));
  const found = listed(
    query,
    names.map((name) => ({ queue_id: name, queue_name: name, producers: [], consumers: [] })),
  );
  return ok(found, page(found));
};

const refused =
  (code: number, what: string): Handler =>
  async () =>
    failure({ status: 400, code, message: `Local edge: ${what}.` });

const schedules: Handler = async ({ request }) => {
  const asked: unknown = request.method === "PUT" ? await request.json().catch(() => []) : [];
  if (Array.isArray(asked) && asked.length === 0) return ok({ schedules: [] });
  return failure({ status: 400, code: 10100, message: "Local edge: crons of uploaded Workers are not fired here." });
};

export const resources: Route[] = [
  ["GET", "/storage/kv/namespaces", namespaces],
  ["POST", "/storage/kv/namespaces", makeNamespace],
  ["GET", "/queues", queues],
  ["POST", "/queues", refused(11003, "queues are only those of the shop")],
  ["POST", "/queues/:queue/consumers", refused(11004, "queues are delivered to the shop's own consumer only")],
  ["PUT", "/queues/:queue/consumers/:consumer", refused(11004, "queues are delivered to the shop's own consumer only")],
  ["GET", "/workers/scripts/:script/schedules", schedules],
  ["PUT", "/workers/scripts/:script/schedules", schedules],
  [
    "POST",
    "/workers/scripts/:script/assets-upload-session",
    refused(10400, "static assets are not served here; upload the Worker without them"),
  ],
];
